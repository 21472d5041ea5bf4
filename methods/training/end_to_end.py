"""A method that is a single training; its artifact is the model after the last epoch."""

from collections.abc import Callable
from typing import Any

from augbench.methods.training.method import Trained
from augbench.methods.training.training import Training


class EndToEnd:
    """Trains epoch by epoch; ``describe`` returns what was learned beside the weights."""

    def __init__(
        self, training: Training, describe: Callable[[], dict[str, Any]] | None = None
    ) -> None:
        self.training = training
        self._describe = describe

    def step(self) -> bool:
        """Train one epoch; True when the epochs or the patience are used up."""
        self.training.step()
        return self.training.done

    def artifact(self, *, last: bool = False) -> Trained | None:
        """The model after the latest epoch; the next step changes it in place."""
        if self.training.epoch == 0:
            return None
        return Trained(self.training.model, self.training.last_valid)

    def learned(self) -> dict[str, Any]:
        """The best validation metric so far, the last epoch's training loss and accuracy, and more.

        The rest is what ``describe`` returns.
        """
        described = self._describe() if self._describe else {}
        training = self.training
        return {
            "best_valid": training.best_valid,
            "loss": training.last_loss,
            "train_accuracy": training.train_accuracy,
            **described,
        }

    def state_dict(self) -> dict[str, Any]:
        """The state of the training."""
        return self.training.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.training.load_state_dict(state)
