"""What stands still before its unit has begun: the driver gives it up, and a signal ends it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from augbench.bench.engines.starting import read_sign, show_life, showing_life
from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from processes import background, parents, wait_until

# In a folder on PYTHONPATH: the first processes that do the units stand still.
STAND_STILL = """
import os, signal, sys
from pathlib import Path
stage, seen, many = {stage!r}, Path({seen!r}), {many}
def stand_still():
    if len(list(os.scandir(seen))) < many:
        (seen / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGSTOP)
if any("augbench.bench.engines.zygote" in word for word in sys.orig_argv):
    if stage == "python":
        stand_still()
    else:
        def in_child():
            if stage == "child":  # a moment later, as it looks for former attempts
                sys.addaudithook(lambda event, _: event == "os.listdir" and stand_still())
        os.register_at_fork(after_in_child=in_child)
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if stage == "imports" and name == "augbench.bench.engines.inline":
                    stand_still()
        sys.meta_path.insert(0, Finder)
elif stage == "worker" and any("default_worker.py" in word for word in sys.orig_argv):
    import threading, time
    def later():
        while "augbench.bench.engines.zygote" not in sys.modules:
            time.sleep(0.001)
        stand_still()
    threading.Thread(target=later, daemon=True).start()
"""
SUITE = """
name = "starting"
folds = 1
[tasks.sinusoids]
n_train = 100
n_test = 20
training = { epochs = 2, patience = 2 }
[methods.none]
[resources]
workers = 1
lost_minutes = 0.2
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stops processes by name")


class Standstill:
    """A run whose first processes stand still at a stage."""

    def __init__(self, folder: Path, words: Callable[..., list[str]]) -> None:
        self.folder, self.out = folder, folder / "run"
        self.seen = folder / "seen"
        self.seen.mkdir()
        (folder / "starting.toml").write_text(SUITE)
        self.words = words("run", folder / "starting.toml", "--out", self.out)

    def environment(self, stage: str, many: int) -> dict[str, str]:
        site = self.folder / "site"
        site.mkdir()
        code = STAND_STILL.format(stage=stage, seen=str(self.seen), many=many)
        (site / "sitecustomize.py").write_text(code)
        return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}

    def stopped(self) -> list[int]:
        return [int(file.name) for file in self.seen.iterdir()]


@pytest.fixture
def standstill(tmp_path: Path, command_line: Callable[..., list[str]]) -> Iterator[Standstill]:
    found = Standstill(tmp_path, command_line)
    yield found
    for process in found.stopped():
        if process in parents():
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("stage", ["python", "child"])
def test_a_zygote_that_stands_still_is_given_up_and_the_unit_done_by_another(
    stage: str, standstill: Standstill, tmp_path: Path
) -> None:
    environment = standstill.environment(stage, many=1)
    with background(standstill.words, tmp_path / "log", environment) as driver:
        assert driver.wait(timeout=240) == 0, (tmp_path / "log").read_text()
    assert "no sign of life for 0.2 minutes" in (standstill.out / "events.jsonl").read_text()
    run, read = open_run(standstill.out)
    assert [trial["state"] for trial in read_trials(run, read.plan)] == ["done"]
    (stopped,) = standstill.stopped()
    assert stopped not in parents()
    assert not list(standstill.out.rglob("*starting*"))


def test_a_worker_of_ray_that_stands_still_ends_in_a_sentence(
    standstill: Standstill, tmp_path: Path
) -> None:
    """It keeps the only slot, so that nothing can be tried again."""
    environment = standstill.environment("worker", many=9)
    with background(standstill.words, tmp_path / "log", environment) as driver:
        assert driver.wait(timeout=240) == 1
    said = (tmp_path / "log").read_text()
    assert "0.2 minutes (resources.lost_minutes)" in said
    assert "run the same command again" in said


def test_sigterm_ends_a_driver_whose_unit_stands_still(
    standstill: Standstill, tmp_path: Path
) -> None:
    environment = standstill.environment("imports", many=9)
    with background(standstill.words, tmp_path / "log", environment) as driver:
        wait_until(lambda: bool(standstill.stopped()) or driver.poll() is not None)
        driver.send_signal(signal.SIGTERM)
        assert driver.wait(timeout=120) == 130
    assert "the same command resumes the run" in (tmp_path / "log").read_text()
    wait_until(lambda: not set(standstill.stopped()) & set(parents()))


def test_sigterm_ends_a_driver_whose_unit_waits_for_a_worker(
    command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    """As on a cluster that others fill: nothing has begun, so nothing has to be waited for."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("""
import sys, time
if any("default_worker.py" in word for word in sys.orig_argv):
    time.sleep(1000)
""")
    (tmp_path / "waiting.toml").write_text(SUITE.replace("0.2", "60.0"))
    out = tmp_path / "run"
    words = command_line("run", tmp_path / "waiting.toml", "--out", out)
    path = os.pathsep.join([str(site), *sys.path])
    with background(words, tmp_path / "log", {**os.environ, "PYTHONPATH": path}) as driver:
        events = out / "events.jsonl"
        wait_until(lambda: events.exists() and "dispatched" in events.read_text())
        driver.send_signal(signal.SIGTERM)
        assert driver.wait(timeout=60) == 130
    assert "the same command resumes the run" in (tmp_path / "log").read_text()


def test_life_is_shown_until_an_attempt_begins_or_the_block_ends(tmp_path: Path) -> None:
    (tmp_path / "attempts" / "0001").mkdir(parents=True)  # a former one

    def times() -> float:
        sign = read_sign(tmp_path, "ticket")
        return 0.0 if sign is None else sign["time"]

    with showing_life(tmp_path, "ticket"):
        wait_until(lambda: times() > 0)
        first = times()
        wait_until(lambda: times() > first)
        (tmp_path / "attempts" / "0002").mkdir()
    assert read_sign(tmp_path, "another") is None


def test_a_damaged_sign_is_none(tmp_path: Path) -> None:
    assert read_sign(tmp_path, "ticket") is None
    show_life(tmp_path, "ticket")
    (file,) = tmp_path.iterdir()
    for content in ("", "{", "[]", "\x00"):
        file.write_text(content)
        assert read_sign(tmp_path, "ticket") is None
    show_life(tmp_path / "gone", "ticket")  # no error: the unit itself will say what is wrong
