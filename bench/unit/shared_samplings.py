"""The samplings of a trial that other workers can do, or have done."""

from typing import Any

from augbench.bench.plan.spec import Budget, SamplingSpec, TrialSpec
from augbench.bench.store.files import DamagedError
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import ask_for, asked_for
from augbench.methods.training.sampling import Proposal, Samples


class SharedSamplings:
    """A trial asks for each batch once. What then has no result, it does itself.

    So it needs nobody: a sampling that fails elsewhere, or a run that goes on without other
    workers, costs time and changes no number.
    """

    def __init__(
        self,
        run: RunDirectory,
        record: dict[str, Any],  # the spec of the trial
        method: Samples,
        budget: Budget,
        *,
        hands_out: bool,
    ) -> None:
        self._run, self._record, self._method = run, record, method
        # A budget in steps can end within a sampling: such a trial does all of them itself.
        self._hands_out = hands_out and budget.steps is None
        self._trial = run.unit(TrialSpec.from_json(record).unit)
        self._asked = asked_for(self._trial)
        self.taken: list[int] = []  # numbers of the samplings of others that the trial has counted

    @property
    def others_worked(self) -> bool:
        """Whether other workers may have done something for this trial."""
        return bool(self._asked or self.taken)

    def restore(self, taken: list[int] | None) -> None:
        """Go on from a checkpoint, whose state the method has loaded."""
        self.taken = self._passed() if taken is None else list(taken)

    def _passed(self) -> list[int]:
        """What an older checkpoint, which does not tell, can have counted: so nothing is wasted.

        The samplings with a result but those to come. While the trial does one itself, its method
        does not say which these are, and they are here too.
        """
        ahead = {each.number for each in self._method.proposals()}
        passed = [self._asked[number] for number in sorted(self._asked.keys() - ahead)]
        return [each.number for each in passed if self._result(each) is not None]

    def take(self, number: int) -> None:
        """Note a sampling that the trial counts."""
        if number not in self.taken:
            self.taken.append(number)

    def asks(self) -> bool:
        """Whether there is a batch of two or more that nobody was asked for."""
        if not self._hands_out:
            return False
        batch = self._method.proposals()
        return len(batch) > 1 and not any(each.number in self._asked for each in batch)

    def ask(self) -> None:
        """Ask for the batch, once there is a checkpoint that its samplings can go on from."""
        ask_for(self._trial, self._method.proposals())

    def done(self) -> tuple[Proposal, dict[str, Any]] | None:
        """The next sampling and its result, if another worker has done it."""
        if not (self._asked or self._hands_out):
            return None
        for proposal in self._method.proposals()[:1]:
            result = self._result(proposal)
            if result is not None:
                return proposal, result
        return None

    def _result(self, proposal: Proposal) -> dict[str, Any] | None:
        """What another worker has written for a proposal; None if there is nothing, or damaged."""
        spec = SamplingSpec(self._record, proposal.to_json())
        try:
            return self._run.unit(spec.unit).check()
        except DamagedError:
            return None
