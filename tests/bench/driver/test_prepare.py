"""What is looked at before any trial: how often data are built, and for which folds."""

import warnings
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import augbench.datasets
from augbench.bench.driver.prepare import prepare
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit import job
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.sinusoids import sinusoids
from augbench.datasets.task import Task


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The data seeds of all waves that are built."""
    built = []

    def build(options: SinusoidsOptions, data: Path, seed: int) -> Task:
        built.append(seed)
        return sinusoids(options, data, seed)

    monkeypatch.setitem(augbench.datasets.TASKS, "sinusoids", TaskRow(SinusoidsOptions, build))
    job._build_task.cache_clear()
    yield built
    job._build_task.cache_clear()


def suite_of(folder: Path, text: str) -> Suite:
    path = folder / "s.toml"
    path.write_text(f'name = "s"\n{text}')
    return load_suite(path)


WAVES = "[tasks.waves]\ntask = 'sinusoids'\nn_train = 40\nn_test = 8\ntraining = { epochs = 1 }\n"


def test_data_are_built_once_whatever_trainings_the_methods_have(
    tmp_path: Path, builds: list[int]
) -> None:
    methods = "".join(
        f"[methods.m{i}]\nmethod = 'none'\ntraining = {{ learning_rate = 1e-{i + 2} }}\n"
        for i in range(4)
    )
    suite = suite_of(tmp_path, f"folds = 5\nseeds = [0, 1, 2]\n{WAVES}{methods}")
    assert len(suite.plan) == 60
    assert prepare(RunDirectory(tmp_path / "run"), suite.plan, tmp_path).skipped == {}
    assert builds == [0]


def test_other_trunks_and_transforms_share_data_and_other_seeds_do_not(
    tmp_path: Path, builds: list[int]
) -> None:
    tables = "".join(
        WAVES.replace("waves]", f"w{i}]") + f"{line}\n"
        for i, line in enumerate(
            ["trunk = 'mlp'", "transforms = ['sign_flip']", "data_seed = 1", "ranges = {}"]
        )
    )
    suite = suite_of(tmp_path, f"folds = 2\n{tables}[methods.none]\n")
    suite_plan = [planned for planned in suite.plan if planned.task != "w3"]
    prepare(RunDirectory(tmp_path / "run"), suite_plan, tmp_path)
    assert builds == [0, 1]
    assert job.load_task(suite.plan[0].spec.task, tmp_path).trunk == "mlp"
    assert job.load_task(suite.plan[2].spec.task, tmp_path).transforms == ("sign_flip",)


def test_a_finished_suite_with_a_skipped_trial_prepares_that_trial_alone(
    tmp_path: Path, builds: list[int]
) -> None:
    """Augerino is for images: on waves it is skipped, and asked for again at every start."""
    digits = "[tasks.digits]\ntraining = { epochs = 1 }\ntransforms = ['rotate']\n"
    text = f"folds = 1\n{digits}{WAVES}[methods.none]\n[methods.augerino]\n"
    suite = suite_of(tmp_path, text)
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(suite, options, Console(quiet=True))
    job._build_task.cache_clear()
    other = augbench.datasets.TASKS["digits"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(augbench.datasets.TASKS, "digits", TaskRow(other.options, lambda *_: 1 / 0))
        builds.clear()
        assert run_suite(suite, options, Console(quiet=True))  # digits are done: not even loaded
    assert builds == [0]


def write_groups(folder: Path, n_rare: int) -> None:
    """Ten subjects of one class each."""
    groups = np.arange(10).repeat(6)
    x = np.random.default_rng(0).normal(size=(60, 2, 30))
    np.savez(folder / "mine.npz", x=x, y=(groups < n_rare).astype(int), groups=groups)


MINE = "[tasks.mine]\ntask = 'arrays'\npath = 'mine.npz'\n[methods.none]\n"


def test_parts_that_lack_a_class_are_told_once_for_the_folds_asked_for(tmp_path: Path) -> None:
    write_groups(tmp_path, 4)
    run = RunDirectory(tmp_path / "run")
    plan = suite_of(tmp_path, f"folds = 5\nseeds = [0, 1]\n{MINE}").plan
    with pytest.warns(UserNotice, match=r"\[tasks.mine\]: some parts .* class '1' in test") as told:
        prepare(run, plan, tmp_path)
    assert len(told) == 1
    lacking = int(str(told[0].message).split("(fold ")[1][0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(run, [each for each in plan if each.spec.fold != lacking], tmp_path)


def test_training_without_a_class_is_refused_for_the_folds_asked_for(tmp_path: Path) -> None:
    write_groups(tmp_path, 1)
    run = RunDirectory(tmp_path / "run")
    plan = suite_of(tmp_path, f"folds = 5\n{MINE}").plan
    with pytest.raises(UserError, match=r"training groups of fold \d lack a class") as caught:
        prepare(run, plan, tmp_path)
    lost = int(str(caught.value).split("fold ")[1][0])
    with pytest.warns(UserNotice):
        prepare(run, [each for each in plan if each.spec.fold != lost], tmp_path)


def test_no_method_is_refused_for_the_names_of_channels(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "mine.npz",
        x=random.normal(size=(40, 3, 64)),
        y=np.arange(40) % 2,
        channels=["EEG Fpz-Cz", "EOG horizontal", "A2-A1"],
        sampling_rate=64,
    )
    methods = "[methods.augnet]\n[methods.trivialaugment]\n[methods.adda]\n"
    plan = suite_of(tmp_path, f"folds = 1\n{MINE}{methods}").plan
    assert len(plan) == 4
    job._build_task.cache_clear()
    with pytest.warns(UserNotice, match="these have none: EOG horizontal, A2-A1") as told:
        assert prepare(RunDirectory(tmp_path / "run"), plan, tmp_path).skipped == {}
    assert len(told) == 1


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (
            "9",
            "the suite asks for 9 folds and task waves has 5: give folds = 5 or fewer, or "
            "n_folds = 9 to the task",
        ),
        (
            "[0, 7]",
            "the suite asks for fold 7 and task waves has 5: give folds below 5, or n_folds = 8 to "
            "the task",
        ),
    ],
)
def test_too_many_folds_are_one_sentence_with_what_to_do(
    tmp_path: Path, folds: str, message: str
) -> None:
    suite = suite_of(tmp_path, f"folds = {folds}\n{WAVES}[methods.none]\n")
    with pytest.raises(UserError) as caught:
        prepare(RunDirectory(tmp_path / "run"), suite.plan, tmp_path)
    assert str(caught.value) == message


def test_loading_the_tasks_is_said_before_it_begins(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, f"folds = 9\n{WAVES}[methods.none]\n")
    console = Console(record=True, quiet=False, file=StringIO())
    with pytest.raises(UserError, match="the suite asks for 9 folds"):
        run_suite(suite, RunOptions(tmp_path / "run", tmp_path, engine="inline"), console)
    assert console.export_text() == "loading the tasks ...\n"
