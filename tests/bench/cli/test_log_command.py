"""`augbench log`, as its user meets it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from augbench.bench.search.search import FILE
from augbench.bench.store.driver_lock import has_driver
from augbench.bench.store.files import hold_lock
from by_hand import finish, made_by_hand
from processes import background, wait_until
from sink_readers import READERS

Ask = Callable[..., tuple[int, str, str]]


def test_it_says_what_it_wrote_and_how_to_look_at_it(ask: Ask, tmp_path: Path) -> None:
    run = made_by_hand(tmp_path)
    finish(run, "first")
    finish(run, "second")
    code, printed, _ = ask("log", tmp_path, "--to", "tensorboard")
    assert code == 0
    assert printed == (
        "tensorboard: 1 trial written, 3 points; to see them: tensorboard --logdir "
        f"{tmp_path}/logs/tensorboard\n"
    )
    _, printed, _ = ask("log", tmp_path, "--to", "tensorboard")
    assert printed.startswith("tensorboard: 0 trials written, 0 points (1 up to date before); ")


def test_it_follows_for_as_long_as_a_driver_holds_the_run(
    command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    run = made_by_hand(tmp_path)
    words = ("log", tmp_path, "--to", "tensorboard", "--follow", "--seconds", "0.2")

    def n_points() -> int:
        shown = READERS["tensorboard"](tmp_path)
        return sum(len(trial.points.get("valid", [])) for trial in shown.values())

    with hold_lock(tmp_path / "lock", "busy"):
        assert has_driver(tmp_path)
        with background(command_line(*words), tmp_path / "printed") as process:
            finish(run, "first")
            wait_until(lambda: n_points() == 1)
            finish(run, "second")
            wait_until(lambda: n_points() == 3)
            assert process.poll() is None
            (tmp_path / "lock").unlink()  # the driver has gone, with its lock
            assert process.wait(120) == 0
    assert "1 trial written, 3 points" in (tmp_path / "printed").read_text()


WRONG = {
    "no such sink": ("--to tensorbord", ("unknown sink 'tensorbord'", "'tensorboard'?")),
    "online elsewhere": ("--to mlflow --online", ("--online is for --to wandb",)),
    "a project of files": ("--to tensorboard --project x", ("--project is for --to mlflow",)),
    "an address of files": (
        "--to tensorboard --location http://x",
        ("--location http://x: for tensorboard it is a folder",),
    ),
    "a file as a folder": ("--to tensorboard --location {run}/run.json", ("run.json",)),
    "a store that is none": ("--to mlflow --location nope://x", ("mlflow failed", "nope")),
}


@pytest.mark.parametrize(("words", "parts"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_ends_in_one_sentence(
    ask: Ask, tmp_path: Path, words: str, parts: tuple[str, ...]
) -> None:
    made_by_hand(tmp_path)
    code, _, complaint = ask("log", tmp_path, *words.format(run=tmp_path).split())
    assert code == 2
    assert complaint.count("\n") == 1, complaint
    for part in parts:
        assert part in complaint


def test_what_is_no_run_is_one_sentence(ask: Ask, tmp_path: Path) -> None:
    code, _, complaint = ask("log", tmp_path / "no", "--to", "tensorboard")
    assert code == 2
    assert "is no run directory: there is no such folder" in complaint
    assert not (tmp_path / "no").exists()
    code, _, complaint = ask("log", tmp_path, "--to", "tensorboard")
    assert "is no run directory: it holds no run.json\n" in complaint
    (tmp_path / "lock").touch()  # as the driver does first
    code, _, complaint = ask("status", tmp_path)
    assert code == 2
    assert "it holds no run.json yet; a run that has just begun needs a moment" in complaint
    (tmp_path / "lock").unlink()
    assert not list(tmp_path.iterdir())
    (tmp_path / FILE).touch()
    code, _, complaint = ask("log", tmp_path, "--to", "tensorboard")
    assert "is a search" in complaint


@pytest.mark.parametrize("words", [("log", "{run}", "--to"), ("run", "quickstart", "--log")])
def test_a_package_that_is_missing_is_one_sentence_before_anything_runs(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    made_by_hand(tmp_path)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "wandb.py").write_text("raise ModuleNotFoundError('No such module')")
    path = f"{tmp_path}/hidden:{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "augbench.bench", *(w.format(run=tmp_path) for w in words), "wandb"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install wandb, or all sinks by pip install -e '.[sinks]'" in done.stderr
    assert done.stderr.count("\n") == 1
