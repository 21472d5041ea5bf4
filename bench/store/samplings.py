"""Which samplings of a trial are units of their own."""

from contextlib import suppress

from augbench.bench.plan.spec import SamplingSpec, TrialSpec
from augbench.bench.store.accounts import wasted
from augbench.bench.store.attempt_log import lifetime
from augbench.bench.store.files import DamagedError, append_lines
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.methods.training.sampling import Proposal


def samplings(run: RunDirectory, spec: TrialSpec) -> list[SamplingSpec]:
    """The samplings that a trial has asked for, in the order of their numbers.

    Raises a DamagedError for a line that is damaged.
    """
    trial = spec.to_json()
    asked = asked_for(run.unit(spec.unit))
    return [SamplingSpec(trial, asked[number].to_json()) for number in sorted(asked)]


def sampling_units(run: RunDirectory, spec: TrialSpec) -> list[UnitDirectory]:
    """The folders of these samplings, also of those that nobody has begun; raises like `samplings`.

    The trial does a damaged one itself, so that it makes no trial damaged: who reads it skips it.
    """
    return [run.unit(each.unit) for each in samplings(run, spec)]


def wasted_on_samplings(run: RunDirectory, spec: TrialSpec) -> float:
    """Seconds that other workers have spent on samplings of a trial, and that are charged to none.

    What crashes lost and, once the trial is finished, all of the samplings that it did not count:
    they lie beyond the end of its budget, or nobody finished them. A damaged sampling counts
    nothing. Raises a DamagedError like `samplings`, and for a result of the trial that is damaged.
    """
    trial = run.unit(spec.unit)
    if not trial.samplings_size():  # one look: a plan can be long
        return 0.0
    result = trial.result()
    taken = None if result is None else result.get("taken")
    seconds = 0.0
    for each in samplings(run, spec):
        unit = run.unit(each.unit)
        is_in_use = taken is None or each.proposal["number"] in taken
        with suppress(DamagedError):
            seconds += wasted(unit) if is_in_use else sum(map(lifetime, unit.attempts()))
    return seconds


def last_asked_for(run: RunDirectory, spec: TrialSpec) -> list[SamplingSpec]:
    """Those of the last batch; a trial that asks for it has passed the ones before."""
    trial, asked = spec.to_json(), run.unit(spec.unit).asked()
    last = max((record["batch"] for record in asked), default=0)
    proposals = {
        record["number"]: Proposal.from_json(record) for record in asked if record["batch"] == last
    }
    return [SamplingSpec(trial, proposals[number].to_json()) for number in sorted(proposals)]


def asked_for(trial: UnitDirectory) -> dict[int, Proposal]:
    """The proposals that a trial has asked for, by number; raises like `samplings`."""
    return {record["number"]: Proposal.from_json(record) for record in trial.asked()}


def ask_for(trial: UnitDirectory, proposals: list[Proposal]) -> None:
    """Ask the driver for some samplings. A process that does the same again changes nothing."""
    batch = {"batch": proposals[0].number}
    lines = (batch | proposal.to_json() for proposal in proposals)
    append_lines(trial.samplings_file, lines)
