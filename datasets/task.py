"""The contract of a task: data in folds, what its signal looks like, how its trunk is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

import torch
from torch import Tensor

from augbench.datasets.options.tasks import Kind, Metric
from augbench.datasets.options.training import TrainingSettings


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
    # Hertz, EEG only: the lower and upper edge of the filter that the recording went through.
    band: tuple[float, float] = (0.0, float("inf"))

    @property
    def n_channels(self) -> int:
        return self.shape[0]

    @property
    def n_times(self) -> int:
        """Length in samples, EEG only."""
        return self.shape[-1]


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


def fingerprint(*tensors: Tensor, about: str = "") -> str:
    """16 hex digits of the content, types and shapes of the tensors, and of a text about them."""
    digest = sha256(about.encode())
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
