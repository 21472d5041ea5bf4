"""A real Ray cluster on this machine: a head and two nodes, of which one dies and another joins."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from augbench.bench.engines import ray_session
from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from forked import COMMAND, SCRIPT
from nodes import Nodes
from processes import background, comes_from, under_way, wait_until
from runs import timeless

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Ray has clusters of several nodes on Linux alone"
)

ROOT = Path(__file__).parents[3]
N_TRIALS = 16
SUITE = f"""
name = "cluster"
folds = 4
seeds = {list(range(N_TRIALS // 8))}
[tasks.sinusoids]
n_train = 100
n_test = 20
training = {{ epochs = 6, patience = 6 }}
[methods.none]
[methods.augnet]
layers = [["frequency_shift"]]
[resources]
workers = 3
"""
# Runs the command with another limit for a silent head.
SHORT_WAIT = """
from augbench.bench.engines import ray_session
ray_session.HEAD_SECONDS = 8.0
from augbench.bench.cli.command import main
main()
"""


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    found = Nodes(AUGBENCH_FAULT="slow@step:2")  # units that wait are as long, at less work
    yield found
    found.close()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "cluster.toml"
    file.write_text(SUITE)
    return file


def n_done(out: Path) -> int:
    return len(list(out.glob("trials/*/result.json")))


def test_a_node_dies_another_joins_and_nothing_is_lost_or_done_twice(
    nodes: Nodes,
    suite: Path,
    augbench: Run,
    command_line: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    doomed = nodes.worker()
    nodes.worker()
    out = tmp_path / "run"
    words = command_line("run", suite, "--out", out, "--address", nodes.address)
    with background(words, tmp_path / "log", nodes.environment) as driver:
        wait_until(lambda: n_done(out) >= 4 or driver.poll() is not None)
        wait_until(lambda: any(comes_from(unit, doomed.pid) for unit in under_way(out)))
        nodes.kill(doomed)
        wait_until(lambda: n_done(out) >= 8 or driver.poll() is not None)
        nodes.worker()
        assert driver.wait(timeout=300) == 0, (tmp_path / "log").read_text()
    done = augbench("run", suite, "--engine", "inline", "--out", tmp_path / "inline")
    assert done.returncode == 0, done.stderr
    assert timeless(out) == timeless(tmp_path / "inline")
    run, read = open_run(out)
    trials = read_trials(run, read.plan)
    assert [trial["state"] for trial in trials] == ["done"] * N_TRIALS
    attempts = [len(list(folder.glob("attempts/*"))) for folder in out.glob("trials/*")]
    # The unit on the node that was killed may have come to its end a moment before.
    assert sorted(attempts) in ([1] * N_TRIALS, [1] * (N_TRIALS - 1) + [2])
    # At most the steps since the last checkpoint, one every 10 s and at each point.
    assert sum(trial["wasted_seconds"] for trial in trials) < 15


def test_a_node_with_other_code_is_refused_before_anything_is_queued(
    nodes: Nodes, suite: Path, command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for package in ("bench", "datasets", "methods", "analysis"):
        shutil.copytree(ROOT / package, other / "augbench" / package)
    (other / "augbench" / "methods" / "none.py").open("a").write("\n# another version\n")
    nodes.environment = {**nodes.environment, "PYTHONPATH": str(other)}
    nodes.worker()
    nodes.environment.pop("PYTHONPATH")
    words = command_line("run", suite, "--out", tmp_path / "run", "--address", nodes.address)
    words += ["--set", "folds=1", "--set", "seeds=[0]"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        # Not from the repository: Ray's workers see the folder that their driver was started in.
        return subprocess.run(
            [*words, *more],
            cwd=tmp_path,
            env=nodes.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    done = run()
    assert done.returncode == 2, done.stdout + done.stderr
    assert "runs other code of augbench than the driver" in done.stderr
    assert not list((tmp_path / "run").glob("trials/*"))
    shipped = run("--ship-code")
    assert shipped.returncode == 0, shipped.stdout + shipped.stderr


def test_what_no_node_can_meet_is_an_error_and_no_hang(
    nodes: Nodes, suite: Path, command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Two processors in all are not two on a node."""
    nodes.worker()
    nodes.worker()
    words = command_line(
        "run", suite, "--out", tmp_path / "run", "--address", nodes.address, "--set",
        "resources.cpus=2",
    )  # fmt: skip
    done = subprocess.run(
        words, env=nodes.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "each unit asks for 2 CPU" in done.stderr


def test_a_head_that_dies_under_a_run_is_a_sentence_and_another_cluster_carries_on(
    nodes: Nodes, suite: Path, command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Ray by itself ends the driver after a minute, without a word of ours."""
    assert ray_session.HEAD_SECONDS < 60
    nodes.worker()
    out = tmp_path / "run"

    def words(address: str) -> list[str]:
        few = ["--set", "folds=2", "--set", "seeds=[0]", "--workers", "1"]
        return command_line("run", suite, "--out", out, "--address", address, *few)

    # A thread of Ray's asks the dead head again and again, at the cost of a core: not for long.
    short = [*SCRIPT, SHORT_WAIT, *words(nodes.address)[len(COMMAND) :]]
    with background(short, tmp_path / "log", nodes.environment) as driver:
        wait_until(lambda: n_done(out) >= 1 or driver.poll() is not None)
        nodes.kill(nodes.running[0])
        assert driver.wait(timeout=200) == 2, (tmp_path / "log").read_text()
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert f"the Ray cluster at {nodes.address}" in last
    assert last.endswith("the same command resumes the run")
    kept = {file: file.stat().st_mtime_ns for file in out.glob("trials/*/result.json")}
    nodes.close()
    another = Nodes()  # not slow
    try:
        another.worker()
        with background(words(another.address), tmp_path / "log", another.environment) as driver:
            assert driver.wait(timeout=240) == 0, (tmp_path / "log").read_text()
    finally:
        another.close()
    assert n_done(out) == 4
    assert all(file.stat().st_mtime_ns == moment for file, moment in kept.items())
