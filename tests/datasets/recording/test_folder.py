from dataclasses import replace
from pathlib import Path

import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import RecordingsOptions
from augbench.datasets.recording.folder import find_sources

OPTIONS = RecordingsOptions()
PAIRS = replace(
    OPTIONS,
    files="*PSG.edf",
    events_files="*Hypnogram.edf",
    night="^.{6}",
    subject=r"^SC4(\d\d)",
)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(options: RecordingsOptions, folder: Path) -> list[tuple[str, str, str | None]]:
    return [
        (each.name, each.subject, each.events and each.events.name)
        for each in find_sources(options, folder)
    ]


def test_bids_names_bring_subjects_and_tables_of_events(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "sub-01/eeg/sub-01_task-rest_eeg.vhdr",
        "sub-01/eeg/sub-01_task-rest_eeg.eeg",
        "sub-01/eeg/sub-01_task-rest_eeg.vmrk",
        "sub-01/eeg/sub-01_task-rest_events.tsv",
        "sub-02/eeg/sub-02_task-rest_eeg.edf",
        "participants.tsv",
    )
    assert found(OPTIONS, tmp_path) == [
        ("sub-01/eeg/sub-01_task-rest_eeg.vhdr", "01", "sub-01_task-rest_events.tsv"),
        ("sub-02/eeg/sub-02_task-rest_eeg.edf", "02", None),
    ]


@pytest.mark.parametrize("table", ["a.tsv", "a.csv", "a_events.tsv", "a_events.csv"])
def test_a_table_of_the_same_name_holds_the_events(tmp_path: Path, table: str) -> None:
    fill(tmp_path, "a.EDF", "b.edf", "._b.edf", table)
    options = replace(OPTIONS, subject=r"^.*")
    assert found(options, tmp_path) == [("a.EDF", "a", table), ("b.edf", "b", None)]


def test_files_of_events_are_matched_by_the_night(tmp_path: Path) -> None:
    fill(tmp_path, "SC4002E0-PSG.edf", "x/SC4001F0-PSG.edf")
    fill(tmp_path, "hyp/SC4001FH-Hypnogram.edf", "hyp/SC4002EC-Hypnogram.edf", "notes.txt")
    assert found(PAIRS, tmp_path) == [
        ("x/SC4001F0-PSG.edf", "00", "SC4001FH-Hypnogram.edf"),
        ("SC4002E0-PSG.edf", "00", "SC4002EC-Hypnogram.edf"),
    ]


def test_a_part_can_be_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, *(f"sub-{k:02d}_eeg.edf" for k in range(5)))
    assert [subject for _, subject, _ in found(replace(OPTIONS, nights=2), tmp_path)] == [
        "00",
        "01",
    ]
    chosen = replace(OPTIONS, subjects=("03", "01"))
    assert [subject for _, subject, _ in found(chosen, tmp_path)] == ["01", "03"]
    assert len(found(replace(OPTIONS, nights=99), tmp_path)) == 5


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ((), OPTIONS, r"there is no recording under .*, which holds no file"),
        (("a.txt", "b.txt"), OPTIONS, r"which holds 2 .txt: files are to be like .edf, .bdf"),
        (("a.edf",), replace(OPTIONS, files="*.fif"), r"holds 1 .edf: files are to be like \*.fif"),
        (("a.edf",), OPTIONS, r"^a.edf does not say its subject by .* give the option subject"),
        (("a.edf",), replace(OPTIONS, subject="("), r"subject is '\(', which is no regular exp"),
        (("sub-1.edf",), replace(OPTIONS, subjects=("2",)), "subjects has 2, of whom .* are 1$"),
        (("sub-1.edf",), replace(OPTIONS, nights=-1), "nights is -1; it has to be 0"),
        (
            ("SC4001E0-PSG.edf", "SC4002E0-PSG.edf", "SC4001EC-Hypnogram.edf"),
            PAIRS,
            r"1 of 2 recordings have no file of events under .*: SC4002E0-PSG.edf; add",
        ),
        (
            ("SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf", "SC4002EC-Hypnogram.edf"),
            PAIRS,
            r"1 of 2 files of events have no recording under .*: SC4002EC-Hypnogram.edf; add",
        ),
        (
            ("a/SC4001E0-PSG.edf", "b/SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"),
            PAIRS,
            r"a/SC4001E0-PSG.edf and b/SC4001E0-PSG.edf are two files of one night, SC4001: leave",
        ),
        (
            ("SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf", "SC4001EH-Hypnogram.edf"),
            PAIRS,
            "SC4001EC-Hypnogram.edf and SC4001EH-Hypnogram.edf are two files of one night, SC4001",
        ),
        (("SC4001E0-PSG.edf",), PAIRS, r"1 of 1 recordings have no file of events"),
    ],
)
def test_a_folder_that_does_not_fit_is_one_sentence(
    tmp_path: Path, names: tuple[str, ...], options: RecordingsOptions, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        find_sources(options, fill(tmp_path, *names))
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no folder .*gone: the option path is relative"):
        find_sources(OPTIONS, tmp_path / "gone")
