"""Random damage to run directories: no traceback, no hang, and no loss that ends well."""

import io
import json
import random
import shutil
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from augbench.analysis.tables.frame import load
from augbench.bench.cli.trial_tables import plan_text, status_text
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.states import read_trials
from augbench.datasets.errors import UserError
from runs import timeless

SEED = 20261126
N_DAMAGES = 200
RUN_EVERY = 3  # `run` takes longest

SUITE = """
name = "fuzz"
folds = 1
[tasks.sinusoids]
n_train = 40
n_test = 20
training = { epochs = 2, patience = 2 }
[methods.augnet]
layers = [["frequency_shift", "gaussian_noise"]]
[methods.random_policy]
n_policies = 2
"""
DEEP = "[" * 100_000
DIGITS = "9" * 5000
VALUES: list[Any] = [None, True, -1, 10**30, -0.5, nan, inf, "", "../..", "x" * 300, [], [[[]]], {}]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    file = tmp_path_factory.mktemp("suite") / "fuzz.toml"
    file.write_text(SUITE)
    return load_suite(file)


def run(suite: Suite, out: Path) -> bool:
    """What `augbench run` does, and whether its exit code is 0."""
    options = RunOptions(out, out, engine="inline")
    try:
        return run_suite(suite, options, Console(file=io.StringIO()))
    except (UserError, OSError):  # a sentence, and exit code 2
        return False


def status(out: Path) -> list[str]:
    """The states that `status`, `plan` and `report` show; nothing if they end in a sentence."""
    try:
        directory, suite = open_run(out)
        trials = read_trials(directory, suite.plan)
        assert status_text(trials)
        assert plan_text("fuzz", trials)
        load(out)
    except (UserError, OSError):
        return []
    return [trial["state"] for trial in trials]


def points(out: Path) -> list[dict[str, Any]]:
    directory, suite = open_run(out)
    return read_points(directory, suite.plan)


@pytest.fixture(scope="module")
def finished(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "run"
    assert run(suite, out)
    return out


@pytest.fixture(scope="module")
def unfinished(suite: Suite, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial whose result is still to be written, and a retraining that has not begun."""
    out = tmp_path_factory.mktemp("unfinished") / "run"
    shutil.copytree(finished, out)
    trial = next(out.glob("trials/*/attempts/*/model.pt")).parents[2]
    (trial / "result.json").unlink()
    shutil.rmtree(next(out.glob("evaluations/*")))
    return out


def damage(out: Path, rng: random.Random) -> str:
    """Do something to one file or folder; says what."""
    paths = sorted(path for path in out.rglob("*") if path.name != "lock")
    path = rng.choice([path for path in paths if path.is_file() or rng.random() < 0.2])
    if path.is_dir():
        shutil.rmtree(path)
        if rng.random() < 0.5:
            path.write_text("in the way")
        return f"{path}: a folder"
    kind = rng.choice(
        [*WHOLE_FILES, *([*VALUES_IN] * 3 if path.suffix not in (".pt", ".npz") else [])]
    )
    kind(path, rng)
    return f"{path}: {kind.__name__}"


def shortened(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) or 1)])


def emptied(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


def deleted(path: Path, rng: random.Random) -> None:
    path.unlink()


def bit_flipped(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes() or b"0")
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def made_a_folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def filled_with_noise(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(300) + b"\n")


def encoded_otherwise(path: Path, rng: random.Random) -> None:
    text = path.read_bytes().decode("latin-1")
    path.write_bytes(text.encode(rng.choice(["utf-16", "utf-8-sig", "utf-32"])))


def other_json(path: Path, rng: random.Random) -> None:
    path.write_text(rng.choice(["null", "[]", "{}", "3", '"x"', DEEP, f'{{"a": {DIGITS}}}']) + "\n")


def line_lost(path: Path, rng: random.Random) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines.pop(rng.randrange(len(lines))) if lines else None
    path.write_text("".join(lines))


def line_repeated(path: Path, rng: random.Random) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, rng.choice(lines)]) if lines else "")


def _change(path: Path, rng: random.Random, change: Callable[[Any, Any], None]) -> None:
    """Change one value, however deep, of a file of JSON or of one of its lines."""
    texts = [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
    number = rng.randrange(len(texts))
    record = json.loads(texts[number])
    holder, key = record, rng.choice(sorted(record))
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.8:
        holder = holder[key]
        key = rng.choice(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
    change(holder, key)
    texts[number] = json.dumps(record).replace(f'"{DEEP}"', DEEP).replace(f'"{DIGITS}"', DIGITS)
    path.write_text("\n".join(texts) + "\n")


def key_lost(path: Path, rng: random.Random) -> None:
    _change(path, rng, lambda holder, key: holder.pop(key))


def value_replaced(path: Path, rng: random.Random) -> None:
    value = rng.choice([*VALUES, DEEP, DIGITS])
    _change(path, rng, lambda holder, key: holder.__setitem__(key, value))


def number_moved(path: Path, rng: random.Random) -> None:
    def move(holder: Any, key: Any) -> None:
        if isinstance(holder[key], int | float):
            holder[key] = holder[key] * rng.choice([0.5, 2, 1.001]) + rng.choice([0, 1])

    _change(path, rng, move)


WHOLE_FILES = [
    shortened,
    emptied,
    deleted,
    bit_flipped,
    made_a_folder,
    filled_with_noise,
    encoded_otherwise,
    other_json,
]
VALUES_IN = [line_lost, line_repeated, key_lost, value_replaced, number_moved]


@pytest.mark.parametrize("base", ["finished", "unfinished"])
def test_no_damage_ends_in_a_traceback_or_passes_for_a_whole_run(
    base: str, suite: Suite, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source: Path = request.getfixturevalue(base)
    whole = timeless(request.getfixturevalue("finished"))
    undamaged = points(source)
    rng = random.Random(f"{SEED} {base}")
    n_seen = 0
    for number in range(N_DAMAGES // 2):
        out = tmp_path / str(number)
        shutil.copytree(source, out)
        told = f"damage {number}: {damage(out, rng)}"
        try:
            states = status(out)
            n_seen += "damaged" in states
            if states == ["done", "done"]:
                assert points(out) == undamaged, told
            if number % RUN_EVERY == 0 and run(suite, out):
                assert timeless(out) == whole, told
                assert status(out) == ["done", "done"], told
        except Exception as error:
            raise AssertionError(told) from error
        shutil.rmtree(out)
    assert n_seen > N_DAMAGES / 8  # else it has hit nothing
