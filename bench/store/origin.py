"""Where the results of a run come from: on which data, by which code, on which machines."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.attempt_log import resume_events, start_event
from augbench.bench.store.files import DamagedError, read_lines
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import sampling_units
from augbench.bench.store.states import involved
from augbench.bench.store.unit_directory import UnitDirectory

MERGED = "merged"  # the first event of a run that was merged from several


@dataclass(frozen=True)
class Origin:
    """What the attempts at the units of a run have noted."""

    # By the label of a task: each fingerprint of its data, and a unit that used these data.
    data: dict[str, dict[str, str]] = field(default_factory=dict)
    code: tuple[str, ...] = ()  # versions of augbench and torch, and commits
    machines: tuple[str, ...] = ()  # hosts with their devices


def read_origin(run: RunDirectory, plan: Sequence[PlannedTrial]) -> Origin:
    """The origin of all units that a plan asks for; damaged ones are left out."""
    data: dict[str, dict[str, str]] = {}
    starts: list[Mapping[str, Any]] = []
    for label, unit in units_in_view(run, plan, skip_damaged=True):
        with suppress(DamagedError):
            fingerprint = _fingerprint(unit)
            if fingerprint:
                data.setdefault(label, {}).setdefault(fingerprint, str(unit.path))
            starts += filter(None, map(start_event, unit.attempts()))
    return Origin(
        data,
        tuple(dict.fromkeys(filter(None, map(_code, starts)))),
        tuple(dict.fromkeys(f"{start['device']} of {start['host']}" for start in starts)),
    )


def machines_by_trial(run: RunDirectory, plan: Sequence[PlannedTrial]) -> dict[str, str]:
    """By trial the machines that its hours are of, where a merged run has several of one device.

    Hours of two machines do not compare, though both name their device "cpu". Empty for a run that
    is no merge: whoever runs a suite on a cluster takes its nodes for equal.
    """
    with suppress(DamagedError):
        if next(read_lines(run.events_file), {}).get("event") == MERGED:
            by_trial = {p.spec.unit.digest: read_origin(run, [p]).machines for p in plan}
            every = {machine for machines in by_trial.values() for machine in machines}
            devices = {machine.rpartition(" of ")[0] for machine in every}
            if len(every) > len(devices):
                return {trial: " + ".join(found) for trial, found in by_trial.items() if found}
    return {}


def units_in_view(
    run: RunDirectory, plan: Sequence[PlannedTrial], *, skip_damaged: bool = False
) -> Iterator[tuple[str, UnitDirectory]]:
    """Each folder of a trial, or of what one asks for, with the label of its task.

    Raises a DamagedError for a trial that does not say what it asks for, unless ``skip_damaged``.
    """
    seen = set()
    for planned in plan:
        if not run.unit(planned.spec.unit).path.exists():
            continue
        try:
            units = involved(run, planned.spec) + sampling_units(run, planned.spec)
        except DamagedError:
            if not skip_damaged:
                raise
            continue
        for unit in units:
            if unit.path not in seen and unit.path.exists():
                seen.add(unit.path)
                yield planned.task, unit


def _fingerprint(unit: UnitDirectory) -> str:
    result = unit.result()
    if result is not None:
        return str(result["fingerprint"])
    events = resume_events(unit)
    return str(events[-1]["fingerprint"]) if events else ""


def _code(start: Mapping[str, Any]) -> str:
    versions = start.get("versions", {})
    known = [f"{name} {versions[name]}" for name in ("augbench", "torch") if versions.get(name)]
    if start.get("commit"):
        known.insert(1, f"commit {start['commit']}")
    return ", ".join([*known, *map(str, start.get("plugins", ()))])
