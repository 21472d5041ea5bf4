"""A policy as a module: for a training loop, a DataLoader, torchvision and braindecode."""

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.policies.policy import Operation, Policy, Subpolicy, UpTo
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import without_autocast
from augbench.methods.transforms.unit_notice import notice_unit

Labels = TypeVar("Labels")
N_SHOWN = 10  # subpolicies in a repr


class PolicyTransform(nn.Module):
    """Augments as a policy says. ``policy.as_module(signal)`` makes one.

        augment = policy.as_module(Signal("eeg", (8, 640), channels, sampling_rate=128.0))
        x = augment(x)                    # in a training loop; or x, y = augment(x, y)
        Compose([ToTensor(), augment])    # of torchvision: the transform of a data set
        AugmentedDataLoader(dataset, transforms=augment, batch_size=64)     # of braindecode

    ``augment(x)``: a batch (B, C, T) or (B, C, H, W), or one example (C, T) or (C, H, W), as a
    tensor or an array -> a tensor of the same shape, on x's device; x is left untouched.
    ``augment(x, y)`` returns x and y, as transforms of torchvision and braindecode do; y, (B,) or
    one label, is not changed. A class-wise policy needs y. EEG is in the unit that the policy was
    learned in, mostly standardised; images are floats in [0, 1], before a normalisation. A
    UserNotice says where the first EEG that is augmented is far from standardised.

    The noise comes from torch's global generator, which DataLoaders seed for each worker, or from
    the ``generator`` that is passed. After ``eval()`` nothing is changed, as with dropout. A
    transform that mixes samples, `sample_pairing`, does nothing to an example that is alone.

    Raises a UserError for transforms that the signal does not allow, ranges that it does not have,
    x of another shape or type, labels that the policy lacks, or not one for each example.
    """

    _unit_checked = False

    def __init__(self, policy: Policy, signal: Signal) -> None:
        super().__init__()
        if not isinstance(signal, Signal):
            raise UserError(f'signal is {signal!r}; it has to be a Signal("eeg" or "image", shape)')
        self.policy, self.signal = policy, signal
        names = sorted(policy.transforms)
        ranges = {name: policy.ranges[name] for name in names if name in policy.ranges}
        imported = {name: policy.imported[name] for name in names if name in policy.imported}
        self.bank = make_bank(names, signal, ranges, imported)
        for name, strongest in ranges.items():
            transform = self.bank[name]
            if transform.strongest != strongest:
                raise UserError(
                    f"the policy means {strongest:g} {transform.unit} by magnitude 1 of {name!r}; "
                    f"with this signal it is {transform.strongest:g} at most: take a signal as "
                    "long as the policy was learned on, or rescale its magnitudes"
                )
        from_json(to_json(policy, self.bank), self.bank)  # checks what was written by hand
        self._tables: dict[torch.device, PolicyTable] = {}  # one for each device

    @overload
    def forward(
        self, x: Tensor | NDArray[Any], y: None = None, *, generator: Generator | None = None
    ) -> Tensor: ...

    @overload
    def forward(
        self, x: Tensor | NDArray[Any], y: Labels, *, generator: Generator | None = None
    ) -> tuple[Tensor, Labels]: ...

    def forward(
        self, x: Tensor | NDArray[Any], y: Any = None, *, generator: Generator | None = None
    ) -> Tensor | tuple[Tensor, Any]:
        batch, alone = self._read_batch(x)
        if y is not None and not alone:
            _check_count(y, len(batch))
        if self.training:
            self._check_unit(batch)
            with without_autocast(batch):
                batch = self._table(batch.device).apply(batch, self._labels(y, batch), generator)
        out = batch[0] if alone else batch
        return out if y is None else (out, y)

    def extra_repr(self) -> str:
        """What the policy does, in units: a line for each subpolicy, of the first ones."""
        lines = []
        for place, group in enumerate(self.policy.by_class or (self.policy.subpolicies,)):
            total = sum(each.weight for each in group)
            where = f"class {place}: " if self.policy.by_class else ""
            lines += [f"{where}{each.weight / total:.0%} {self._words(each)}" for each in group]
        rest = f"and {len(lines) - N_SHOWN} more"
        return "\n".join([*lines[:N_SHOWN], *([rest] if len(lines) > N_SHOWN else [])])

    def __getstate__(self) -> dict[str, Any]:
        # Another process may have no GPU.
        return {**self.__dict__, "_tables": {}}

    def _read_batch(self, x: Any) -> tuple[Tensor, bool]:
        """x as a batch, and whether it is a single example."""
        if not isinstance(x, Tensor | np.ndarray):
            raise UserError(
                f"a policy was given a {type(x).__name__}; it takes tensors and arrays: "
                "put torchvision's ToTensor() before it"
            )
        if isinstance(x, np.ndarray):  # torch takes neither steps backwards nor other byte orders
            x = np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("="))
        tensor = torch.as_tensor(x)
        if not tensor.is_floating_point():
            raise UserError(
                f"x is {tensor.dtype}; a policy takes floats: images in [0, 1], EEG as it was "
                "learned on"
            )
        n_axes = len(self.signal.shape)
        fits = (
            tensor.ndim in (n_axes, n_axes + 1) and tensor.shape[-n_axes] == self.signal.n_channels
        )
        if not fits:
            raise UserError(
                f"x has shape {tuple(tensor.shape)}; an example of the policy's signal has "
                f"{self.signal.shape}, a batch (B, {', '.join(map(str, self.signal.shape))})"
            )
        alone = tensor.ndim == n_axes
        return (tensor.unsqueeze(0) if alone else tensor), alone

    def _check_unit(self, batch: Tensor) -> None:
        """Look at the values of the first EEG: later it would make each step wait for a GPU."""
        if self._unit_checked or self.signal.kind != "eeg" or torch.compiler.is_compiling():
            return
        if not batch.is_meta:
            notice_unit(batch)
        self._unit_checked = True

    def _labels(self, y: Any, batch: Tensor) -> Tensor:
        """(B,) int64; zeros where the policy does not look at them."""
        n_classes = len(self.policy.by_class)
        if not n_classes:
            return torch.zeros(len(batch), dtype=torch.int64, device=batch.device)
        if y is None:
            raise UserError(
                "this policy augments each class in a way of its own: call it with the labels, "
                "x, y = augment(x, y)"
            )
        labels = torch.as_tensor(y, device=batch.device).reshape(-1)
        if len(labels) != len(batch) or labels.is_floating_point():
            raise UserError(
                f"y is {labels.dtype} with {len(labels)} labels; x has {len(batch)} samples, and "
                "each needs the number of its class"
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
            raise UserError(
                f"y holds labels from {int(labels.min())} to {int(labels.max())}; the policy has "
                f"{n_classes} classes, counted from 0"
            )
        return labels.long()

    def _table(self, device: torch.device) -> PolicyTable:
        if device not in self._tables:
            self._tables[device] = PolicyTable(self.policy, self.bank, device)
        return self._tables[device]

    def _words(self, subpolicy: Subpolicy) -> str:
        steps = [self._operation_words(each) for each in subpolicy.operations]
        return ", then ".join(steps) or "nothing"

    def _operation_words(self, operation: Operation) -> str:
        how_often = f"{operation.transform} in {operation.probability:.0%}"
        magnitude, transform = operation.magnitude, self.bank[operation.transform]
        if magnitude is None:
            return how_often
        up_to = isinstance(magnitude, UpTo)
        value = (magnitude.magnitude if isinstance(magnitude, UpTo) else magnitude) * (
            transform.strongest
        )
        return f"{how_often} at {'up to ' if up_to else ''}{value:.3g} {transform.unit}"


def _check_count(y: Any, n: int) -> None:
    """Raise a UserError for labels that are not one for each of n samples."""
    shape = getattr(y, "shape", None)
    if shape is None:
        count = len(y) if isinstance(y, Sequence) and not isinstance(y, str) else 1
    else:
        count = shape[0] if len(shape) else 1
    if count != n:
        raise UserError(f"y has {count} labels; x has {n} samples, and each needs its own")
