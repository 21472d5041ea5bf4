"""Units in processes forked from one that has imported everything: real ones, really killed."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from augbench.bench.engines import zygote
from augbench.bench.engines.preflight import code_digest
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.attempt_log import start_event
from augbench.bench.store.run_directory import RunDirectory
from processes import wait_until

SUITE = """
name = "units"
folds = 2
[tasks.sinusoids]
n_train = {n_train}
trunk = "{trunk}"
training = {{ epochs = 2, patience = 2 }}
[methods.none]
"""


@pytest.fixture(autouse=True)
def own_zygote(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zygote for each test, gone after it."""
    monkeypatch.setattr(zygote, "_started", zygotes := [])
    yield
    for process in zygotes:
        process.kill()
        process.wait()


@pytest.fixture
def units(tmp_path: Path) -> Callable[..., list[tuple[UnitId, dict[str, Any]]]]:
    """Two units that train on so many waves, each with the request that has it done."""

    def plan(n_train: int, trunk: str = "freq_net") -> list[tuple[UnitId, dict[str, Any]]]:
        file = tmp_path / "units.toml"
        file.write_text(SUITE.format(n_train=n_train, trunk=trunk))
        run = RunDirectory(tmp_path / "run")
        run.path.mkdir()
        specs = [planned.spec for planned in load_suite(file).plan]
        for spec in specs:
            run.add_unit(spec.unit, spec.to_json())
        base = {"run": str(run.path), "host": {"data": str(tmp_path)}, "code": code_digest()}
        base["ticket"] = "of this test"
        return [
            (spec.unit, {**base, "unit": spec.unit, "folder": str(run.unit(spec.unit).path)})
            for spec in specs
        ]

    return plan


def attempts_at(run: Path, unit: UnitId) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they began."""
    directory = RunDirectory(run).unit(unit)
    return [start_event(attempt) for attempt in directory.attempts() if start_event(attempt)]


class Asked:
    """A request under way: `attempt` waits, so that it has a thread."""

    def __init__(self, run: Path, unit: UnitId, request: dict[str, Any]) -> None:
        self.answers: list[tuple[str, str]] = []
        self.thread = Thread(target=lambda: self.answers.append(zygote.attempt(request)))
        self.thread.start()
        wait_until(lambda: bool(attempts_at(run, unit)))
        self.process = attempts_at(run, unit)[0]["process"]

    def answer(self) -> tuple[str, str]:
        self.thread.join(timeout=60)
        return self.answers[0]


def gone(process: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(process, 0)
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    return True


def test_each_unit_has_a_process_of_its_own(units: Any, tmp_path: Path) -> None:
    (one, first), (two, second) = units(50)
    assert zygote.attempt(first) == ("done", "")
    assert zygote.attempt(second) == ("done", "")
    processes = [attempts_at(tmp_path / "run", unit)[0]["process"] for unit in (one, two)]
    assert len({*processes, os.getpid(), zygote._started[0].pid}) == 4
    assert all(map(gone, processes))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_unit_imported_the_next_one_finds(units: Any, tmp_path: Path) -> None:
    """Seen from outside: compiled modules of braindecode's own imports are mapped into memory."""
    (_, first), (_, second) = units(50, trunk="eegnet")

    def has_braindecode() -> bool:
        return "/h5py/" in Path(f"/proc/{zygote._started[0].pid}/maps").read_text()

    assert zygote.attempt({**first, "code": "other"})[0] == "refused"
    assert not has_braindecode()
    assert zygote.attempt(first) == ("done", "")
    wait_until(has_braindecode)
    assert zygote.attempt(second) == ("done", "")


def test_a_unit_that_is_killed_takes_nothing_with_it(units: Any, tmp_path: Path) -> None:
    (unit, request), (_, other) = units(20000)
    asked = Asked(tmp_path / "run", unit, request)
    os.kill(asked.process, signal.SIGKILL)
    assert asked.answer() == ("crashed", "its process died (SIGKILL)")
    before = zygote._started[0].pid
    next_one = Asked(tmp_path / "run", other["unit"], other)
    assert zygote._started[0].pid == before
    os.kill(next_one.process, signal.SIGTERM)
    assert next_one.answer() == ("crashed", "its process died (SIGTERM)")


def test_a_zygote_that_is_killed_takes_its_unit_along_and_another_is_started(
    units: Any, tmp_path: Path
) -> None:
    (unit, request), (_, small) = units(20000)
    asked = Asked(tmp_path / "run", unit, request)
    os.kill(zygote._started[0].pid, signal.SIGKILL)
    ending, reason = asked.answer()
    assert ending == "crashed"
    assert "-9" in reason
    wait_until(lambda: gone(asked.process))
    again = Asked(tmp_path / "run", small["unit"], small)
    os.kill(again.process, signal.SIGKILL)
    assert again.answer()[0] == "crashed"


def test_when_the_other_end_of_the_pipe_is_gone_so_is_the_unit(units: Any, tmp_path: Path) -> None:
    """As when Ray's worker is killed, or its node."""
    (unit, request), _ = units(20000)
    asked = Asked(tmp_path / "run", unit, request)
    stdin = zygote._started[0].stdin
    assert stdin
    stdin.close()
    asked.answer()
    wait_until(lambda: gone(asked.process))


def test_other_code_than_the_driver_s_is_refused(units: Any) -> None:
    (_, request), _ = units(50)
    ending, reason = zygote.attempt({**request, "code": "other"})
    assert ending == "refused"
    assert "runs other code of augbench than the driver" in reason


def test_a_unit_sees_the_gpus_that_ray_gives_it_for_this_task(
    units: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zygote was started when the worker had another task, and perhaps another GPU."""
    for number, (unit, request) in enumerate(units(50)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", str(number))
        assert zygote.attempt(request) == ("done", "")
        assert attempts_at(tmp_path / "run", unit)[0]["visible_gpus"] == str(number)
