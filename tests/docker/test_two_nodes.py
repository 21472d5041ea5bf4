"""The commands of compose.yaml without containers: a head and a worker, and a driver."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Ray has clusters of several nodes on Linux alone"
)

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
AUGBENCH = [sys.executable, "-m", "augbench.bench"]

SUITE = """
name = "tiny"
folds = 1
[tasks.digits]
training = { epochs = 2 }
[methods.random_policy]
n_policies = 1
"""


class Cluster(NamedTuple):
    address: str
    environment: dict[str, str]  # of a process that knows the token


@pytest.fixture(scope="module")
def cluster(compose: dict[str, Any]) -> Iterator[Cluster]:
    """A head and a worker as compose starts them, but for what containers keep apart."""
    folder = Path(tempfile.mkdtemp(prefix="augbench-nodes-", dir="/tmp"))  # sockets: a short path
    token = folder / "token"
    token.write_text(secrets.token_hex(32) + "\n")
    foreign = {"RAY_ADDRESS", "RAY_AUTH_TOKEN"}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in foreign},
        "HOME": str(folder),  # where Ray looks for a token last
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # or a busy machine starves the unit
    }
    address = f"127.0.0.1:{free_port()}"
    apart = [
        "--node-ip-address=127.0.0.1",
        f"--temp-dir={folder}",
        "--min-worker-port=0",
        "--max-worker-port=0",
    ]
    nodes: list[subprocess.Popen[bytes]] = []
    log = (folder / "log").open("w")
    try:
        for name in ("head", "worker"):
            command = [
                word.replace("head:6379", address).replace("6379", address.partition(":")[2])
                for word in compose["services"][name]["command"]
            ]
            assert command[0] == "ray"
            nodes.append(
                subprocess.Popen(
                    [*RAY, *command[1:], *apart],
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
            wait_until_up(nodes[-1], address, environment, folder / "log")
        yield Cluster(address, environment)
    finally:
        for node in reversed(nodes):
            end(node)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_suite_runs_on_the_worker(cluster: Cluster, tmp_path: Path) -> None:
    done = drive(cluster.address, cluster.environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 trials done" in done.stdout
    assert len(list(tmp_path.glob("run/*/*/result.json"))) == 2  # its one policy is retrained


def test_nobody_gets_in_with_another_token(cluster: Cluster, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(secrets.token_hex(32))
    environment = {**cluster.environment, "RAY_AUTH_TOKEN_PATH": str(wrong)}
    asked = health(cluster.address, environment)
    assert asked.returncode != 0
    assert "InvalidAuthToken" in asked.stderr


def test_a_driver_without_a_token_is_told_what_it_wants(cluster: Cluster, tmp_path: Path) -> None:
    """With `auto`, which is the address in the environment where there is one."""
    environment = {**cluster.environment, "RAY_ADDRESS": cluster.address}
    del environment["RAY_AUTH_TOKEN_PATH"]
    done = drive("auto", environment, tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("augbench: no Ray cluster answers at auto")
    assert "RAY_AUTH_TOKEN_PATH" in done.stderr


def drive(
    address: str, environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    (folder / "tiny.toml").write_text(SUITE)
    words = ["run", "tiny.toml", "--out", "run", "--address", address, "--workers", "1"]
    return subprocess.run(
        [*AUGBENCH, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def health(address: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the image's HEALTHCHECK asks."""
    command = [*RAY, "health-check", "--address", address]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


def wait_until_up(
    node: subprocess.Popen[bytes], address: str, environment: dict[str, str], log: Path
) -> None:
    """Wait for what `ray start` says when a node has joined."""
    n_before = log.read_text().count("Ray runtime started.")
    deadline = time.monotonic() + 90
    while log.read_text().count("Ray runtime started.") == n_before:
        assert node.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    asked = health(address, environment)
    assert asked.returncode == 0, asked.stderr


def end(node: subprocess.Popen[bytes]) -> None:
    """End a node as `docker stop` does, which has to end all that it started."""
    node.terminate()
    try:
        node.wait(timeout=30)
        deadline = time.monotonic() + 10
        while left := session(node.pid):
            assert time.monotonic() < deadline, left
            time.sleep(0.1)
    finally:
        for process in session(node.pid):
            os.kill(process, signal.SIGKILL)
        node.kill()
        node.wait()


def session(leader: int) -> list[int]:
    """The processes of a session, zombies not among them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(of_session) == leader and state != "Z":
            found.append(int(stat.parent.name))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
