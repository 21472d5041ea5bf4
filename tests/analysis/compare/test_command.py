"""`augbench compare` on real small runs, in this process."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from augbench.analysis.compare.cells import COMPARED_COLUMNS
from augbench.analysis.compare.command import compare
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.merge.merge import merge_runs
from augbench.bench.plan.suite import load_suite
from augbench.datasets.errors import UserError

app = typer.Typer()
app.command()(compare)
SUITE = """
name = "small"
folds = 2
[tasks.digits]
training = { epochs = 1 }
[methods.none]
[methods.random_policy]
n_policies = 1
"""
Make = Callable[..., Path]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Runs the suite with some overrides; what was run before is not run again."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "suite.toml").write_text(SUITE)
    known: dict[tuple[str, ...], Path] = {}

    def of(*overrides: str) -> Path:
        if overrides not in known:
            known[overrides] = folder / str(len(known))
            options = RunOptions(known[overrides], folder, engine="inline")
            suite = load_suite(folder / "suite.toml", overrides)
            assert run_suite(suite, options, Console(quiet=True))
        return known[overrides]

    return of


def test_a_run_and_itself_are_all_equal(make: Make) -> None:
    result = run(make(), make())
    assert result.exit_code == 0
    assert (
        "A and B have the same data, the same SEMANTICS (3), the same code, the same folds and "
        "seeds, the same options" in result.output
    )
    assert result.output.count("  equal") == 2
    assert result.output.strip().endswith("all is equal")


def test_a_run_is_equal_to_its_merge_with_itself(make: Make, tmp_path: Path) -> None:
    copy = shutil.copytree(make(), tmp_path / "copy")
    merge_runs([make(), copy], tmp_path / "merged")
    result = run(make(), tmp_path / "merged")
    assert (result.exit_code, "all is equal" in result.output) == (0, True)


def test_what_differs_is_said_and_what_is_worse_ends_in_1(make: Make, tmp_path: Path) -> None:
    bad = make("tasks.digits.training.learning_rate=1e-9", "folds=1")
    file = tmp_path / "table.csv"
    result = run(make("tasks.digits.training.epochs=4"), bad, "--csv", file)
    assert result.exit_code == 1
    for part in (
        "other folds or seeds, other options in 2 cells",
        "trials: fold 0, 1 and seed 0 in A, fold 0 and seed 0 in B",
        "none on digits, random_policy on digits: training.epochs is 4 in A and 1 in B",
        "training.learning_rate is the default in A and 1e-09 in B",
        "no interval (too few folds: 1 of 2 needed): none on digits, random_policy on digits",
        "B is worse by more than 0.01, or lacks results: none on digits (worse)",
    ):
        assert part in result.output
    table = pd.read_csv(file)
    assert list(table) == list(COMPARED_COLUMNS)
    assert set(table["verdict"]) == {"worse"}
    assert run(make("tasks.digits.training.epochs=4"), bad, "--worse-than", "1").exit_code == 0


def test_a_method_that_b_lacks_ends_in_1_and_one_more_in_0(make: Make) -> None:
    more = make("methods.trivialaugment={}")
    assert run(make(), more).exit_code == 0
    result = run(more, make())
    assert result.exit_code == 1
    assert "trivialaugment on digits (missing)" in result.output


def test_a_unit_that_is_damaged_in_b_ends_in_1(make: Make, tmp_path: Path) -> None:
    b = shutil.copytree(make(), tmp_path / "b")
    next(b.glob("evaluations/*/result.json")).write_text("{}")
    result = run(make(), b)
    assert result.exit_code == 1
    assert "random_policy on digits (not done: 1 of 2 trials in B: damaged" in result.output
    assert run(b, make()).exit_code == 0


def test_other_data_are_named_by_their_fingerprints(make: Make) -> None:
    again = ("tasks.digits.task=sinusoids", "tasks.digits.n_train=40", "tasks.digits.n_test=16")
    result = run(make(*again), make(*again, "tasks.digits.data_seed=1"))
    assert "A and B have other data of digits," in result.output
    assert "data of digits: fingerprint " in result.output
    assert "task.data_seed is 0 in A and 1 in B" in result.output


def test_what_cannot_be_compared_is_one_sentence(make: Make, tmp_path: Path) -> None:
    other = make("tasks={}", "tasks.again={task='digits', training={epochs=1}}")
    for words, sentence in (
        ((make(), tmp_path), "is no run directory"),
        ((tmp_path / "nothing", make()), "is no run directory"),
        ((make(), other), "no task and method in common: .* on digits, .* on again"),
        ((make(), make(), "--worse-than=-1"), "--worse-than is -1.0; it has to be 0 or more"),
        ((make(), make(), "--worse-than=nan"), "--worse-than is nan"),
    ):
        result = run(*words)
        assert isinstance(result.exception, UserError), result.output
        with pytest.raises(UserError, match=sentence):
            raise result.exception


def test_a_file_that_cannot_be_written_is_one_sentence(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "nothing" / "table.csv"
    result = run(make(), make(), "--csv", file)
    assert str(result.exception) == f"cannot write --csv {file}: No such file or directory"
    assert result.output == ""


def test_the_command_is_imported_without_heavy_libraries() -> None:
    script = (
        "import sys, augbench.analysis.compare.command; "
        "print([name for name in ('torch', 'pandas', 'numpy', 'scipy', 'rich') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_bench_finds_the_command() -> None:
    file = Path(__file__).parents[3] / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["augbench.commands"]["compare"] == (
        f"{compare.__module__}:{compare.__name__}"
    )
