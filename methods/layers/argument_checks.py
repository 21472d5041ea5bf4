"""What is wrong with an argument of a layer or of AugNet, in one sentence."""

from collections.abc import Mapping
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, get_args

import numpy as np
from torch import Tensor, nn

from augbench.datasets.errors import UserError, unknown
from augbench.datasets.task import Signal
from augbench.methods.options.end_to_end import AtEval, Regularizer
from augbench.methods.transforms.transform import Transform

FAR_OUTSIDE = 0.5  # of [0, 1]: resizing goes beyond it by less, a normalisation by more


def check_layer_options(
    initial_magnitude: float, initial_weight: float, temperature: float, at_eval: AtEval
) -> None:
    """Raise a UserError for the first option of a layer that is not allowed."""
    _require_number("initial_magnitude", initial_magnitude, 0, 1, "in [0, 1]")
    _require_number("initial_weight", initial_weight, -inf, inf, "finite")
    _require_number("temperature", temperature, 0, inf, "more than 0 and finite")
    if temperature == 0:
        raise UserError(f"temperature is {temperature}; it has to be more than 0 and finite")
    _require_choice("at_eval", at_eval, get_args(AtEval))


def check_model_options(penalty: float, regularizer: Regularizer) -> None:
    """Raise a UserError for lambda or a regularizer that is not allowed."""
    _require_number("penalty", penalty, 0, inf, "0 or more, and finite")
    _require_choice("regularizer", regularizer, get_args(Regularizer))


def check_copies(name: str, copies: int) -> None:
    """Raise a UserError for a number of copies below 1, or that is no whole number."""
    if isinstance(copies, bool) or not isinstance(copies, Integral) or copies < 1:
        raise UserError(f"{name} is {copies}; it has to be 1 or more, a whole number")


def _require_number(name: str, value: float, low: float, high: float, rule: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UserError(f"{name} is {value!r}; it has to be a number, {rule}")
    if not isfinite(value) or not low <= value <= high:
        raise UserError(f"{name} is {value}; it has to be {rule}")


def _require_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise unknown(name, value, known)


def check_transforms(transforms: tuple[Any, ...]) -> None:
    """Raise a UserError unless they are transforms, and one at least."""
    if not transforms:
        raise UserError("an augmentation layer was given no transforms; it needs one at least")
    for each in transforms:
        if not isinstance(each, Transform):
            raise UserError(
                f"an augmentation layer was given {each!r}; it takes Transforms: "
                "make_bank(names, signal) gives them by name"
            )


def check_signal(signal: Any) -> None:
    """Raise a UserError for what is no signal."""
    if signal is not None and not isinstance(signal, Signal):
        raise UserError(
            f"signal is {signal!r}; it has to be a Signal, such as "
            'Signal("image", (3, 32, 32)) or Signal("eeg", (8, 640), channels, 128.0)'
        )


def check_ranges(ranges: Any) -> None:
    """Raise a UserError unless they give a number for each name."""
    if not isinstance(ranges, Mapping):
        raise UserError(f'ranges is {ranges!r}; it has to be a dict, such as {{"rotate": 45.0}}')
    for name, value in ranges.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise UserError(f"`ranges` gives {name!r} {value!r}; it has to be a number")


def check_batch(x: Any, signal: Signal | None) -> None:
    """Raise a UserError for a batch (B, C, T) or (B, C, H, W) that no layer can take.

    Its values are not looked at.
    """
    if not isinstance(x, Tensor):
        given = "an array" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
        raise UserError(f"x is {given}; it has to be a tensor: torch.as_tensor(x) makes one")
    if signal is not None and tuple(x.shape[1:]) != tuple(signal.shape):
        raise UserError(
            f"x has shape {tuple(x.shape)}; a batch of this signal is "
            f"(B, {', '.join(map(str, signal.shape))})"
        )
    if not x.is_floating_point():
        raise UserError(
            f"x is {x.dtype}; it has to hold floats: images in [0, 1], as x.float() / 255 of "
            "bytes, and standardised EEG"
        )


def check_type(x: Tensor, model: nn.Module) -> None:
    """Raise a UserError for a batch in a type that no parameter of the model has."""
    if x.dtype == next(model.parameters()).dtype:  # mostly, and soon found
        return
    own = {each.dtype for each in model.parameters() if each.is_floating_point()}
    if x.dtype not in own:
        names = " and ".join(sorted(map(str, own)))
        raise UserError(
            f"x is {x.dtype} and the model {names}: give it x.to({min(map(str, own))}), or change "
            "the type of the model"
        )


def check_image_values(x: Tensor) -> None:
    """Raise a UserError for images (B, C, H, W) that lie far outside of [0, 1]."""
    if not x.numel():
        return
    low, high = (float(each) for each in x.detach().aminmax())
    if not (low >= -FAR_OUTSIDE and high <= 1 + FAR_OUTSIDE):  # so also for NaN
        raise UserError(
            f"x holds images from {low:.4g} to {high:.4g}; they have to lie in [0, 1]: divide "
            "bytes by 255, and make a normalisation the first layer of the trunk"
        )


def check_logits(logits: Any, n: int) -> None:
    """Raise a UserError unless the trunk returned one row for each of n examples."""
    if not isinstance(logits, Tensor):
        raise UserError(
            f"the trunk returned a {type(logits).__name__}; it has to return logits, "
            f"a tensor ({n}, n_classes)"
        )
    if not logits.ndim or len(logits) != n:
        raise UserError(
            f"the trunk returned shape {tuple(logits.shape)} for {n} examples; it has to return "
            f"logits ({n}, n_classes)"
        )


def wrong_labels(logits: Any, y: Any) -> str | None:
    """What keeps the cross-entropy from taking logits (B, K) and labels (B,), if that is known."""
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        shown = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        return f"logits are {shown}; they have to be a tensor (B, n_classes)"
    (n, n_classes), wanted = logits.shape, f"labels from 0 to {logits.shape[1] - 1}, of type int64"
    if not isinstance(y, Tensor):
        return f"y is a {type(y).__name__}; it has to be a tensor ({n},) of {wanted}"
    if y.shape != (n,) and y.shape != logits.shape:
        return f"y has shape {tuple(y.shape)}; it has to be ({n},), a label for each example"
    if y.shape == (n,) and str(y.dtype) not in ("torch.int64", "torch.uint8"):
        return f"y is {y.dtype}; it has to hold {wanted}: y.long()"
    if y.shape == (n,) and n and not 0 <= int(y.min()) <= int(y.max()) < n_classes:
        return f"y holds labels from {int(y.min())} to {int(y.max())}; it has to hold {wanted}"
    return None
