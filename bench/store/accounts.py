"""What units cost: what a method is charged, what was wasted, and whether both add up."""

from typing import Any, NamedTuple

from augbench.bench.store.attempt_log import end_event, lifetime, resume_events
from augbench.bench.store.phases import CHARGED
from augbench.bench.store.unit_directory import UnitDirectory


class Charge(NamedTuple):
    """What a method is charged for."""

    seconds: float
    forward: int  # samples
    backward: int


def charged(costs: dict[str, dict[str, Any]]) -> Charge:
    """What of a unit's costs its method is charged for."""
    paid = [costs[phase] for phase in CHARGED]
    return Charge(
        sum([each["seconds"] for each in paid]),
        sum([each["forward"] for each in paid]),
        sum([each["backward"] for each in paid]),
    )


def charged_cpu_seconds(costs: dict[str, dict[str, Any]]) -> float:
    """Processor seconds in the phases that are charged, all threads together."""
    return float(sum([costs[phase]["cpu_seconds"] for phase in CHARGED]))


def add_charges(*charges: Charge) -> Charge:
    """The sum; zeros for no charges."""
    return Charge(*(sum(values) for values in zip(Charge(0.0, 0, 0), *charges, strict=True)))


def wasted(directory: UnitDirectory) -> float:
    """Seconds that a unit's attempts lost; the last one that resumed knows it for all before it."""
    lines = resume_events(directory)
    return float(lines[-1]["seconds"]) if lines else 0.0


def accounting_error(directory: UnitDirectory) -> float:
    """Seconds by which the accounts of a finished unit are too large: 0, but for rounding.

    What its result says was measured and wasted has to be the lifetimes of all attempts before the
    last one, and what the last one measured.
    """
    result = directory.result()
    assert result is not None
    *earlier, last = [e for e in directory.attempts() if e.number <= result["attempt"]]
    seconds = sum(cost["seconds"] for cost in result["costs"].values())
    seconds -= sum(cost["seconds"] for cost in result.get("elsewhere", {}).values())
    ending = end_event(last)
    if ending is None:  # killed between its result and its last line
        kept = next(line["kept"] for line in last.log() if line["event"] == "resume")
        measured = seconds - kept
    else:
        measured = ending["measured"]
    said = seconds + result["wasted"]["seconds"]
    return float(said - sum(map(lifetime, earlier)) - measured)
