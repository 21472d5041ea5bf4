"""The contract of a task: its data in folds, its signal, how its trunk is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augbench.datasets.options.tasks import Kind, Metric
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.signal_checks import check_frequencies, checked_channels, checked_shape

MOVED_AT_ONCE = 256  # rows


class Split(NamedTuple):
    """Examples and labels, row by row.

    ``x`` is float32, (N, C, T) for EEG or (N, C, H, W) in [0, 1] for images; ``y`` is int64, (N,).
    """

    x: Tensor
    y: Tensor

    def to(self, device: torch.device | str) -> "Split":
        """The same split on another device."""
        return Split(_moved(self.x, torch.device(device)), self.y.to(device))


def _moved(x: Tensor, device: torch.device) -> Tensor:
    """(N, ...) on another device.

    Rows with gaps between them, as mapped nights have, go in blocks: torch would first make a copy
    without gaps, gigabytes of memory of this process.
    """
    if x.is_contiguous() or x.device == device:
        return x.to(device)
    moved = torch.empty(x.shape, dtype=x.dtype, device=device)
    for target, rows in zip(moved.split(MOVED_AT_ONCE), x.split(MOVED_AT_ONCE), strict=True):
        target.copy_(rows)
    return moved


class Views(NamedTuple):
    """What a method may see of a fold.

    ``policy_valid`` scores policies during a search, ``model_valid`` stops trainings early; the
    paper (appendix A.4) uses one set for both.
    """

    train: Split
    policy_valid: Split
    model_valid: Split

    def to(self, device: torch.device | str) -> "Views":
        """The same views on another device."""
        return Views(*(split.to(device) for split in self))

    @property
    def n_examples(self) -> int:
        """How many examples a method may see; one set for both validations counts once."""
        one_set = torch.equal(self.policy_valid.y, self.model_valid.y)
        valid = [self.model_valid] if one_set else [self.model_valid, self.policy_valid]
        return sum(len(split.y) for split in (self.train, *valid))


class Fold(NamedTuple):
    """The views of one fold and, separately, its test split, which only the harness may use."""

    views: Views
    test: Split


class Part(NamedTuple):
    """What a part of a fold holds."""

    n_by_class: tuple[int, ...]  # windows or images of each class, (K,)
    n_groups: int | None = None  # groups, such as subjects; None where the split is not by group


class Parts(NamedTuple):
    """The three parts of a fold; validation is what stops trainings early."""

    train: Part
    valid: Part
    test: Part


class Normalisation(NamedTuple):
    """What is subtracted from each channel, and what the difference is divided by."""

    means: tuple[float, ...]  # (C,)
    deviations: tuple[float, ...]  # (C,)


@dataclass(frozen=True)
class Signal:
    """What a transform or a trunk has to know about one example.

    Raises UserError for an unknown kind, another number of axes or of names, and what is no
    frequency.
    """

    kind: Kind
    shape: tuple[int, ...]  # (C, T) or (C, H, W)
    channels: tuple[str, ...] = ()  # names as the file has them, EEG only; empty where unknown
    sampling_rate: float = 0.0  # hertz, EEG only
    # Images only. The trunk does it first, so transforms still see values in [0, 1].
    normalisation: Normalisation | None = None
    # Hertz, EEG only: the lower and upper edge of the filter that the recording went through.
    band: tuple[float, float] = (0.0, float("inf"))

    def __post_init__(self) -> None:
        """Check what was given, and make tuples of lists, so that equal signals are equal."""
        shape = checked_shape(self.kind, self.shape)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "channels", checked_channels(self.kind, shape, self.channels))
        check_frequencies(self.kind, self.sampling_rate, self.band)

    @property
    def n_channels(self) -> int:
        return self.shape[0]

    @property
    def n_times(self) -> int:
        """Length in samples, EEG only."""
        return self.shape[-1]


@dataclass(frozen=True)
class Task:
    """A learning task.

    ``fold(k)`` for k < ``n_folds`` is deterministic and the same for all methods. ``trunk`` names a
    row of ``datasets.trunks.TRUNKS``, ``transforms`` the rows of the transform table that make
    sense here, ``ranges`` what magnitude 1 of them means where the table says otherwise, in the
    table's units. ``fingerprint`` is a digest of the data, so a resumed trial notices a change.
    ``parts(k)`` says what the parts of fold k hold without copying any data; it may be left out.
    ``test_groups(k)`` names the group, such as the subject, of each test example of fold k, (n,);
    a task that is not split by group has none.
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
    parts: Callable[[int], Parts] | None = None
    test_groups: Callable[[int], NDArray[np.str_]] | None = None

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


class Digest:
    """A digest of arrays that come one after another, in one piece or in blocks of rows."""

    def __init__(self, about: str = "") -> None:
        self._digest = sha256(about.encode())

    def begin(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Announce the next array, whose blocks follow."""
        self._digest.update(f"torch.{dtype.name} {tuple(shape)}".encode())

    def update(self, block: NDArray[Any]) -> None:
        """Take the next rows, without a copy where they lie together in memory."""
        self._digest.update(np.ascontiguousarray(block).data)

    def add(self, array: NDArray[Any]) -> None:
        """Take a whole array."""
        self.begin(array.dtype, array.shape)
        self.update(array)

    def hexadecimal(self) -> str:
        """16 hex digits."""
        return self._digest.hexdigest()[:16]


def fingerprint(*tensors: Tensor, about: str = "") -> str:
    """16 hex digits of the content, types and shapes of the tensors, and of a text about them."""
    digest = Digest(about)
    for tensor in tensors:
        digest.add(tensor.cpu().numpy())
    return digest.hexadecimal()
