from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.recording.edf_header import read_edf_header
from edf_files import write_edf

NOISE = {"C3": np.random.default_rng(0).normal(size=1000)}


def test_the_start_has_the_fraction_of_the_first_record(tmp_path: Path) -> None:
    start = datetime(2019, 12, 31, 23, 59, 59, 250000)
    assert read_edf_header(write_edf(tmp_path / "a.edf", NOISE, start=start)).start == start


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("SC4001EC-Hypnogram.edf", datetime(1989, 4, 24, 16, 13)),
        ("edfio_short_psg.edf", datetime(1989, 4, 24, 16, 13)),
        ("mne_subsecond_starttime.edf", datetime(2020, 1, 24, 4, 5, 56, 394531)),
        ("dreams_excerpt3.edf", datetime(2003, 11, 17, 3, 27)),
    ],
)
def test_real_files_start_when_they_say(sleep_root: Path, name: str, start: datetime) -> None:
    header = read_edf_header(sleep_root / "edf_odd" / name)
    assert header.start == start
    assert not header.is_cut_off
    assert not header.interrupted


@pytest.mark.parametrize("lost", [1, 100, 1500])
def test_a_file_that_is_cut_off_says_how_much_is_there(tmp_path: Path, lost: int) -> None:
    file = write_edf(tmp_path / "a.edf", NOISE)
    file.write_bytes(file.read_bytes()[:-lost])
    header = read_edf_header(file)
    assert header.is_cut_off
    assert (header.n_records, header.n_whole) == (10, 10 - -(-lost // 216))


def test_a_recorder_that_was_not_stopped_left_a_file_that_is_cut_off(tmp_path: Path) -> None:
    assert read_edf_header(write_edf(tmp_path / "a.edf", NOISE, n_records=-1)).is_cut_off


def test_more_than_the_header_promises_is_not_cut_off(tmp_path: Path) -> None:
    assert not read_edf_header(write_edf(tmp_path / "a.edf", NOISE, n_records=9)).is_cut_off


@pytest.mark.parametrize(("gap", "interrupted"), [(0, False), (5, True)])
def test_only_gaps_make_a_file_interrupted(tmp_path: Path, gap: int, interrupted: bool) -> None:
    onsets = [k + (gap if k > 4 else 0) for k in range(10)]
    file = write_edf(tmp_path / "a.edf", NOISE, interrupted_at=onsets)
    assert read_edf_header(file).interrupted is interrupted


def test_a_date_that_is_none_is_not_known(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "a.edf", NOISE)
    content = bytearray(file.read_bytes())
    content[168:176] = b"00.00.00"
    file.write_bytes(content)
    assert read_edf_header(file).start is None


@pytest.mark.parametrize("kept", [0, 8, 255, 256, 300, 511])
def test_a_torn_header_is_one_sentence(tmp_path: Path, kept: int) -> None:
    file = write_edf(tmp_path / "a.edf", NOISE)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"^a.edf is no EDF or BDF file, or is damaged"):
        read_edf_header(file)


@pytest.mark.parametrize("onset", ["+9999999999999", "+" + 60 * "9", "-" + 400 * "9"])
def test_an_onset_of_no_time_at_all_leaves_the_start_unknown(tmp_path: Path, onset: str) -> None:
    file = write_edf(tmp_path / "a.edf", {}, notes=[(0, 0, 500 * "-")])
    content = file.read_bytes()
    file.write_bytes(content[:512] + f"{onset}\x14\x14\0".encode().ljust(len(content) - 512, b"-"))
    assert read_edf_header(file).start is None


def test_a_damaged_header_is_read_or_refused_in_one_sentence(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    file = write_edf(tmp_path / "a.edf", NOISE)
    whole = file.read_bytes()
    n_read, refusals = 0, []
    for _ in range(300):
        content = bytearray(whole)
        for place in random.integers(0, 768, 3):
            content[place] = random.integers(256)
        file.write_bytes(content)
        try:
            read_edf_header(file)
            n_read += 1
        except UserError as error:
            refusals.append(str(error))
    assert n_read > 100
    assert len(refusals) > 30
    assert all(
        each.startswith("a.edf is no EDF or BDF file, or is damaged") and "\n" not in each
        for each in refusals
    )
