"""Which samplings of a trial are units of their own."""

from augbench.bench.plan.spec import SamplingSpec, TrialSpec
from augbench.bench.store.files import append_lines
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
