"""What has been lost or changed in a finished run is seen, named, and done again."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.store.files import DamagedError
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import is_damaged, read_trials
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from by_hand import begin, end, evaluation_of, finish, made_by_hand, model_row
from runs import timeless

SUITE = """
name = "damage"
folds = 1
[tasks.sinusoids]
n_train = 40
n_test = 20
training = { epochs = 3, patience = 3 }
[methods.none]
[methods.random_policy]
n_policies = 2
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    file = tmp_path_factory.mktemp("suite") / "damage.toml"
    file.write_text(SUITE)
    return load_suite(file)


@pytest.fixture(scope="module")
def whole(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: a trial that ends in a model, one in two policies, two retrainings."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert do(suite, out)[0]
    return out


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def do(suite: Suite, out: Path) -> tuple[bool, str]:
    """Run it; whether all is there, and what was printed."""
    text = io.StringIO()
    options = RunOptions(out, out, engine="inline")
    complete = run_suite(suite, options, Console(file=text, width=1000))
    return complete, text.getvalue()


def states(out: Path) -> list[str]:
    run, suite = open_run(out)
    return [trial["state"] for trial in read_trials(run, suite.plan)]


def first(out: Path, pattern: str) -> Path:
    return sorted(out.glob(pattern))[0]


def change(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def cut(file: Path, n_lines: int) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:n_lines]))


def more_probable(file: Path) -> None:
    record = json.loads(file.read_text())
    record["subpolicies"][0]["operations"][0][1] /= 2
    file.write_text(json.dumps(record))


def stronger(file: Path) -> None:
    """A policy whose magnitudes mean something else than when it was written."""
    record = json.loads(file.read_text())
    name = next(iter(record["transforms"]))
    record["transforms"][name]["strongest"] = 12345.0
    file.write_text(json.dumps(record))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


def replace(old: str, new: str) -> Callable[[Path], None]:
    def edit(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return edit


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


ROWS = "trials/*/attempts/*/points.jsonl"
DAMAGES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "rows cut off a trial": (ROWS, lambda file: cut(file, 1)),
    "no rows left": (ROWS, lambda file: file.write_text("")),
    "the file of rows deleted": (ROWS, Path.unlink),
    "the row of a retraining lost": (
        "evaluations/*/attempts/*/points.jsonl",
        lambda file: file.write_text(""),
    ),
    "a torn row": (ROWS, lambda file: file.write_bytes(file.read_bytes()[:-9])),
    "a metric changed": (
        "evaluations/*/attempts/*/points.jsonl",
        replace('"valid": 0.', '"valid": 0.1'),
    ),
    "a policy's probability changed": ("trials/*/policies/*.json", more_probable),
    "a policy's range changed": ("trials/*/policies/*.json", stronger),
    "a policy deleted": ("trials/*/policies/*.json", Path.unlink),
    "the seed of a trial changed": ("trials/*/spec.json", lambda file: change(file, seed=7)),
    "the seed of a retraining changed": (
        "evaluations/*/spec.json",
        lambda file: change(file, seed=7),
    ),
    "a spec deleted": ("trials/*/spec.json", Path.unlink),
    "hours changed": ("trials/*/result.json", replace('"seconds": 0.', '"seconds": 9.')),
    "a result of nothing": ("trials/*/result.json", lambda file: file.write_text("{}")),
    "a result that is a folder": ("evaluations/*/result.json", a_folder),
    "weights flipped": ("*/*/attempts/*/model.pt", flip),
    "weights deleted": ("*/*/attempts/*/model.pt", Path.unlink),
    "predictions flipped": ("*/*/attempts/*/predictions-*.npz", flip),
    "predictions deleted": ("*/*/attempts/*/predictions-*.npz", Path.unlink),
    "a log emptied": ("trials/*/attempts/*/log.jsonl", lambda file: file.write_text("")),
    "an attempt that is a file": (
        "trials/*/attempts/0001",
        lambda folder: (shutil.rmtree(folder), folder.write_text("")),
    ),
    "a unit that is a file": (
        "evaluations/*",
        lambda folder: (shutil.rmtree(folder), folder.write_text("")),
    ),
}
ONLY_RUN_SEES = ("weights flipped", "predictions flipped")  # status does not read all of them


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_seen_and_done_again_by_the_same_command(
    name: str, suite: Suite, whole: Path, out: Path
) -> None:
    pattern, damage = DAMAGES[name]
    file = first(out, pattern)
    damage(file)
    run, read = open_run(out)
    trials = read_trials(run, read.plan)
    assert is_damaged(trials) == (name not in ONLY_RUN_SEES)
    for trial in trials:
        if trial["state"] == "damaged":
            assert str(out) in trial["reason"]
            assert "is damaged (" in trial["reason"]
            assert trial["reason"].endswith(
                ": the same augbench run or search does this unit again"
            )
            assert trial["points_scored"] == 0
    intact = {trial["trial"] for trial in trials if trial["state"] == "done"}
    assert {point["trial"] for point in read_points(run, read.plan)} == intact

    complete, printed = do(suite, out)
    assert complete
    assert "is damaged (" in printed
    assert timeless(out) == timeless(whole)
    assert states(out) == ["done", "done"]
    assert "set aside" in (out / "events.jsonl").read_text()
    complete, printed = do(suite, out)
    assert complete
    assert "is damaged" not in printed


@pytest.mark.parametrize("n_left", [0, 1])
def test_an_unfinished_trial_that_has_lost_rows_begins_anew(
    n_left: int, suite: Suite, whole: Path, out: Path
) -> None:
    unit = UnitDirectory(first(out, "trials/*/attempts/*/model.pt").parents[2])
    unit.result_file.unlink()
    cut(unit.attempts()[0].points_file, n_left)
    assert do(suite, out)[0]
    assert timeless(out) == timeless(whole)


def test_an_unfinished_trial_whose_checkpoints_are_damaged_begins_anew(
    suite: Suite, whole: Path, out: Path
) -> None:
    unit = UnitDirectory(first(out, "trials/*/attempts/*/model.pt").parents[2])
    unit.result_file.unlink()
    for file in unit.path.glob("attempts/*/*.pt"):
        file.write_bytes(file.read_bytes()[:50])
    complete, printed = do(suite, out)
    assert complete
    assert "were wasted" in printed
    assert timeless(out) == timeless(whole)


@pytest.mark.parametrize("damage", [flip, Path.unlink, a_folder])
@pytest.mark.parametrize("name", ["model.pt", "predictions-*.npz"])
def test_a_best_model_that_is_damaged_is_not_carried_on(
    name: str, damage: Callable[[Path], Any], suite: Suite, whole: Path, out: Path
) -> None:
    """A trial that goes on takes over the best model so far: with another one it begins anew."""
    file = first(out, f"trials/*/attempts/*/{name}")
    unit = UnitDirectory(file.parents[2])
    unit.result_file.unlink()
    damage(file)
    assert do(suite, out)[0]
    assert timeless(out) == timeless(whole)


def test_damage_deletes_nothing_and_reuses_no_number(suite: Suite, out: Path) -> None:
    """A process of the damaged attempt may still live: it must not write where another one does."""
    unit = UnitDirectory(first(out, "trials/*/attempts/*/model.pt").parents[2])
    cut(unit.attempts()[0].points_file, 1)
    was = unit.attempts()[0].points_file.read_text()
    for number in (2, 3):
        assert do(suite, out)[0]
        assert [attempt.number for attempt in unit.attempts()] == [number]
        change(unit.spec_file, seed=7)
    assert (unit.path / "attempts" / "0001.damaged" / "points.jsonl").read_text() == was
    assert (unit.path / "result.json.damaged").exists()


def test_an_evaluation_without_points_is_diverged_only_if_its_result_says_so(
    tmp_path: Path,
) -> None:
    run = made_by_hand(tmp_path)
    plan = open_run(tmp_path)[1].plan
    finish(run, "second")
    finish(run, "first", "diverged: the loss is nan")
    assert [point["point"] for point in read_points(run, plan)] == [2]
    unit = evaluation_of(run, "first")
    unit.result_file.write_text(
        json.dumps(sealed(json.loads(unit.result_file.read_text()) | {"state": "done"}))
    )
    assert read_points(run, plan) == []
    (trial,) = read_trials(run, plan)
    assert trial["state"] == "damaged"
    assert "it is finished without a point" in trial["reason"]


def test_rows_of_an_older_attempt_beyond_the_result_are_no_damage(tmp_path: Path) -> None:
    """A budget of hours may end an attempt that began anew before the older one ended."""
    unit = UnitDirectory(tmp_path)
    begin(unit, model_row(1), model_row(2), model_row(3))
    begin(unit, model_row(1, valid=0.25), model_row(2))
    end(unit)
    end(unit, points=2, points_digest=unit.points_digest(2))
    assert [row["valid"] for row in unit.points()] == [0.25, 0.5]


def test_rows_with_a_gap_are_damaged(tmp_path: Path) -> None:
    unit = UnitDirectory(tmp_path)
    begin(unit, model_row(1), model_row(3))
    with pytest.raises(DamagedError, match=r"points.jsonl is damaged .it holds 2 points, not all"):
        unit.points()


def test_files_of_a_run_can_be_read_by_whom_the_umask_allows(whole: Path) -> None:
    """On a folder that several users share."""
    probe = whole.parent / "probe"
    probe.touch()
    expected = probe.stat().st_mode & 0o777
    files = [file for file in whole.rglob("*") if file.is_file()]
    assert len(files) > 10
    assert {file.stat().st_mode & 0o777 for file in files} == {expected}


def test_a_run_directory_that_is_whole_is_not_damaged(whole: Path) -> None:
    run = RunDirectory(whole)
    for folder in whole.glob("*/*/"):
        UnitDirectory(folder).check()
    assert states(run.path) == ["done", "done"]
