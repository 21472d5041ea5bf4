"""The contract of a task: data in folds, what its signal looks like, how its trunk is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

Kind = Literal["eeg", "image"]
Metric = Literal["balanced_accuracy", "accuracy"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "bfloat16"]


class Split(NamedTuple):
    """Examples and labels, row by row.

    ``x`` is float32, (N, C, T) for EEG or (N, C, H, W) in [0, 1] for images; ``y`` is int64, (N,).
    """

    x: Tensor
    y: Tensor

    def to(self, device: torch.device | str) -> "Split":
        """The same split on another device."""
        return Split(self.x.to(device), self.y.to(device))


class Views(NamedTuple):
    """All that a method may see of a fold.

    ``policy_valid`` scores policies during a search, ``model_valid`` stops trainings early; the
    paper (appendix A.4) uses one set for both.
    """

    train: Split
    policy_valid: Split
    model_valid: Split

    def to(self, device: torch.device | str) -> "Views":
        """The same views on another device."""
        return Views(*(split.to(device) for split in self))


class Fold(NamedTuple):
    """The views of one fold, and apart from them the test split, which only the harness holds."""

    views: Views
    test: Split


class Normalisation(NamedTuple):
    """What is taken from each channel, and what it is then divided by."""

    means: tuple[float, ...]  # (C,)
    deviations: tuple[float, ...]  # (C,)


@dataclass(frozen=True)
class Signal:
    """What a transform or a trunk has to know of one example."""

    kind: Kind
    shape: tuple[int, ...]  # (C, T) or (C, H, W)
    channels: tuple[str, ...] = ()  # 10-20 names, EEG only; empty where unknown
    sampling_rate: float = 0.0  # hertz, EEG only
    # Images only: the first thing that the trunk does, so that transforms still see [0, 1].
    normalisation: Normalisation | None = None

    @property
    def n_channels(self) -> int:
        return self.shape[0]

    @property
    def n_times(self) -> int:
        """Length in samples, EEG only."""
        return self.shape[-1]


@dataclass(frozen=True)
class TrainingSettings:
    """The inner training of a trunk, the same for every method on a task.

    The defaults are the paper's for EEG. Source: appendix A.4.
    """

    epochs: int = 300  # at most
    batch_size: int = 16
    learning_rate: float = 1e-3  # of Adam, in the first epoch
    # Of the learning rate over the epochs: "cosine" takes it down almost to 0 in the last one.
    schedule: Schedule = "constant"
    beta1: float = 0.0
    beta2: float = 0.999
    weight_decay: float = 0.0
    patience: int = 30  # epochs without a better validation metric before stopping
    class_weights: bool = True  # cross-entropy weighted by inverse class frequency
    # Of the products in the trunk. A step of conv_net takes half the time in bfloat16, on a
    # processor that has it.
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        """Raises ValueError for a number out of range."""
        for name in ("epochs", "batch_size", "learning_rate", "patience"):
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it has to be above 0")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it has to be in [0, 1)")
        if not 0 <= self.weight_decay < inf:
            raise ValueError(f"weight_decay is {self.weight_decay}; it has to be 0 or more")


@dataclass(frozen=True)
class Task:
    """One thing to learn.

    ``fold(k)`` for k < ``n_folds`` is deterministic and the same for all methods. ``trunk`` names a
    row of ``datasets.trunks.TRUNKS``, ``transforms`` the rows of the transform table that make
    sense here, ``ranges`` what magnitude 1 of them means where the table says otherwise, in the
    table's units. ``fingerprint`` is a digest of the data: a resumed trial notices a change.
    """

    name: str
    signal: Signal
    class_names: tuple[str, ...]
    n_folds: int
    fold: Callable[[int], Fold]
    trunk: str
    transforms: tuple[str, ...]
    training: TrainingSettings
    metric: Metric
    fingerprint: str
    ranges: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


class TaskRow(NamedTuple):
    """A row of the table of tasks.

    ``options`` is a frozen dataclass of which every field has a default. ``build(options, data,
    seed)`` gives the task; ``data`` is the folder under which data sets lie, ``seed`` the suite's,
    which decides what the task draws itself. Bad options and bad data are UserErrors.
    """

    options: type
    build: Callable[[Any, Path, int], Task]
    fetch: Callable[[Path], None] | None = None  # brings the data into the folder


def fingerprint(*tensors: Tensor, about: str = "") -> str:
    """16 hex digits of the content, types and shapes of the tensors, and of a text about them."""
    digest = sha256(about.encode())
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
