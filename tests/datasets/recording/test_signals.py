from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest
from mne.filter import filter_data

from augbench.datasets.errors import UserError
from augbench.datasets.recording.preparation import Preparation
from augbench.datasets.recording.signals import (
    filtered,
    open_recording,
    read_channels,
    resampled,
    resampled_length,
)
from edf_files import write_bdf, write_edf

PLAIN = Preparation(events={}, window_seconds=1.0)
RANDOM = np.random.default_rng(0)
NAMES = ("EEG C3-CLE", "EEG C4-CLE", "EEG A2-CLE", "EMG Chin")
SIGNALS = {name: 50 * RANDOM.normal(size=2000) for name in NAMES}


def read(path: Path, how: Preparation) -> np.ndarray:
    return np.stack(list(read_channels(open_recording(path, how), how)))


@pytest.mark.parametrize("n", [1000, 600_000])
@pytest.mark.parametrize(("low", "high"), [(0.0, 30.0), (0.5, 0.0), (0.5, 30.0)])
def test_the_filter_is_mnes(low: float, high: float, n: int) -> None:
    x = np.random.default_rng(1).normal(size=n) + 100.0
    theirs = filter_data(x, 100.0, low or None, high or None, verbose="ERROR")
    assert np.abs(filtered(x, 100.0, low, high) - theirs).max() < 1e-9


@pytest.mark.parametrize("n", [1, 2, 30])
def test_the_filter_takes_signals_shorter_than_itself(n: int) -> None:
    x = np.random.default_rng(1).normal(size=n)
    theirs = filter_data(x, 100.0, None, 30.0, verbose="ERROR")
    assert np.abs(filtered(x, 100.0, 0.0, 30.0) - theirs).max() < 1e-9


@pytest.mark.parametrize(
    ("rate", "new"),
    [
        (256.0, 128.0),
        (200.0, 128.0),
        (512.0, 100.0),
        (100.0, 100.0),
        (256.0164, 128.0),  # of real recorders, whose records are not quite a second long
        (199.9872, 100.0),
        (128.0001, 128.0),
    ],
)
def test_resampling_moves_nothing_in_time(rate: float, new: float) -> None:
    """Nor at the end of half an hour, by more than the half sample by which its length is rounded.

    A rate that is almost right would drift further.
    """
    times = np.arange(round(1800 * rate)) / rate
    wave = np.sin(2 * np.pi * 7.3 * times)
    found = resampled(wave, rate, new)
    assert len(found) == resampled_length(len(wave), rate, new)
    assert abs(len(found) - 1800 * new) <= 1
    expected = np.sin(2 * np.pi * 7.3 * np.arange(len(found)) / new)
    half_a_sample = 2 * np.pi * 7.3 * 0.5 / new if rate % 1 else 0.0
    assert np.abs(found - expected)[200:-200].max() < half_a_sample + 0.01


def test_channels_come_in_microvolts_and_as_asked(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    x = read(file, replace(PLAIN, channels=("C4", "C3")))
    assert np.abs(x - [SIGNALS["EEG C4-CLE"], SIGNALS["EEG C3-CLE"]]).max() < 0.01
    assert len(read(file, replace(PLAIN, channels=("-EMG Chin", "-EEG A2-CLE")))) == 2
    assert len(read(file, PLAIN)) == 4


@pytest.mark.parametrize("reference", ["A2-CLE", "EEG A2-CLE", "A2", "eeg a2-cle"])
def test_a_reference_is_subtracted(tmp_path: Path, reference: str) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    x = read(file, replace(PLAIN, channels=("C3",), reference=reference))
    assert np.abs(x[0] - (SIGNALS["EEG C3-CLE"] - SIGNALS["EEG A2-CLE"])).max() < 0.01


def test_the_average_is_that_of_the_channels_in_use(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    x = read(file, replace(PLAIN, channels=("C3", "C4"), reference="average"))
    difference = (SIGNALS["EEG C3-CLE"] - SIGNALS["EEG C4-CLE"]) / 2
    assert np.abs(x - [difference, -difference]).max() < 0.01


def test_a_reference_may_be_missing_only_where_that_is_allowed(tmp_path: Path) -> None:
    ler = {name.replace("CLE", "LER"): x for name, x in SIGNALS.items()}
    file = write_edf(tmp_path / "a.edf", ler)
    how = replace(PLAIN, channels=("C3",), reference="A2-CLE")
    with pytest.raises(UserError, match=r"a.edf has no channel 'A2-CLE' .* EEG C3-LER, EEG C4-L"):
        open_recording(file, how)
    x = read(file, replace(how, reference_needed=False))
    assert np.abs(x[0] - SIGNALS["EEG C3-CLE"]).max() < 0.01


def test_a_missing_channel_says_which_there_are(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    with pytest.raises(UserError, match=r"^a.edf: unknown channel .* 'O1'.* EEG A2-CLE, EEG C3-CL"):
        open_recording(file, replace(PLAIN, channels=("C3", "O1")))


def test_a_channel_of_another_rate_does_not_change_the_others(tmp_path: Path) -> None:
    """MNE brings all channels that it reads to the highest rate."""
    signals = {"EEG C3": SIGNALS["EEG C3-CLE"], "EMG": RANDOM.normal(size=10_000)}
    file = write_edf(tmp_path / "a.edf", signals, {"EEG C3": 100.0, "EMG": 500.0})
    recording = open_recording(file, replace(PLAIN, channels=("C3",)))
    assert recording.rate == 100.0
    (x,) = read_channels(recording, PLAIN)
    assert np.abs(x - SIGNALS["EEG C3-CLE"]).max() < 0.01


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_channels_of_one_name_are_told_apart(tmp_path: Path, suffix: str) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    content = bytearray(file.read_bytes())
    content[256 + 16 : 256 + 32] = content[256 : 256 + 16]
    file.write_bytes(content)
    if suffix == ".bdf":
        file = write_bdf(tmp_path / "a.bdf", file)
    x = read(file, replace(PLAIN, channels=("EEG C3-CLE-1",)))
    assert np.abs(x[0] - SIGNALS["EEG C4-CLE"]).max() < 0.01
    assert len(read(file, PLAIN)) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling_rate": 128.0}, r"a.edf was recorded at 100 Hz and sampling_rate is 128"),
        ({"high": 50.0}, r"a.edf was recorded at 100 Hz and high is 50"),
        ({"low": 50.0}, r"a.edf was recorded at 100 Hz and low is 50"),
    ],
)
def test_a_rate_that_is_too_low_is_named(
    tmp_path: Path, changes: dict[str, float], message: str
) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    with pytest.raises(UserError, match=message):
        open_recording(file, replace(PLAIN, **changes))


def test_a_recording_that_is_cut_off_is_refused_unless_asked_for(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "a.edf", SIGNALS)
    file.write_bytes(file.read_bytes()[:-1000])
    message = r"a.edf is cut off: it holds 18 whole records .* says 20; .* allow_truncated = true"
    with pytest.raises(UserError, match=message):
        open_recording(file, PLAIN)
    assert read(file, replace(PLAIN, allow_truncated=True)).shape == (4, 1800)


def test_a_recording_with_gaps_is_refused(tmp_path: Path) -> None:
    onsets = [k + (7 if k > 9 else 0) for k in range(20)]
    file = write_edf(tmp_path / "a.edf", SIGNALS, interrupted_at=onsets)
    with pytest.raises(UserError, match=r"a.edf was interrupted \(EDF\+D with gaps"):
        open_recording(file, PLAIN)


def test_what_is_not_a_number_is_refused(tmp_path: Path) -> None:
    x = np.stack([SIGNALS["EEG C3-CLE"], SIGNALS["EEG C4-CLE"]])
    x[1, 700] = np.nan
    raw = mne.io.RawArray(x, mne.create_info(["C3", "C4"], 100.0, "eeg"), verbose="ERROR")
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    with pytest.raises(UserError, match=r"channel C4 of a_raw.fif has NaN or infinite values"):
        read(tmp_path / "a_raw.fif", PLAIN)


@pytest.mark.parametrize("name", ["a.edf", "a.bdf", "a.gdf", "a_raw.fif", "a.vhdr", "a.set"])
@pytest.mark.parametrize("content", [b"", b"nonsense" * 500])
def test_a_file_that_mne_cannot_read_is_one_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name) as caught:
        open_recording(tmp_path / name, PLAIN)
    assert "\n" not in str(caught.value)
