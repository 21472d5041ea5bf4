"""The task of a folder, as a suite asks for it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import RecordingsOptions
from augbench.datasets.parts import describe_split
from augbench.datasets.recordings import recordings
from edf_files import write_edf

OPTIONS = RecordingsOptions(
    path="mine",
    events={"left": "hand/left", "right": ("hand/right", "RIGHT")},
    window_seconds=2.0,
    offset_seconds=0.5,
    n_folds=3,
)
NAMES = ("C3", "Cz", "C4", "Fz")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects with two recordings each, events in the files and in tables beside them."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for subject in range(4):
        for run in range(2):
            name = f"sub-{subject:02d}_run-{run}"
            texts = ["hand/left", "hand/right" if run else "right"] * (5 + subject)
            notes = [(3.0 * k, 0.0, text) for k, text in enumerate(texts)]
            signals = {each: 30 * random.normal(size=6000) for each in NAMES}
            write_edf(root / "mine" / f"{name}_eeg.edf", signals, 100.0, () if run else notes)
            if run:
                rows = "".join(f"{onset}\tn/a\t{text}\n" for onset, _, text in notes)
                table = root / "mine" / f"{name}_events.tsv"
                table.write_text(f"onset\tduration\ttrial_type\n{rows}")
    return root


def test_a_folder_becomes_a_task(folder: Path) -> None:
    task = recordings(OPTIONS, folder, 0)
    assert task.signal.shape == (4, 200)
    assert task.signal.channels == NAMES
    assert task.signal.sampling_rate == 100.0
    assert task.class_names == ("left", "right")
    assert task.trunk == "eegnet"
    assert "channel_symmetry" in task.transforms
    assert describe_split(task, 0).startswith("104 windows of 4 groups; fold 0: ")


def test_subjects_stay_together_and_x_belongs_to_y(folder: Path) -> None:
    task = recordings(OPTIONS, folder, 0)
    parts = [task.parts(k) for k in range(3) if task.parts]
    assert [sum(part.n_groups or 0 for part in each) for each in parts] == [4, 4, 4]
    tested = torch.cat([task.fold(k).test.y for k in range(3)])
    assert torch.bincount(tested).tolist() == [52, 52]
    assert task.test_groups is not None
    tested_groups = [set(task.test_groups(k)) for k in range(3)]
    assert [len(each) for each in tested_groups] == [part.test.n_groups for part in parts]
    assert len(set.union(*tested_groups)) == 4
    assert len(task.test_groups(0)) == len(task.fold(0).test.y)
    fold = task.fold(0)
    for split, part in zip((fold.views.train, fold.views.model_valid), parts[0], strict=False):
        assert torch.bincount(split.y).tolist() == list(part.n_by_class)
        assert split.x.shape == (len(split.y), 4, 200)


def test_a_part_of_the_folder_can_be_asked_for(folder: Path) -> None:
    task = recordings(replace(OPTIONS, subjects=("00", "01", "03")), folder, 0)
    assert describe_split(task, 0).startswith("76 windows of 3 groups")


def test_filter_rate_and_channels_are_the_suites(folder: Path) -> None:
    changes: dict[str, Any] = {"low": 1.0, "high": 20.0, "sampling_rate": 50.0}
    task = recordings(replace(OPTIONS, channels=("C4", "C3"), **changes), folder, 0)
    assert task.signal.shape == (2, 100)
    assert task.signal.channels == ("C4", "C3")
    assert task.signal.band == (1.0, 20.0)


def test_a_montage_on_the_midline_has_no_mirror_and_says_so(folder: Path) -> None:
    with pytest.warns(UserNotice, match=r"without channel_symmetry, rotation_x.* Cz, Fz lie on it"):
        task = recordings(replace(OPTIONS, channels=("Cz", "Fz")), folder, 0)
    assert not {"channel_symmetry", "rotation_x"} & set(task.transforms)
    assert "channel_dropout" in task.transforms


def test_a_second_start_needs_no_mne_and_is_equal(folder: Path) -> None:
    task = recordings(OPTIONS, folder, 0)
    script = (
        "import sys; from pathlib import Path\n"
        "from augbench.datasets.options.tasks import RecordingsOptions\n"
        "from augbench.datasets.recordings import recordings\n"
        "events = {'left': 'hand/left', 'right': ('hand/right', 'RIGHT')}\n"
        "options = RecordingsOptions(path='mine', events=events, window_seconds=2.0,\n"
        "    offset_seconds=0.5, n_folds=3, subjects=('00', '01', '02', '03'))\n"
        "task = recordings(options, Path(sys.argv[1]), 0)\n"
        "print(task.fingerprint, float(task.fold(1).test.x.sum()), 'mne.io' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    total = float(task.fold(1).test.x.sum())
    assert done.stdout.split() == [task.fingerprint, str(total), "False"]
    assert done.stderr == ""


def test_a_changed_event_changes_the_fingerprint(folder: Path) -> None:
    one = recordings(OPTIONS, folder, 0)
    other = recordings(
        replace(OPTIONS, events={**OPTIONS.events, "right": "hand/right"}), folder, 0
    )
    assert one.fingerprint != other.fingerprint


def test_classes_are_in_the_order_of_their_names(folder: Path) -> None:
    """A suite that has them in another order asks for the same trials."""
    one = recordings(OPTIONS, folder, 0)
    other = recordings(replace(OPTIONS, events=dict(reversed(OPTIONS.events.items()))), folder, 0)
    assert one.class_names == other.class_names == ("left", "right")
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": ""}, "task 'recordings' needs the option path"),
        ({"path": "gone"}, "there is no folder"),
        ({"events": {"left": "hand/left"}}, "the option events has 1 class; it needs two"),
        ({"events": {"a": "x", "b": ("y", "x")}}, "gives 'x' to 'b' and to another class"),
        ({"events": {"a": "x", "b": ("y", "X")}}, "gives 'X' to 'b' and to another class"),
        ({"window_seconds": 0.0}, "window_seconds is 0.0"),
        ({"offset_seconds": float("nan")}, "offset_seconds is nan"),
        ({"low": 20.0, "high": 10.0}, "low = 20.0, high = 10.0"),
        ({"high": 30.0, "sampling_rate": 60.0}, "the rule is 0 < low < high < sampling_rate / 2"),
        ({"n_folds": 1}, "n_folds is 1"),
        (
            {"nights": 1, "channels": ("O1",)},
            r"^sub-00_run-0_eeg.edf: unknown .* C3, C4, Cz",
        ),
        ({"nights": 1, "sampling_rate": 200.0}, "was recorded at 100 Hz and sampling_rate is 200"),
        ({"nights": 2}, "n_folds = 3 is too many for 1 group:"),
        ({"events": {"left": "hand/left", "up": "arrow", "down": "x"}}, "no recording has a wind"),
    ],
)
def test_impossible_options_are_one_sentence(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        recordings(replace(OPTIONS, **changes), folder, 0)
    assert "\n" not in str(caught.value)


def test_recordings_that_differ_are_named(tmp_path: Path) -> None:
    notes = [(0.0, 10.0, "a"), (10.0, 10.0, "b")]
    options = RecordingsOptions(path=".", events={"a": "a", "b": "b"}, window_seconds=5.0)
    x = np.random.default_rng(0).normal(size=4000)
    write_edf(tmp_path / "sub-1.edf", {"C3": x}, 100.0, notes)
    write_edf(tmp_path / "sub-2.edf", {"C3": x}, 200.0, notes)
    with pytest.raises(UserError, match=r"sub-2.edf has the rate 200 Hz where sub-1.edf has 100"):
        recordings(options, tmp_path, 0)
    write_edf(tmp_path / "sub-2.edf", {"C4": x}, 100.0, notes)
    with pytest.raises(UserError, match=r"sub-2.edf has the channels C4 where sub-1.edf has C3"):
        recordings(options, tmp_path, 0)


def test_what_is_good_stays_prepared_when_another_recording_fails(tmp_path: Path) -> None:
    """Two have faults; the first is told, and the third is not prepared again."""
    notes = [(0.0, 10.0, "a"), (10.0, 10.0, "b")]
    options = RecordingsOptions(path=".", events={"a": "a", "b": "b"}, window_seconds=5.0)
    x = np.random.default_rng(0).normal(size=4000)
    write_edf(tmp_path / "sub-1.edf", {"C3": x}, 100.0)
    cut = write_edf(tmp_path / "sub-2.edf", {"C3": x}, 100.0, notes)
    cut.write_bytes(cut.read_bytes()[:-500])
    write_edf(tmp_path / "sub-3.edf", {"C3": x}, 100.0, notes)
    message = r"^sub-1.edf has no event of those .* \(faults in 1 more recording\)$"
    with pytest.raises(UserError, match=message):
        recordings(options, tmp_path, 0)
    kept = replace(options, subjects=("3",))
    with pytest.raises(UserError, match="is too many for 1 group:"):
        recordings(kept, tmp_path, 0)


def test_notices_come_with_the_number_of_recordings_each_time(tmp_path: Path) -> None:
    options = RecordingsOptions(
        path=".", events={"a": "a", "b": "b"}, window_seconds=5.0, n_folds=3, channels=("C3", "C4")
    )
    random = np.random.default_rng(0)
    for k in range(3):
        signals = {name: random.normal(size=4000) for name in ("C3", "C4")}
        write_edf(tmp_path / f"sub-{k}.edf", signals, 100.0)
        (tmp_path / f"sub-{k}.csv").write_text(
            f"onset,duration,label\n0,10,a\n10,{90 if k else 10},b\n"
        )
    message = r"in 2 of 3 recordings events go on .* \(the first is sub-1.edf\)"
    for _ in range(2):
        with pytest.warns(UserNotice, match=message) as told:
            recordings(options, tmp_path, 0)
        assert len(told) == 1
