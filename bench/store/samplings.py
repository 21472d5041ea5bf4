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


def asked_for(trial: UnitDirectory) -> dict[int, Proposal]:
    """The proposals that a trial has asked for, by number; raises like `samplings`."""
    return {record["number"]: Proposal.from_json(record) for record in trial.asked()}


def ask_for(trial: UnitDirectory, proposals: list[Proposal]) -> None:
    """Ask the driver for some samplings. A process that does the same again changes nothing."""
    append_lines(trial.samplings_file, (proposal.to_json() for proposal in proposals))
