"""Nodes with networks of their own, of which one is cut off in mid-run and comes back a ghost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from nodes import Nodes
from processes import background, under_way, wait_until
from runs import timeless

Run = Callable[..., subprocess.CompletedProcess[str]]

N_TRIALS = 8
SUITE = f"""
name = "partition"
folds = 4
seeds = {list(range(N_TRIALS // 4))}
[tasks.sinusoids]
n_train = 100
n_test = 20
training = {{ epochs = 6, patience = 6 }}
[methods.augnet]
layers = [["frequency_shift"]]
[resources]
workers = 2
lost_minutes = 0.2
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None,
    reason="network namespaces want Linux, root, and the command ip",
)


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: ip {' '.join(words)}: {done.stderr.strip()}")


class Network:
    """A bridge of this machine with namespaces on it, each with an address and a plug to pull."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        # Of this process alone: another run of these tests may be under way.
        number = os.getpid() % 60000
        self._name, self._net = f"ag{number}", f"10.{77 + number // 256 % 128}.{number % 256}"
        self._make("link", "add", self._name, "type", "bridge", undo=("link", "del", self._name))
        ip("address", "add", f"{self._net}.1/24", "dev", self._name)
        ip("link", "set", self._name, "up")
        self.host = f"{self._net}.1"

    def _make(self, *words: str, undo: tuple[str, ...]) -> None:
        ip(*words)
        self._stack.callback(subprocess.run, ["ip", *undo], check=False, capture_output=True)

    def namespace(self, number: int) -> tuple[str, list[str]]:
        """The address of a new namespace and the words that start a command in it."""
        space, plug, address = f"{self._name}n{number}", self.plug(number), f"{self._net}.{number}"
        self._make("netns", "add", space, undo=("netns", "del", space))
        inner = f"{self._name}i{number}"
        self._make(
            "link", "add", plug, "type", "veth", "peer", "name", inner, undo=("link", "del", plug)
        )
        ip("link", "set", inner, "netns", space)
        ip("link", "set", plug, "master", self._name, "up")
        for words in (
            ("address", "add", f"{address}/24", "dev", inner),
            ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", space, *words)
        return address, ["ip", "netns", "exec", space]

    def plug(self, number: int) -> str:
        """The end of a namespace's cable that is on this side."""
        return f"{self._name}p{number}"

    def plug_of(self, process: int) -> str:
        """That of the namespace in which a process lives."""
        words = ["ip", "netns", "identify", str(process)]
        space = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        return self.plug(int(space.removeprefix(f"{self._name}n")))


@pytest.fixture
def network() -> Iterator[Network]:
    with ExitStack() as stack:
        yield Network(stack)


def test_a_node_that_is_cut_off_and_comes_back_does_no_harm(
    network: Network,
    augbench: Run,
    command_line: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    """Its disk is there all the time: until Ray's own processes miss their head, it works on.

    Ray's head does not miss it for minutes, however short its health checks are made.
    """
    file = tmp_path / "partition.toml"
    file.write_text(SUITE)
    out = tmp_path / "run"
    nodes = Nodes(network.host, AUGBENCH_FAULT="slow@step:2")
    try:
        for number in (2, 3):
            nodes.worker(*network.namespace(number))
        words = command_line("run", file, "--out", out, "--address", nodes.address)
        with background(words, tmp_path / "log", nodes.environment) as driver:
            wait_until(lambda: bool(under_way(out)) or driver.poll() is not None)
            plug = network.plug_of(under_way(out)[0])
            ip("link", "set", plug, "down")
            wait_until(lambda: "no sign of life" in (out / "events.jsonl").read_text())
            ip("link", "set", plug, "up")
            assert driver.wait(timeout=300) == 0, (tmp_path / "log").read_text()
    finally:
        nodes.close()
    done = augbench("run", file, "--engine", "inline", "--out", tmp_path / "inline")
    assert done.returncode == 0, done.stderr
    assert timeless(out) == timeless(tmp_path / "inline")
    run, read = open_run(out)
    assert [trial["state"] for trial in read_trials(run, read.plan)] == ["done"] * N_TRIALS
