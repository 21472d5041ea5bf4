"""A method that keeps every promise, written out so that tests can break one at a time."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from augbench.datasets.seeds import global_seed
from augbench.methods.options.row import MethodRow
from augbench.methods.training.method import Setup, Trained
from augbench.methods.training.training import score


@dataclass(frozen=True)
class Options:
    """How many epochs."""

    epochs: int = 5


class Little:
    """One step is one epoch of plain training with a momentum of its own."""

    def __init__(self, setup: Setup, options: Options) -> None:
        self.setup, self.options = setup, options
        self.model = setup.trunk()
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-2)
        self.epoch = 0
        self.rate = 1.0
        self.loss = 0.0
        self.valid = 0.0

    def step(self) -> bool:
        self.epoch += 1
        self.rate *= 0.9
        for group in self.optimizer.param_groups:
            group["lr"] = 1e-2 * self.rate
        self.model.train()
        x, y = self.setup.views.train
        with global_seed(self.setup.seeds.integer("dropout", self.epoch)):
            for rows in self.order(len(y)).split(12):
                loss = F.cross_entropy(self.model(x[rows]), y[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.tell(len(rows))
        self.loss = loss.item()
        with self.setup.meter.phase("validate"):
            self.valid = score(
                self.model,
                self.setup.views.model_valid,
                metric=self.setup.metric,
                n_classes=self.setup.n_classes,
                seed=0,
                meter=self.setup.meter,
            )
        return self.epoch >= self.options.epochs

    def order(self, n: int) -> torch.Tensor:
        generator = self.setup.seeds.generator("batches", self.epoch)
        return torch.randperm(n, generator=generator)

    def tell(self, n: int) -> None:
        self.setup.meter.count(forward=n, backward=n, steps=1)

    def artifact(self, *, last: bool = False) -> Trained | None:
        return Trained(self.model, self.valid) if self.epoch else None

    def learned(self) -> dict[str, Any]:
        return {"loss": self.loss}

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "numbers": [self.epoch, self.rate, self.loss, self.valid],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.rate, self.loss, self.valid = state["numbers"]


def row_of(cls: type, **changes: Any) -> MethodRow:
    """The row of a method of this class."""
    return MethodRow(Options, cls, "model")._replace(**changes)
