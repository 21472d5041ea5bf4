import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from augbench.datasets import ssvep as module
from augbench.datasets.errors import UserError
from augbench.datasets.fetch import Record
from augbench.datasets.options.tasks import SsvepOptions
from augbench.datasets.ssvep import CHANNELS, EXCLUDED, Session, events_file, ssvep
from augbench.datasets.task import Task

OPTIONS = SsvepOptions()
SMALL = SsvepOptions(subjects=(1, 2, 4, 5))  # two sessions each, none of them special


def all_windows(task: Task) -> torch.Tensor:
    return torch.cat([task.fold(k).test.x for k in range(task.n_folds)])


def link_files(source: Path, target: Path, subjects: tuple[int, ...]) -> Path:
    """A data root of links to the recordings of some subjects."""
    for subject in subjects:
        folder = target / "ssvep_exo" / f"subject{subject:02d}"
        folder.mkdir(parents=True)
        for file in (source / "ssvep_exo" / folder.name).glob("record-*.fif"):
            (folder / file.name).symlink_to(file)
    return target


@pytest.fixture
def copy(ssvep_root: Path, tmp_path: Path) -> Path:
    return link_files(ssvep_root, tmp_path, SMALL.subjects)


def replace_by(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def test_all_trials_are_there_once(ssvep_root: Path) -> None:
    everything = all_windows(ssvep(replace(OPTIONS, include_excluded=True), ssvep_root, 0))
    assert len(everything) == 1024  # 33 sessions of 32 trials, less the copy under subject 7
    assert len({window.numpy().tobytes() for window in everything}) == 1024


def test_the_sessions_that_the_authors_left_out_stay_out(ssvep_root: Path) -> None:
    task = ssvep(OPTIONS, ssvep_root, 0)
    labels = torch.cat([task.fold(k).test.y for k in range(task.n_folds)])
    assert torch.bincount(labels).tolist() == [216] * 4  # 27 sessions with 8 trials a class
    assert len(EXCLUDED) == 5


def test_windows_are_standardised_and_as_long_as_asked(ssvep_root: Path) -> None:
    task = ssvep(SMALL, ssvep_root, 0)
    assert task.signal.shape == (8, 640)
    assert task.signal.sampling_rate == 128.0
    assert task.signal.channels == CHANNELS
    windows = all_windows(task).double()
    assert windows.mean(2).abs().max() < 1e-6
    assert (windows.std(2, correction=0) - 1).abs().max() < 1e-6
    short = replace(SMALL, seconds=2.0, sampling_rate=100.0)
    assert ssvep(short, ssvep_root, 0).signal.shape == (8, 200)


def test_the_band_pass_keeps_what_lies_between_its_edges(ssvep_root: Path) -> None:
    power = torch.fft.rfft(all_windows(ssvep(SMALL, ssvep_root, 0))).abs().square().mean((0, 1))
    hertz = torch.fft.rfftfreq(640, 1 / 128)
    inside = power[(hertz > 6) & (hertz < 44)].mean()
    assert power[hertz < 2].mean() < 0.05 * inside
    assert power[hertz > 58].mean() < 0.05 * inside


def test_each_light_answers_at_its_own_frequency(ssvep_root: Path) -> None:
    """Were 17 and 21 Hz confused (events 3 and 4), or trials cut elsewhere, this would fail."""
    task = ssvep(OPTIONS, ssvep_root, 0)
    x = all_windows(task)
    y = torch.cat([task.fold(k).test.y for k in range(task.n_folds)])
    power = torch.fft.rfft(x).abs().square().mean(1)  # (N, F), bins of 0.2 Hz
    lights = torch.stack([power[:, round(5 * hertz)] for hertz in (13, 17, 21)], 1)
    lights = lights / lights[y == 0].mean(0)  # beside rest, in which no light is looked at
    answer = torch.stack([lights[y == label].mean(0) for label in (1, 2, 3)])
    assert answer.argmax(1).tolist() == [0, 1, 2]
    assert (answer.diagonal() > 1.5).all()


def test_no_subject_stands_in_two_parts_of_a_fold(ssvep_root: Path) -> None:
    owner = {}
    for subject in range(1, 13):
        files = module._files(replace(OPTIONS, subjects=(subject,)), ssvep_root / "ssvep_exo")
        for file in files:
            if (subject, file.name) == (7, "record-[2012.07.11-15.33.08]_raw.fif"):
                continue
            for window in module._read(file, OPTIONS).x:
                owner[window.tobytes()] = subject
    task = ssvep(OPTIONS, ssvep_root, 0)
    tested: list[int] = []
    for k in range(task.n_folds):
        fold = task.fold(k)
        parts = [
            {owner[window.numpy().tobytes()] for window in split.x}
            for split in (fold.views.train, fold.views.model_valid, fold.test)
        ]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 12
        tested += parts[2]
        assert task.test_groups is not None
        owners = [str(owner[window.numpy().tobytes()]) for window in fold.test.x]
        assert task.test_groups(k).tolist() == owners
    assert Counter(tested) == Counter(range(1, 13))


def test_folds_are_even_and_do_not_depend_on_the_seed(ssvep_root: Path) -> None:
    one, other = (ssvep(OPTIONS, ssvep_root, seed) for seed in (0, 1))
    sizes = [len(one.fold(k).test.y) for k in range(3)]
    assert sum(sizes) == 864
    assert max(sizes) - min(sizes) <= 64
    assert all(torch.equal(one.fold(k).test.x, other.fold(k).test.x) for k in range(3))


def session(subject: int, recorded: float, content: str) -> Session:
    return Session(
        subject, f"{subject}/{recorded}", recorded, content, np.zeros((1, 8, 2)), np.zeros(1)
    )


def test_of_two_copies_that_nearest_to_its_subjects_other_sessions_stays() -> None:
    sessions = [
        session(3, 0, "a"),
        session(3, 500, "copy"),
        session(7, 500, "copy"),
        session(7, 900_000, "b"),
    ]
    expected = [sessions[0], sessions[1], sessions[3]]
    assert module._drop_copies(sessions) == expected
    assert module._drop_copies(sessions[::-1]) == expected[::-1]


def test_the_copied_session_is_subject_3s(ssvep_root: Path) -> None:
    options = replace(OPTIONS, subjects=(3, 7))
    files = module._files(options, ssvep_root / "ssvep_exo")
    assert len(files) == 5
    arrays = module._preprocess(files, options)
    assert Counter(arrays["subject"].tolist()) == {3: 64, 7: 64}


def test_a_cached_load_is_equal_and_needs_no_mne(ssvep_root: Path) -> None:
    task = ssvep(SMALL, ssvep_root, 0)
    script = (
        "import sys; from pathlib import Path\n"
        "from augbench.datasets.ssvep import SsvepOptions, ssvep\n"
        "task = ssvep(SsvepOptions(subjects=(1, 2, 4, 5)), Path(sys.argv[1]), 0)\n"
        "task.fold(0)\n"
        "print(task.fingerprint, 'mne' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(ssvep_root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [task.fingerprint, "False"]


def test_changed_options_and_files_are_not_taken_from_the_cache(copy: Path) -> None:
    task = ssvep(SMALL, copy, 0)
    assert ssvep(replace(SMALL, low=8.0), copy, 0).fingerprint != task.fingerprint
    one, other = sorted((copy / "ssvep_exo" / "subject01").glob("*_raw.fif"))
    content = one.read_bytes()
    replace_by(other, content)
    replace_by(events_file(other), events_file(one).read_bytes())
    assert ssvep(SMALL, copy, 0).fingerprint != task.fingerprint


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    advice = r"56 of 56 .* --data or AUGBENCH_DATA, .* `augbench fetch ssvep`"
    with pytest.raises(UserError, match=advice):
        ssvep(OPTIONS, tmp_path, 0)


def test_a_missing_subject_is_named(copy: Path) -> None:
    with pytest.raises(UserError, match=r"4 of 20 ssvep files .* \(the first is subject09/record-"):
        ssvep(replace(SMALL, subjects=(*SMALL.subjects, 9)), copy, 0)


@pytest.mark.parametrize("kept", [0, 100, 5000, 900_000])
def test_a_torn_recording_is_named(copy: Path, kept: int) -> None:
    file = sorted((copy / "ssvep_exo" / "subject02").glob("*_raw.fif"))[0]
    replace_by(file, file.read_bytes()[:kept])
    with pytest.raises(
        UserError, match=r"cannot read subject02/record-.*_raw.fif .* torn"
    ) as caught:
        ssvep(SMALL, copy, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (300, r"cannot read subject02/record-.* or its events"),
        (400, r"record-.*-eve.fif of subject02 holds 24 events; a session has 32 trials"),
    ],
)
def test_torn_events_are_named(copy: Path, kept: int, message: str) -> None:
    file = sorted((copy / "ssvep_exo" / "subject02").glob("*-eve.fif"))[0]
    replace_by(file, file.read_bytes()[:kept])
    with pytest.raises(UserError, match=message):
        ssvep(SMALL, copy, 0)


def test_what_is_missing_can_be_fetched(
    ssvep_root: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public record is out of reach here; tests of fetch itself use a real server."""
    lost = sorted((copy / "ssvep_exo" / "subject04").glob("*_raw.fif"))[0]
    lost.unlink()

    def stand_in(record: Record, folder: Path) -> None:
        for name in record.checksums:
            if not (folder / name).is_file():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).symlink_to(ssvep_root / "ssvep_exo" / name)

    monkeypatch.setattr(module, "fetch", stand_in)
    module.fetch_ssvep(copy)
    assert ssvep(SMALL, copy, 0).fingerprint == ssvep(SMALL, ssvep_root, 0).fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (replace(OPTIONS, subjects=(1, 13)), r"subjects are \[1, 13\]; ssvep has subjects 1 to 12"),
        (replace(OPTIONS, subjects=()), r"subjects are \[\]"),
        (replace(OPTIONS, low=45.0), "low = 45.0, high = 45.0"),
        (replace(OPTIONS, sampling_rate=90.0), "sampling_rate = 90.0: the rule is"),
        (replace(OPTIONS, seconds=6.0), "seconds is 6.0; a trial of ssvep lasts 5 seconds"),
        (replace(OPTIONS, n_folds=1), "n_folds is 1"),
    ],
)
def test_impossible_options_are_named(tmp_path: Path, options: SsvepOptions, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ssvep(options, tmp_path, 0)
