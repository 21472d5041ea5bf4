"""Runs keep the plug-ins that they began with: real packages, real processes, both engines."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from augbench.analysis.html.history import read_history
from augbench.bench.store.open_run import open_run
from augbench.bench.store.origin import read_origin
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets.plugin_code import plugin_code
from installed import add_package
from processes import background, wait_until
from runs import timeless

ROOT = Path(__file__).parents[3]
SUITE = """
name = "theirs"
folds = 1
[tasks.sinusoids]
n_train = 40
transforms = ["default", "double"]
training = { epochs = 1, patience = 1 }
[methods.quiet]
[methods.augnet]
"""
QUIET = "from augbench.methods import METHODS\nROW = METHODS['none']\n"
DOUBLE = """
from augbench.methods.transforms.ungraded import ungraded

def twice(x):
    return 2 * x

def double(signal):
    return ungraded("double", twice, "nobody")
"""
# A unit says that it has begun, and waits before its step for the test to say: go on.
WAITING = """
import os, time
from pathlib import Path
from augbench.datasets.options.row import resolve
from augbench.methods import METHODS

FOLDER = Path({folder!r})

def build(setup, options):
    method = resolve(METHODS["none"].build)(setup, options)
    step = method.step

    def waiting():
        (FOLDER / f"began-{{os.getpid()}}").touch()
        go = FOLDER / f"go-{{len(list(FOLDER.glob('began-*')))}}"
        while not go.exists():
            time.sleep(0.05)
        return step()

    method.step = waiting
    return method

ROW = METHODS["none"]._replace(build=build)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that packages are installed in, for this process and for those that it starts."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    plugin_code.cache_clear()
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("theirs"):
            del sys.modules[name]


def add_good(site: Path, quiet: str = QUIET, version: str = "1.0") -> None:
    rows = {
        "augbench.methods": {"quiet": "theirs_good:ROW"},
        "augbench.transforms": {"double": "theirs_transform:double"},
    }
    add_package(site, "good", rows, version, theirs_good=quiet, theirs_transform=DOUBLE)


def add_bad(site: Path) -> None:
    """Packages that nobody named: they cannot be imported, or take our names and those of others.

    Their transforms could join the default of a task.
    """
    groups = [f"augbench.{each}" for each in ("methods", "tasks", "transforms", "commands")]
    raising = {each: {"raising": "theirs_bad:ROW", "run": "theirs_bad:ROW"} for each in groups}
    add_package(site, "bad", raising, theirs_bad="raise SystemExit('no')")
    takers = {
        "augbench.methods": {"none": "theirs_taker:X", "augnet": "theirs_taker:X"},
        "augbench.tasks": {"sinusoids": "theirs_taker:X"},
        "augbench.transforms": {"another": "theirs_taker:double", "time_reverse": "theirs_taker:X"},
    }
    add_package(site, "taker", takers, theirs_taker=DOUBLE.replace('"double"', '"another"'))


def command(*words: object) -> list[str]:
    return [sys.executable, "-u", "-m", "augbench.bench", *map(str, words)]  # not forked: `site`


def environment(site: Path) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT / ".types"), str(site)])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def run(site: Path, *words: object) -> str:
    """What the command prints, when it has ended well."""
    done = subprocess.run(
        command("run", *words), env=environment(site), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_package_that_is_installed_between_two_starts_changes_nothing(
    site: Path, tmp_path: Path
) -> None:
    suite = tmp_path / "suite.toml"
    suite.write_text(SUITE)
    add_good(site)
    words = ("--engine", "inline", "--set", "folds=2")
    run(site, suite, *words, "--out", tmp_path / "alone")
    run(site, suite, "--engine", "inline", "--out", tmp_path / "both")
    kept = RunDirectory(tmp_path / "both").plugins()
    assert [str(each) for each in kept] == [
        "method 'quiet' of package good 1.0",
        "transform 'double' of package good 1.0",
    ]
    assert all(len(each.code) == 12 for each in kept)
    add_bad(site)
    printed = run(site, suite, *words, "--out", tmp_path / "both")
    assert "4 of 4 trials done" in printed
    assert "has changed" not in printed
    assert RunDirectory(tmp_path / "both").plugins() == kept
    assert timeless(tmp_path / "both") == timeless(tmp_path / "alone")


def test_a_plan_names_only_what_the_suite_names(site: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.toml"
    suite.write_text(SUITE)
    add_good(site)
    add_bad(site)
    printed = run(site, suite, "--engine", "inline", "--out", tmp_path / "run")
    assert "2 of 2 trials done" in printed
    named = {each.name for each in RunDirectory(tmp_path / "run").plugins()}
    assert named == {"quiet", "double"}
    suite.write_text(SUITE.replace("quiet", "raising"))
    done = subprocess.run(
        command("run", suite, "--engine", "inline", "--out", tmp_path / "other"),
        env=environment(site),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "(package bad 1.0) cannot be imported (SystemExit: no)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "other").exists()


def test_workers_of_ray_load_what_the_run_began_with(site: Path, tmp_path: Path) -> None:
    suite, out, log = tmp_path / "suite.toml", tmp_path / "run", tmp_path / "log"
    suite.write_text(SUITE.replace("folds = 1", "folds = 3").replace("[methods.augnet]", ""))
    add_good(site, WAITING.format(folder=str(tmp_path)))
    words = command("run", suite, "--workers", 1, "--out", out)
    with background(words, log, environment(site)) as process:
        wait_until(lambda: len(list(tmp_path.glob("began-*"))) == 1, seconds=400)
        add_bad(site)
        (tmp_path / "go-1").touch()
        wait_until(lambda: len(list(tmp_path.glob("began-*"))) == 2, seconds=400)
        add_good(site, version="1.1")  # under the run's feet
        (tmp_path / "go-2").touch()
        assert process.wait() == 1
    printed = log.read_text()
    assert "2 of 3 trials done" in printed
    assert "has changed since `augbench run` or `search` was started" in printed
    assert "(then package good 1.0, now package good 1.1)" in printed
    assert printed.count("SystemExit") == 0

    printed = run(site, suite, "--workers", 1, "--out", out)
    assert (
        "method 'quiet' has changed since the run began (it was package good 1.0, it is" in printed
    )
    assert "3 of 3 trials done" in printed
    opened, read = open_run(out)
    codes = read_origin(opened, read.plan).code
    assert len(codes) == 2
    assert "method 'quiet' of package good 1.0" in codes[0]
    assert "method 'quiet' of package good 1.1" in codes[1]
    versions = [dict(machine.versions)["good"] for machine in read_history(out).machines]
    assert sorted(each.partition(" ")[0] for each in versions) == ["1.0", "1.1"]
    results = [json.loads(file.read_text()) for file in out.glob("trials/*/result.json")]
    assert [each["state"] for each in results] == ["done"] * 3
