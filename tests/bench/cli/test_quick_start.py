"""What a command imports, since nobody likes to wait for help."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite

HEAVY = (
    *("torch", "ray", "matplotlib", "scipy", "pandas", "numpy", "optuna", "mne", "sklearn"),
    *("kornia", "braindecode"),
)
# Runs a command, then says which of the heavy libraries it has imported.
SCRIPT = f"""
import sys
from augbench.bench.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("imported:", [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def imported(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stderr.rpartition("imported: ")[2].strip()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    suite = folder / "suite.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.digits]\ntraining = { epochs = 1 }\n[methods.none]\n'
        "[methods.random_policy]\nn_policies = 1\n"
    )
    options = RunOptions(folder / "run", folder, engine="inline")
    assert run_suite(load_suite(suite), options, Console(quiet=True))
    return folder / "run"


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("plan", "quickstart"),
        ("plan", "ssvep", "--set", "tasks.ssvep.trunk=eegnet"),
        ("plan", "quickstart", "--set", "tasks.digits.transforms=['kornia.RandomRotation']"),
        ("methods",),
        ("methods", "augnet"),
        ("tasks",),
        ("tasks", "ssvep"),
        ("trunks",),
        ("suites",),
        ("suites", "quickstart"),
    ],
    ids=" ".join,
)
def test_a_command_that_computes_nothing_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert imported(*words) == "[]"


def test_the_status_of_a_run_imports_nothing_heavy(finished: Path) -> None:
    assert imported("status", finished) == "[]"


def test_the_plan_of_a_run_that_has_begun_imports_nothing_heavy(finished: Path) -> None:
    suite = finished.parent / "suite.toml"
    assert imported("plan", suite, "--out", finished) == "[]"


def test_a_bank_of_our_own_transforms_imports_no_other_library() -> None:
    script = (
        "import sys; from augbench.datasets.task import Signal\n"
        "from augbench.methods.transforms.bank import make_bank\n"
        "make_bank(['rotate'], Signal('image', (3, 8, 8)))\n"
        "print([name for name in ('kornia', 'braindecode') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
