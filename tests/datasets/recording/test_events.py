from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.recording.events import read_events
from edf_files import START, write_edf

NOTES = [(60.0, 30.0, "Sleep stage 1"), (0.0, 60.0, "Sleep stage W"), (7.25, 0.0, "仰卧 naïve")]


@pytest.mark.parametrize("later", [0.0, 90.0, -30.0, 0.5, 12.125])
def test_onsets_count_from_the_first_sample_of_the_signals(tmp_path: Path, later: float) -> None:
    file = write_edf(
        tmp_path / "scores.edf", {}, notes=NOTES, start=START + timedelta(seconds=later)
    )
    found = read_events(file, START, "psg.edf")
    assert found == sorted((onset + later, seconds, text) for onset, seconds, text in NOTES)


def test_both_files_may_start_between_two_seconds(tmp_path: Path) -> None:
    start = datetime(2020, 1, 1, 0, 0, 10, 750000)
    file = write_edf(tmp_path / "scores.edf", {}, notes=NOTES, start=start)
    found = read_events(file, datetime(2020, 1, 1, 0, 0, 9, 500000), "psg.edf")
    assert [e.onset for e in found] == [1.25, 8.5, 61.25]


def test_latin_1_is_read_where_it_is_no_utf_8(tmp_path: Path) -> None:
    notes = [(0.0, 30.0, "Schlaf é")]
    file = write_edf(tmp_path / "scores.edf", {}, notes=notes, encoding="latin-1")
    assert read_events(file, START, "psg.edf")[0].text == "Schlaf é"


def test_a_name_in_capitals_is_read_too(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "SCORES.EDF", {}, notes=NOTES)
    assert len(read_events(file, START, "PSG.EDF")) == 3


@pytest.mark.parametrize("without", ["psg.edf", "scores.edf"])
def test_a_file_without_a_start_is_named(tmp_path: Path, without: str) -> None:
    file = write_edf(tmp_path / "scores.edf", {}, notes=NOTES)
    start: datetime | None = START
    if without == "psg.edf":
        start = None
    else:
        content = bytearray(file.read_bytes())
        content[168:176] = b"00.00.00"
        file.write_bytes(content)
    with pytest.raises(UserError, match=f"^{without} does not say when it starts"):
        read_events(file, start, "psg.edf")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "onset\tduration\ttrial_type\n1.5\t30\tleft\n40\tn/a\tright\n"),
        ("a.tsv", "trial_type\tonset\tduration\tsample\nleft\t1.5\t30\t3\nright\t40\t\t80\n"),
        ("a.csv", "onset,duration,description\n1.5,30,left\n40,0,right\n"),
        ("a.csv", "\ufeffOnset;Duration;Label\r\n1.5;30;left\r\n\r\n40;;right\r\n"),
        ("a.csv", '"start","length","stage"\n"1.5","30","left"\n"40","NaN","right"\n'),
    ],
)
def test_tables_of_many_hands_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_events(tmp_path / name, None, "a.edf") == [
        (1.5, 30.0, "left"),
        (40.0, 0.0, "right"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.tsv has the columns of no name, and none of onset"),
        (b"time\ttrial_type\n1\tx\n", r"a.tsv has the columns time, trial_type, and none of onset"),
        (b"onset\tduration\n1\t2\n", "and none of trial_type, description"),
        (b"onset\tduration\ttrial_type\n1\t2\tx\nsoon\t2\tx\n", "line 3 of a.tsv has the onset 's"),
        (b"onset\tduration\ttrial_type\nnan\t2\tx\n", "line 2 of a.tsv has the onset 'nan'"),
        (b"onset\ttrial_type\n1\n\tx\n", "line 3 of a.tsv has the onset ''"),
        (b"\xff\xfe\x00", "cannot read a.tsv \\(it is no UTF-8 text\\)"),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.tsv").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_events(tmp_path / "a.tsv", None, "a.edf")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 100, 256])
def test_a_torn_file_of_annotations_is_one_sentence(tmp_path: Path, kept: int) -> None:
    file = write_edf(tmp_path / "scores.edf", {}, notes=NOTES)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"scores.edf"):
        read_events(file, START, "psg.edf")


def test_a_hypnogram_that_is_a_signal_is_named(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "scores.edf", {"Hypnogram": np.arange(30.0)}, 1.0)
    message = r"^scores.edf has no annotations; it holds the signal 'Hypnogram'.* export it as anno"
    with pytest.raises(UserError, match=message):
        read_events(file, START, "psg.edf")


def test_annotations_that_are_cut_off_are_refused_unless_asked_for(tmp_path: Path) -> None:
    file = write_edf(tmp_path / "scores.edf", {"Marker": np.arange(30.0)}, 1.0, NOTES)
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"^scores.edf is cut off: .* so annotations are missing"):
        read_events(file, START, "psg.edf")
    assert len(read_events(file, START, "psg.edf", allow_truncated=True)) == 3
