"""Whether a driver holds a run, as others see it."""

import fcntl
import threading
from pathlib import Path

from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.driver_lock import has_driver
from augbench.bench.store.files import hold_lock


def test_a_driver_is_seen_only_while_it_holds_the_run(tmp_path: Path) -> None:
    assert not has_driver(tmp_path)
    with hold_lock(tmp_path / "lock", "busy"):
        assert has_driver(tmp_path)
    assert not has_driver(tmp_path)


def test_who_looks_at_the_lock_turns_no_driver_away(small_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as `has_driver` does, for a moment
        timer = threading.Timer(0.1, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        timer.start()
        options = RunOptions(out, tmp_path, engine="inline")
        assert run_suite(load_suite(small_suite), options, Console(quiet=True))
        timer.join()
