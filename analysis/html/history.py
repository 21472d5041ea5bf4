"""Where the results of a run come from: code, libraries, machines, data, attempts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.store.files import DamagedError
from augbench.bench.store.open_run import open_run
from augbench.bench.store.origin import units_in_view
from augbench.bench.store.unit_directory import UnitDirectory


class Machine(NamedTuple):
    """Where attempts ran, and with what."""

    commit: str  # of augbench; "" if it is not known
    versions: tuple[tuple[str, str], ...]  # of Python and of libraries
    device: str
    host: str
    threads: int


@dataclass(frozen=True)
class History:
    """What a run says about itself. Times are UTC, to the second; "" where they are not known."""

    suite: Mapping[str, Any] = field(default_factory=dict)  # its tables, with all overrides
    splits: Mapping[str, str] = field(default_factory=dict)  # by task: how its first fold is split
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by task: digests
    machines: Mapping[Machine, int] = field(default_factory=dict)  # the attempts on each
    begun: str = ""
    ended: str = ""  # of the last attempt that has ended
    units: int = 0  # trials, retrainings and samplings that have begun
    attempts: int = 0
    lost: int = 0  # attempts that neither ended nor run now: their processes died


def read_history(path: Path) -> History:
    """What the files of a run say. A unit that is damaged is left out; the report names it.

    UserError: it is not a run directory, or another version of augbench wrote it.
    """
    run, suite = open_run(path)
    machines: Counter[Machine] = Counter()
    data: dict[str, set[str]] = {}
    tries: list[_Attempt] = []
    units = list(units_in_view(run, suite.plan, skip_damaged=True))
    for task, unit in units:
        for attempt in _attempts(unit):
            tries.append(attempt)
            machines.update(attempt.machine)
            data.setdefault(task, set()).update(attempt.data)
    return History(
        suite=suite.resolved,
        splits=run.splits(),
        data={task: tuple(sorted(digests)) for task, digests in data.items()},
        machines=dict(sorted(machines.items())),
        begun=_moment([attempt.begun for attempt in tries], min),
        ended=_moment([attempt.ended for attempt in tries], max),
        units=len(units),
        attempts=len(tries),
        lost=sum(attempt.lost for attempt in tries),
    )


class _Attempt(NamedTuple):
    """What the log of an attempt says; a time is None, and a machine missing, if it does not."""

    machine: list[Machine]
    data: list[str]  # digests
    begun: float | None
    ended: float | None
    lost: bool


def _attempts(unit: UnitDirectory) -> list[_Attempt]:
    try:
        tries = unit.attempts()
        logs = [attempt.log() for attempt in tries]
    except DamagedError:
        return []
    found = []
    for number, log in enumerate(logs, start=1):
        events = {str(line["event"]): line for line in log}
        start, end = events.get("start"), events.get("end")
        found.append(
            _Attempt(
                machine=[_machine(start)] if start else [],
                data=[str(line["fingerprint"]) for line in log if line["event"] == "resume"],
                begun=float(start["time"]) if start else None,
                ended=float(end["time"]) if end else None,
                lost=end is None and number < len(logs),
            )
        )
    return found


def _machine(start: Mapping[str, Any]) -> Machine:
    versions = {"python": start.get("python", "")}
    if isinstance(start.get("versions"), dict):  # the store does not check it
        versions |= start["versions"]
    return Machine(
        commit=str(start.get("commit", "")),
        versions=tuple(sorted((name, str(version)) for name, version in versions.items())),
        device=str(start["device"]),
        host=str(start.get("host", "")),
        threads=int(start.get("threads", 0)),
    )


def _moment(times: Iterable[float | None], choose: Callable[[list[float]], float]) -> str:
    found = [time for time in times if time is not None]
    if not found:
        return ""
    return datetime.fromtimestamp(choose(found), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
