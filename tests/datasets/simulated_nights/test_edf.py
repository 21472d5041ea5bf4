"""Files that the writer writes, read by MNE."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.typing import NDArray

from augbench.datasets.simulated_nights.edf import (
    LARGEST,
    Annotation,
    Channel,
    Recording,
    write_annotations,
    write_signals,
)

RECORDING = Recording(datetime(2003, 9, 7, 22, 5, 59), "S01 X X Nobody", "X X Writer_test")
FAST, SLOW = Channel("EEG Cz-CLE", 200), Channel("EMG submental", 2, limit=50)


def write(path: Path, channels: list[Channel], n_records: int, blocks: Iterator[list[NDArray]]):  # type: ignore[no-untyped-def, type-arg]
    with path.open("wb") as file:
        write_signals(file, RECORDING, channels, 2, n_records, blocks)


def read(path: Path, **options: object) -> mne.io.BaseRaw:
    return mne.io.read_raw_edf(path, preload=True, verbose="error", **options)


def test_signals_come_back_to_the_sample_and_the_last_digit(tmp_path: Path) -> None:
    digital = np.random.default_rng(0).integers(-LARGEST, LARGEST + 1, (3, 5 * 200))
    microvolts = digital * (500 / LARGEST)
    blocks = ([*part] for part in np.split(microvolts, [2 * 200, 3 * 200], axis=1))
    channels = [Channel(f"EEG {name}-CLE", 200) for name in ("C3", "C4", "A2")]
    write(tmp_path / "a.edf", channels, 5, blocks)
    raw = read(tmp_path / "a.edf")
    assert raw.ch_names == [channel.label for channel in channels]
    assert raw.info["sfreq"] == 100
    np.testing.assert_array_equal(np.rint(raw.get_data() * 1e6 * (LARGEST / 500)), digital)
    assert raw.info["meas_date"] == RECORDING.start.replace(tzinfo=UTC)
    assert raw.info["subject_info"]["his_id"] == "S01"
    assert len(raw.annotations) == 0


def test_channels_of_different_rates_share_a_file(tmp_path: Path) -> None:
    fast, slow = np.arange(800.0) / 2, np.arange(8.0)
    write(tmp_path / "a.edf", [FAST, SLOW], 4, iter([[fast, slow]]))
    assert abs(read(tmp_path / "a.edf", include=[FAST.label]).get_data() * 1e6 - fast).max() < 0.01
    alone = read(tmp_path / "a.edf", include=[SLOW.label])
    assert alone.info["sfreq"] == 1
    assert abs(alone.get_data() * 1e6 - slow).max() < 0.001


def test_what_is_beyond_the_limit_is_cut_off(tmp_path: Path) -> None:
    write(tmp_path / "a.edf", [SLOW], 2, iter([[np.array([-1e9, -50.0, 50.0, 51.0])]]))
    assert read(tmp_path / "a.edf").get_data()[0] * 1e6 == pytest.approx([-50, -50, 50, 50])


def test_samples_after_the_last_record_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.edf", [SLOW], 3, iter([[np.arange(4.0)], [np.arange(4.0)]]))
    assert read(tmp_path / "a.edf").n_times == 6
    header = (256 + 2 * 256, 3 * (2 + 8) * 2)
    assert (tmp_path / "a.edf").stat().st_size == sum(header)


def test_a_field_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="longer than"):
        write(tmp_path / "a.edf", [Channel("a label of 17 byt", 2)], 1, iter([[np.zeros(2)]]))


@pytest.mark.parametrize("n", [0, 1, 2, 961])
def test_annotations_come_back_with_their_times(tmp_path: Path, n: int) -> None:
    texts = ("Sleep stage W", "Sleep stage ?", "é")
    written = [Annotation(12.30078125 + 30 * i, 30.0, texts[i % 3]) for i in range(n)]
    with (tmp_path / "a.edf").open("wb") as file:
        write_annotations(file, RECORDING, written)
    found = mne.read_annotations(tmp_path / "a.edf")
    assert found.onset.tolist() == [each.onset for each in written]
    assert found.duration.tolist() == [30.0] * n
    assert list(found.description) == [each.text for each in written]
    if n:
        assert read(tmp_path / "a.edf").info["meas_date"] == RECORDING.start.replace(tzinfo=UTC)


def test_a_short_time_is_written_without_an_exponent(tmp_path: Path) -> None:
    with (tmp_path / "a.edf").open("wb") as file:
        write_annotations(file, RECORDING, [Annotation(0.00000125, 1e6, "x")])
    assert b"+0.00000125\x151000000\x14x\x14\0" in (tmp_path / "a.edf").read_bytes()
