"""The one inner training, used by every method and every retraining, and the score of a model."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from math import cos, isfinite, pi
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from augbench.datasets.options.tasks import Metric
from augbench.datasets.options.training import Schedule, TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Split
from augbench.methods.options.phase import Phase
from augbench.methods.training.adam import Adam
from augbench.methods.training.graphed_update import (
    GraphedUpdate,
    shape_of,
    wanted,
    warn_not_recorded,
)
from augbench.methods.training.method import Meter

Augment = Callable[[Tensor, Tensor, Generator], Tensor]  # x (B, ...), y (B,) -> x (B, ...)

SCORE_BATCH = 128  # windows or images that are scored at a time
# The most values of x among them, so fewer long windows: 128 of a night (6, 3840), four copies of
# each, took 1.4 GB. The windows of ssvep (8, 640) and all images are still scored 128 at a time.
SCORE_BATCH_VALUES = SCORE_BATCH * 8 * 640


class DivergedError(Exception):
    """The training loss is no longer finite."""


class Training:
    """A training that advances by epochs, keeps its best weights, and stops early.

    Every random number of epoch e comes from streams named by e, so that the epoch number is all
    the state that the randomness has. Training costs go to the meter's current phase. Validation
    goes to ``validate``, or to ``evaluate`` if nothing follows from it (``validation_steers`` is
    False). ``model`` must live on the device of ``train``.

    On a GPU the update of a full batch is a CUDA graph (`GraphedUpdate`); to record it is charged
    to ``setup``, that is to nothing.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Split,
        valid: Split,
        *,
        settings: TrainingSettings,
        n_classes: int,
        metric: Metric,
        seeds: Seeds,
        meter: Meter,
        augment: Augment | None = None,
        penalty: Callable[[], Tensor] | None = None,
        parameter_groups: Sequence[dict[str, Any]] | None = None,
        before_epoch: Callable[[int], None] | None = None,
        validation_steers: bool = True,
    ) -> None:
        self.model = model
        self.train, self.valid = train, valid
        self.settings, self.n_classes, self.metric = settings, n_classes, metric
        self.seeds, self.meter = seeds, meter
        self.augment, self.penalty = augment, penalty
        self.before_epoch = before_epoch
        self.validation_phase: Phase = "validate" if validation_steers else "evaluate"
        self.records = wanted(train.x.device)
        self.graphed: GraphedUpdate | None = None
        self.optimizer = Adam(
            parameter_groups or model.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            weight_decay=settings.weight_decay,
            capturable=self.records,
            fused=self.records or None,  # one kernel in place of a dozen
        )
        # The optimizer's state holds the rates of the moment; what they start from is kept apart.
        self.initial_rates: list[float] = [group["lr"] for group in self.optimizer.param_groups]
        self.class_weights = _class_weights(train.y, n_classes) if settings.class_weights else None
        self.epoch = 0
        self.last_loss = 0.0  # mean over the updates of an epoch, the penalty included
        # Share of an epoch's training samples that were right, each before the update that it was
        # part of and as the method augments it. It decides nothing.
        self.train_accuracy = 0.0
        self.last_valid = 0.0
        self.best_valid = -1.0
        self.best_epoch = 0
        self.best_state: dict[str, Tensor] = {}

    @property
    def done(self) -> bool:
        """Whether the epochs or the patience are used up."""
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.settings.epochs or waited >= self.settings.patience

    def step(self) -> None:
        """Train one epoch, then validate.

        Raises DivergedError when the loss is not finite.
        """
        self.epoch += 1
        self._set_rates()
        if self.before_epoch is not None:
            self.before_epoch(self.epoch)
        device = self.train.x.device
        order = torch.randperm(
            len(self.train.y), generator=self.seeds.generator("batches", self.epoch)
        ).to(device)
        noise = self.seeds.generator("augment", self.epoch, device=device)
        self.model.train()
        batches = order.split(self.settings.batch_size)
        if self.records:
            self._record(self.train.x[batches[0]], self.train.y[batches[0]])
        total, right = torch.zeros((), device=device), torch.zeros((), device=device)
        with global_seed(self.seeds.integer("dropout", self.epoch), device):
            for rows in batches:
                loss, n_right = self._update(self.train.x[rows], self.train.y[rows], noise)
                total += loss
                right += n_right
        self.last_loss = total.item() / len(batches)
        self.train_accuracy = right.item() / len(order)
        if not isfinite(self.last_loss):
            raise DivergedError(f"the training loss of epoch {self.epoch} is {self.last_loss}")
        self._validate()

    def rate(self, group: int = 0) -> float:
        """The learning rate of a group of parameters in this epoch."""
        share = rate_share(self.settings.schedule, self.epoch, self.settings.epochs)
        return share * self.initial_rates[group]

    def _set_rates(self) -> None:
        for k, group in enumerate(self.optimizer.param_groups):
            if self.graphed is not None:  # it reads the rate from where it was
                group["lr"].fill_(self.rate(k))
            elif self.records:
                group["lr"] = torch.tensor(self.rate(k), device=self.train.x.device)
            else:
                group["lr"] = self.rate(k)

    def _record(self, x: Tensor, y: Tensor) -> None:
        """Record the update of such a batch, unless that was done."""
        if self.graphed is not None and self.graphed.made_for == shape_of(self.model, x):
            return
        self.graphed = None  # its memory is free before the next one is made
        with self.meter.phase("setup"):
            try:
                self.graphed = GraphedUpdate(self._learn, x, y, self.model, self.optimizer)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                warn_not_recorded(error)
                self.records = False

    def _update(self, x: Tensor, y: Tensor, noise: Generator) -> tuple[Tensor, Tensor]:
        """The loss, and how many samples were right, both ()."""
        if self.augment is not None:
            x = self.augment(x, y, noise)
        fits = self.graphed is not None and len(y) == len(self.graphed.y)
        update = self.graphed if self.graphed is not None and fits else self._learn
        n_seen = trunk_samples(self.model, len(y))
        self.meter.count(forward=n_seen, backward=n_seen, steps=1)
        return update(x, y)

    def _learn(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Move the weights by what a batch says; what `_update` returns."""
        logits = self.model(x)
        loss = F.cross_entropy(logits, y, weight=self.class_weights)
        if self.penalty is not None:
            loss = loss + self.penalty()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == y).sum()

    def _validate(self) -> None:
        with self.meter.phase(self.validation_phase):
            self.last_valid = self._score(self.valid)
        if self.last_valid > self.best_valid:
            self.best_valid, self.best_epoch = self.last_valid, self.epoch
            self.best_state = deepcopy(self.model.state_dict())

    def _score(self, split: Split) -> float:
        return score(
            self.model,
            split,
            metric=self.metric,
            n_classes=self.n_classes,
            seed=self.seeds.integer("score"),
            meter=self.meter,
        )

    def score_best(self, split: Split) -> float:
        """The metric of the best epoch on a split; the model keeps the weights of that epoch."""
        self.load_best()
        return self._score(split)

    def load_best(self) -> nn.Module:
        """The model with the weights of its best epoch."""
        self.model.load_state_dict(self.best_state)
        return self.model

    def state_dict(self) -> dict[str, Any]:
        """Everything the next epoch depends on."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "last_loss": self.last_loss,
            "train_accuracy": self.train_accuracy,
            "last_valid": self.last_valid,
            "best_valid": self.best_valid,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.model.load_state_dict(state["model"])
        groups = [
            {**group, "capturable": self.records, "fused": self.records or None}
            for group in state["optimizer"]["param_groups"]
        ]
        self.optimizer.load_state_dict({**state["optimizer"], "param_groups": groups})
        self.graphed = None  # it writes to the optimizer's former tensors
        self.epoch = state["epoch"]
        self.last_loss = state["last_loss"]
        self.train_accuracy = state.get("train_accuracy", 0.0)  # older checkpoints have none
        self.last_valid = state["last_valid"]
        self.best_valid = state["best_valid"]
        self.best_epoch = state["best_epoch"]
        self.best_state = state["best_state"]


def rate_share(schedule: Schedule, epoch: int, n_epochs: int) -> float:
    """The share of its initial learning rate that each parameter has in an epoch, counted from 1.

    Source: Loshchilov and Hutter 2017 (SGDR), equation 5, without restarts; AugNet, appendix A.3.
    """
    return 1.0 if schedule == "constant" else (1 + cos(pi * (epoch - 1) / n_epochs)) / 2


def score(
    model: nn.Module,
    split: Split,
    *,
    metric: Metric,
    n_classes: int,
    seed: int,
    meter: Meter,
) -> float:
    """The metric of a model on a split; a model that augments draws its noise from ``seed``."""
    predicted = predict(model, split.x, seed=seed, meter=meter).argmax(1)
    return score_predictions(predicted, split.y, metric=metric, n_classes=n_classes)


def predict(model: nn.Module, x: Tensor, *, seed: int, meter: Meter) -> Tensor:
    """(N, ...) -> (N, K) logits; a model that augments draws its noise from ``seed``."""
    model.eval()
    logits = []
    with torch.no_grad(), global_seed(seed, x.device):
        n_at_once = max(1, min(SCORE_BATCH, SCORE_BATCH_VALUES // x.shape[1:].numel()))
        for part in x.split(n_at_once):
            logits.append(model(part))
            meter.count(forward=trunk_samples(model, len(part)))
    return torch.cat(logits)


def score_predictions(predicted: Tensor, y: Tensor, *, metric: Metric, n_classes: int) -> float:
    """(N,), (N,) -> the share that is right, or its mean over the classes that occur."""
    return mean_correct((predicted == y).double(), y, metric=metric, n_classes=n_classes)


def mean_correct(right: Tensor, y: Tensor, *, metric: Metric, n_classes: int) -> float:
    """How right each sample is (N,), from 0 to 1, and (N,) labels -> the metric."""
    if metric == "accuracy":
        return float(right.mean())
    counts = torch.bincount(y, minlength=n_classes).double()
    rights = torch.bincount(y, weights=right, minlength=n_classes)
    occurs = counts > 0
    return float((rights[occurs] / counts[occurs]).mean())


def trunk_samples(model: nn.Module, n_samples: int) -> int:
    """How many samples the trunk sees in one forward pass; an averaged model makes copies."""
    copies: int = getattr(model, "n_copies", 1)
    return copies * n_samples


def _class_weights(y: Tensor, n_classes: int) -> Tensor:
    """Inverse class frequencies with mean weight 1 over the samples."""
    counts = torch.bincount(y, minlength=n_classes).clamp(min=1)
    return len(y) / (n_classes * counts.float())
