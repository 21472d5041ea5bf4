"""On files in the layouts in which MASS was handed out."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.mass import fetch_mass, mass
from augbench.datasets.options.tasks import MassOptions
from augbench.datasets.parts import describe_split
from augbench.datasets.task import Task
from edf_files import write_edf
from nights import MASS, STAGES, notes_of, signal_of, write_mass

OPTIONS = MassOptions()
AS_WRITTEN = replace(OPTIONS, high=0.0, sampling_rate=0.0)  # for files of a low rate
N_PAGES = len(STAGES)


def windows(task: Task) -> torch.Tensor:
    return torch.cat([task.fold(k).test.x for k in range(task.n_folds)])


@pytest.fixture(scope="session")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("five")
    for number in range(1, 6):
        write_mass(root / "mass", number)
    return root


def test_nights_become_pages_of_six_channels(five: Path) -> None:
    task = mass(AS_WRITTEN, five, 0)
    assert task.signal.shape == (6, 600)
    assert task.signal.channels == MASS
    assert task.class_names == ("W", "N1", "N2", "N3", "REM")
    assert "rotation_x" in task.transforms
    assert task.trunk == "sleep_stager"
    assert describe_split(task, 0) == (
        f"{5 * N_PAGES} windows of 5 groups; fold 0: 34 / 34 / 17 windows, 2 / 2 / 1 groups"
    )
    assert AS_WRITTEN.nights == 60


@pytest.mark.parametrize("scores", ["Annotations", "annotations/Annotations", "hyp/Base"])
def test_the_older_name_and_a_folder_of_its_own_say_the_same(
    five: Path, tmp_path: Path, scores: str
) -> None:
    for file in (five / "mass").iterdir():
        name = file.name
        if "Base" in name:
            *parent, last = scores.split("/")
            name = "/".join([*parent, name.replace("Base", last)])
        (tmp_path / "mass" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, tmp_path / "mass" / name)
    assert torch.equal(windows(mass(AS_WRITTEN, tmp_path, 0)), windows(mass(AS_WRITTEN, five, 0)))


def test_a2_is_subtracted_from_cle_and_ler_stays_as_it_is(tmp_path: Path) -> None:
    """One night with a large wave on A2, and the same night without A2, in LER."""
    signals = {name: signal_of(STAGES, 20.0, k) for k, name in enumerate(MASS)}
    wave = 100 * np.sin(np.arange(len(signals["C3"])) / 7)
    cle = {f"EEG {name}-CLE": x + wave for name, x in signals.items()} | {"EEG A2-CLE": wave}
    ler = {f"EEG {name}-LER": x for name, x in signals.items()}
    pages = [page if page != "4" else "3" for page in STAGES]
    for number in range(1, 6):
        night = tmp_path / "mass" / f"01-03-{number:04d}"
        write_edf(Path(f"{night} PSG.edf"), cle if number != 3 else ler, 20.0)
        write_edf(Path(f"{night} Base.edf"), {}, notes=notes_of(pages, merged=False))
    message = r"in 1 of 5 recordings channel A2-CLE is not there.* \(the first is 01-03-0003\)"
    with pytest.warns(UserNotice, match=message):
        task = mass(AS_WRITTEN, tmp_path, 0)
    by_night = [task.fold(k).test.x for k in range(5)]
    assert all((x - by_night[0]).abs().max() < 0.02 for x in by_night)


@pytest.mark.parametrize("later", [4.0, 11.3, 29.95])
def test_scores_that_begin_later_are_aligned(five: Path, tmp_path: Path, later: float) -> None:
    """At a whole number of samples the windows are those of files that begin together."""
    for number in range(1, 6):
        write_mass(tmp_path / "mass", number, later=later)
    aligned = windows(mass(AS_WRITTEN, tmp_path, 0))
    assert (aligned - windows(mass(AS_WRITTEN, five, 0))).abs().max() < 0.02


def test_pages_of_20_seconds_are_refused(tmp_path: Path) -> None:
    write_mass(tmp_path / "mass", 1, page_seconds=20.0)
    with pytest.raises(UserError, match=r"^01-03-0001 is scored in pages of 20 s; this task reads"):
        mass(AS_WRITTEN, tmp_path, 0)


def test_stage_4_of_older_rules_is_n3(five: Path, tmp_path: Path) -> None:
    shutil.copytree(five / "mass", tmp_path / "mass")
    for file in (tmp_path / "mass").glob("*Base.edf"):
        write_edf(file, {}, notes=notes_of(STAGES, merged=False))
    assert "4" in STAGES
    one, other = (mass(AS_WRITTEN, root, 0).fold(0) for root in (five, tmp_path))
    assert torch.equal(one.test.y, other.test.y)
    assert torch.equal(one.test.x, other.test.x)


def test_a_night_may_lack_a_stage(tmp_path: Path) -> None:
    for number in range(1, 6):
        write_mass(tmp_path / "mass", number, STAGES if number > 1 else "WW2233WW")
    task = mass(AS_WRITTEN, tmp_path, 0)
    tested = torch.cat([task.fold(k).test.y for k in range(5)])
    assert len(tested) == 4 * N_PAGES + 8


def test_a_recording_that_is_cut_off_keeps_its_whole_windows_if_asked_for(
    five: Path, tmp_path: Path
) -> None:
    shutil.copytree(five / "mass", tmp_path / "mass")
    file = tmp_path / "mass" / "01-03-0002 PSG.edf"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"^01-03-0002 PSG.edf is cut off: .* allow_truncated"):
        mass(AS_WRITTEN, tmp_path, 0)
    with pytest.warns(UserNotice, match="in 1 of 5 recordings events go on where the signals do"):
        task = mass(replace(AS_WRITTEN, allow_truncated=True), tmp_path, 0)
    assert len(windows(task)) == 4 * N_PAGES + N_PAGES // 2


def test_a_missing_channel_says_which_there_are(tmp_path: Path) -> None:
    write_mass(tmp_path / "mass", 1)
    message = r"^01-03-0001 PSG.edf: unknown channel .* 'Pz'; .* EEG A2-CLE, EEG C3-CLE"
    with pytest.raises(UserError, match=message):
        mass(replace(AS_WRITTEN, channels=("C3", "Pz")), tmp_path, 0)


def test_nights_and_subjects_take_a_part(five: Path) -> None:
    part = replace(AS_WRITTEN, n_folds=3)
    assert "of 3 groups" in describe_split(mass(replace(part, nights=3), five, 0), 0)
    assert "of 4 groups" in describe_split(mass(replace(part, subjects=(1, 2, 4, 5)), five, 0), 0)
    with pytest.raises(UserError, match=r"subjects has 0009, of whom .* there are 0001, 0002"):
        mass(replace(part, subjects=(9,)), five, 0)


def test_a_folder_without_nights_says_how_the_data_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no night of MASS under .*/mass; MASS is handed out"):
        mass(OPTIONS, tmp_path, 0)
    with pytest.raises(UserError, match=r"^MASS is handed out on request: .* into .*/mass$"):
        fetch_mass(tmp_path)
