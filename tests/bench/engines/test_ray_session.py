"""The Ray that a run starts: closed to strangers, and gone in one sentence when it fails.

Real processes all of them: a Ray, a stranger who attacks it, and what kills it.
"""

import os
import re
import secrets
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from forked import Forked
from processes import background, comes_from, parents, under_way, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SUITE = """
name = "session"
folds = 2
[tasks.sinusoids]
n_train = 500
training = {{ epochs = {epochs}, patience = {epochs} }}
[methods.none]
[resources]
workers = 1
lost_minutes = {lost_minutes}
"""
ATTACK = """
import sys
import ray
ray.init(address=sys.argv[1], log_to_driver=False)
print("broke in as", ray.get(ray.remote(num_cpus=0)(lambda: __import__("os").getuid()).remote()))
"""
# Runs the command with another limit for the start of Ray.
SHORT_START = """
import sys
from augbench.bench.engines import ray_session
ray_session.START_SECONDS = float(sys.argv.pop(1))
from augbench.bench.cli.command import main
main()
"""
# In a folder on PYTHONPATH: what happens to a worker of Ray while it starts.
BAD_WORKER = """
import os, sys, time
if any("default_worker.py" in word for word in sys.orig_argv):
    {fate}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Path]:
    def write(epochs: int = 20, lost_minutes: float = 2.0) -> Path:
        file = tmp_path / "session.toml"
        file.write_text(SUITE.format(epochs=epochs, lost_minutes=lost_minutes))
        return file

    return write


class Driver:
    """A driver in the background, and the Ray that it starts."""

    def __init__(self, process: "Forked | subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self.log = process, log

    def part(self, program: str) -> list[int]:
        """The processes of a program that the driver has started."""
        found = []
        for process in parents():
            with suppress(OSError):
                name = Path(f"/proc/{process}/comm").read_text().strip()
                if name == program and comes_from(process, self.process.pid):
                    found.append(process)
        return found

    def wait_for(self, program: str) -> int:
        wait_until(lambda: bool(self.part(program)) or self.process.poll() is not None)
        return self.part(program)[0]

    def folder(self) -> Path:
        """The temporary folder of its Ray: other drivers on this machine have others."""
        command = command_of(self.wait_for("raylet"))
        folders = [each for each in Path("/tmp").glob("augbench-ray-*") if f"{each}/" in command]
        (found,) = folders
        return found

    def address(self) -> str:
        """Of the head, by an address that other machines reach."""
        words = Path(f"/proc/{self.wait_for('gcs_server')}/cmdline").read_text().split("\0")
        (session,) = [w.removeprefix("--session-dir=") for w in words if "--session-dir=" in w]
        files: list[Path] = []

        def look() -> bool:
            files[:] = Path(session).glob("gcs_server_port_*")
            return bool(files) and bool(files[0].read_text())

        wait_until(look)
        return f"{outer_address()}:{files[0].read_text().strip()}"


def outer_address() -> str:
    """An address of this machine that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with suppress(OSError):
            probe.connect(("192.0.2.1", 9))  # sends nothing
        found: str = probe.getsockname()[0]
    if found.startswith(("0.", "127.")):
        pytest.skip("this machine has no address but its loopback's")
    return found


@contextmanager
def driving(words: list[str], folder: Path, **environment: str) -> Iterator[Driver]:
    log = folder / "log"
    with background(words, log, {**os.environ, **environment}) as process:
        yield Driver(process, log)


def attack(address: str, **environment: str) -> "subprocess.Popen[str]":
    """What a stranger does, in another process, with another address and his own environment."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(
        [sys.executable, "-c", ATTACK, address],
        env={**own, "HOME": "/nonexistent", "RAY_USAGE_STATS_ENABLED": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def last_line(driver: Driver) -> str:
    """The last line of ours: what Ray prints to stdout is flushed later than our stderr."""
    ours = [line for line in driver.log.read_text().splitlines() if line.startswith("augbench: ")]
    return ours[-1]


def test_a_stranger_is_refused_and_the_token_is_nowhere_to_be_read(
    suite: Callable[..., Path], command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = command_line("run", suite(epochs=10**6), "--out", out)
    # Tokens of the user's, of other clusters: this Ray is to take neither.
    others = {"RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_AUTH_MODE": "disabled"}
    with driving(words, tmp_path, **others) as driver:
        address = driver.address()
        wait_until(lambda: bool(under_way(out)) or driver.process.poll() is not None)
        wrong = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        keys = ({"RAY_AUTH_MODE": "disabled"}, {}, wrong)
        for stranger in [attack(address, **key) for key in keys]:
            said = stranger.communicate(timeout=240)[0]
            assert stranger.returncode != 0, said
            assert "broke in" not in said
        raylet = driver.wait_for("raylet")
        of_ray = [p for p in parents() if comes_from(p, driver.process.pid)]
        assert not [
            p for p in of_ray if re.search(r"/((log_)?monitor|dashboard)\.py", command_of(p))
        ]
        token = environment_of(raylet)["RAY_AUTH_TOKEN"]
        assert len(token) == 64
        assert token != others["RAY_AUTH_TOKEN"]
        owner = attack(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        said = owner.communicate(timeout=240)[0]
        assert "broke in" in said, said  # so it was the token that kept them out
        folder = driver.folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (unit,) = under_way(out)
        assert "RAY_AUTH_TOKEN" not in environment_of(unit)
        niceness = {os.getpriority(os.PRIO_PROCESS, p) for p in (unit, driver.process.pid)}
        assert len(niceness) == 1  # Ray by itself makes its workers nicer than the driver
        for place in (folder, out, driver.log):
            assert not holds(place, token), place
        assert not [p for p in parents() if token in command_of(p)]
    wait_until(lambda: not folder.exists())  # although the driver was killed


def environment_of(process: int) -> dict[str, str]:
    content = Path(f"/proc/{process}/environ").read_text(errors="replace")
    return dict(entry.split("=", 1) for entry in content.split("\0") if "=" in entry)


def command_of(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace")
    return ""


def holds(place: Path, word: str) -> bool:
    files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
    return any(word.encode() in file.read_bytes() for file in files)


def test_environment_and_signals_are_as_they_were_once_the_engine_is_closed(
    tmp_path: Path,
) -> None:
    """As in a notebook, where Ray is imported already and another one may be started afterwards."""
    script = tmp_path / "notebook.py"
    script.write_text("""
import os, signal, ray
from augbench.bench.engines.ray_session import RaySession
from augbench.bench.plan.tables import Resources
from augbench.datasets.errors import UserError
os.environ["RAY_AUTH_TOKEN"] = "the user's own, of another cluster"
before, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
for _ in range(2):
    session = RaySession(Resources(workers=1), None, ship_code=False)
    assert session.ray.get(session.ray.remote(lambda: 5).remote()) == 5
    try:
        RaySession(Resources(workers=1), None, ship_code=False)
    except UserError as error:
        assert "connected to a Ray already" in str(error)
    assert session.ray.is_initialized()
    session.close()
    session.close()
    assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
    assert signal.getsignal(signal.SIGTERM) is handler
os.environ["RAY_AUTH_MODE"] = "disabled"
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
assert ray.get(ray.remote(lambda: 6).remote()) == 6
""")
    environment = {key: each for key, each in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, script],
        env={**environment, "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("program", ["gcs_server", "raylet"])
def test_a_ray_that_dies_under_a_run_is_one_sentence_and_the_same_command_carries_on(
    program: str,
    suite: Callable[..., Path],
    command_line: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    words = command_line("run", suite(epochs=30), "--out", out)
    with driving(words, tmp_path) as driver:
        finished = lambda: len(list(out.glob("trials/*/result.json")))  # noqa: E731
        wait_until(lambda: finished() == 1 or driver.process.poll() is not None)
        wait_until(lambda: bool(under_way(out)) or driver.process.poll() is not None)
        os.kill(driver.wait_for(program), signal.SIGKILL)
        assert driver.process.wait(timeout=120) == 2
        assert re.fullmatch(
            rf"augbench: the Ray that was started here has died \({program}.*resumes the run",
            last_line(driver),
        )
    (kept,) = out.glob("trials/*/result.json")
    before = kept.stat().st_mtime_ns
    with driving(words, tmp_path) as driver:
        assert driver.process.wait(timeout=240) == 0, driver.log.read_text()
    assert kept.stat().st_mtime_ns == before
    run, read = open_run(out)
    assert [trial["state"] for trial in read_trials(run, read.plan)] == ["done", "done"]


def test_a_driver_that_ray_ends_itself_leaves_a_sentence_and_no_folder(
    suite: Callable[..., Path], command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Ray's library ends the process where it is helpless: for the driver as a kill."""
    out = tmp_path / "run"
    with driving(command_line("run", suite(epochs=10**6), "--out", out), tmp_path) as driver:
        wait_until(lambda: bool(under_way(out)) or driver.process.poll() is not None)
        folder = driver.folder()
        driver.process.kill()
        driver.process.wait()
        wait_until(lambda: "the same command resumes the run" in driver.log.read_text())
        wait_until(lambda: not folder.exists())
    assert "Traceback" not in driver.log.read_text()


@pytest.mark.parametrize("fate", ["os._exit(1)", "time.sleep(1000)"])
def test_workers_that_never_come_up_end_the_run_in_a_sentence(
    fate: str, suite: Callable[..., Path], command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Ray's start itself would wait for them for ever (ray-project/ray#40131), deaf to signals."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BAD_WORKER.format(fate=fate))
    path = os.pathsep.join([str(tmp_path / "site"), *sys.path])
    words = command_line(
        "run", suite(lost_minutes=0.1), "--out", tmp_path / "run", "--set", "folds=1"
    )
    with driving(words, tmp_path, PYTHONPATH=path) as driver:
        assert driver.process.wait(timeout=240) == 1
        said = driver.log.read_text()
    assert "it did not begin within 0.1 minutes (resources.lost_minutes)" in said
    assert "run the same command again" in said


def test_a_start_that_blocks_in_ray_is_ended_by_the_guard(
    suite: Callable[..., Path], command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    words = command_line("run", suite(), "--out", tmp_path / "run")
    words[1:3] = ["-c", SHORT_START, "15"]
    with driving(words, tmp_path) as driver:
        os.kill(driver.wait_for("raylet"), signal.SIGSTOP)
        folder = driver.folder()
        assert driver.process.wait(timeout=120) not in (0, None)
        wait_until(lambda: "Ray d" in driver.log.read_text())
        assert re.search(r"augbench: Ray (did|does) not start on this machine", last_line(driver))
        assert "--engine inline" in last_line(driver)
    wait_until(lambda: not folder.exists())
    assert not list((tmp_path / "run").glob("trials/*"))
