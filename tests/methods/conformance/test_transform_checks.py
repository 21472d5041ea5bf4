"""The checks of a transform: all of ours pass, and each way to break a promise is named."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.conformance.transform_checks import CHECKS, check_transform
from augbench.methods.transforms import EEG, TRANSFORMS
from augbench.methods.transforms.transform import (
    Builder,
    Transform,
    draw_signed,
    draw_uniform,
    per_sample,
)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_our_transforms_pass(name: str) -> None:
    findings = list(check_transform(name, TRANSFORMS[name]))
    assert [each for each in findings if not each.kept] == []
    on = "EEG" if name in EEG else "images"
    assert [each.about for each in findings] == [f"{about} on {on}" for about in CHECKS]


def scale(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float = 0.5) -> Tensor:
    return x * (1 + per_sample(strongest * magnitude * noise, x))


def builder(**changes: Any) -> Builder:
    """A transform of EEG that keeps every promise but for these changes."""

    def build(signal: Signal, strongest: float = 0.5) -> Transform:
        if signal.kind != "eeg":
            raise UserError("mine is for EEG")
        apply = partial(scale, strongest=strongest)
        made = Transform("mine", True, "path", strongest, "share", "none", draw_signed, apply)
        return replace(made, **changes)

    return build


def failed(build: Builder) -> dict[str, str]:
    """What fails, and the words."""
    found = check_transform("mine", build)
    return {each.about.removesuffix(" on EEG"): each.text for each in found if not each.kept}


def test_a_transform_written_out_passes() -> None:
    assert failed(builder()) == {}


def one_for_all(x: Tensor, generator: Generator | None) -> Tensor:
    return draw_signed(x[:1], generator).expand(len(x))


def without_generator(x: Tensor, generator: Generator | None) -> Tensor:
    return draw_signed(x, None)


def too_few(x: Tensor, generator: Generator | None) -> Tensor:
    return draw_signed(x[:1], generator)


def never_the_identity(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude + 0.1, noise)


def draws_in_apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return x + per_sample(magnitude, x) * torch.randn_like(x)


def mean_magnitude(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude.mean().expand(len(x)), noise)


def other_type(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude, noise).float()


def not_finite(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return torch.where(per_sample(magnitude, x) > 0.4, torch.nan, scale(x, magnitude, noise))


def reads_values(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude, noise) if float(magnitude.sum()) > 0 else x.clone()


def in_place(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return x.mul_(1 + per_sample(magnitude.detach() * noise, x))


def returns_x(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude, noise) if bool(magnitude.any()) else x


def backwards(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude * (1.2 - magnitude), noise)


def nothing(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return x + 0 * per_sample(magnitude, x)


def detached(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude.detach(), noise)


def half_the_slope(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, (magnitude + magnitude.detach()) / 2, noise)


def root(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
    return scale(x, magnitude.sqrt(), noise)


@pytest.mark.parametrize(
    ("changes", "about", "words"),
    [
        ({"name": "other"}, "contract", "calls itself 'other', and its row 'mine'"),
        ({"strongest": float("inf")}, "contract", "strongest is inf"),
        ({"strongest": 0.5 + 1e-3}, "contract", "a suite sets it by `ranges`"),
        ({"unit": ""}, "contract", "unit is empty"),
        ({"gradient": "relaxed"}, "contract", "which is for probabilities"),
        ({"draw": too_few}, "contract", "draw() returns (1,) for 16 samples"),
        ({"apply": never_the_identity}, "identity", "at magnitude 0 a value moves by"),
        ({"apply": draws_in_apply}, "noise", "draw all that is random in draw()"),
        ({"draw": without_generator}, "noise", "differs for the same generator"),
        ({"draw": one_for_all}, "noise by sample", "get the same noise"),
        ({"apply": mean_magnitude}, "magnitude by sample", "one sample changes others"),
        ({"apply": other_type}, "shape", "torch.float64 of shape (1, 6, 400) becomes torch.float"),
        ({"apply": not_finite}, "shape", "becomes NaN or infinite"),
        ({"apply": reads_values}, "device", "make all tensors on x.device"),
        ({"apply": in_place}, "input", "changes x in place"),
        ({"apply": returns_x}, "input", "the result is x itself"),
        ({"apply": backwards}, "strength", "magnitude 0.9 moves x less"),
        ({"apply": nothing}, "strength", "at magnitude 1 nothing moves"),
        ({"apply": detached}, "gradient", "declares 'path', but its magnitude gets no gradient"),
        ({"apply": half_the_slope}, "gradient", "its gradient is not the slope"),
        ({"apply": root}, "gradient", "the gradient at magnitude 0 is NaN or infinite"),
        ({"gradient": "none"}, "gradient", "declares no gradient, but its magnitude gets one"),
        ({"apply": lambda x, m, noise: scale(x, m, noise)}, "pickle", "functions of a module"),
    ],
)
def test_what_is_broken_is_named(changes: dict[str, Any], about: str, words: str) -> None:
    told = failed(builder(**changes))
    assert words in told[about]


def test_one_without_a_gradient_that_says_so_passes() -> None:
    assert failed(builder(apply=detached, gradient="none")) == {}


def test_noise_that_is_none_at_all_is_allowed() -> None:
    assert failed(builder(draw=zeros)) == {}


def zeros(x: Tensor, generator: Generator | None) -> Tensor:
    return draw_uniform(x, generator) * 0 + 1


def test_one_that_no_signal_builds_is_named() -> None:
    def build(signal: Signal) -> Transform:
        raise RuntimeError("no way")

    found = list(check_transform("mine", build))
    assert [each.about for each in found] == ["built for EEG", "built for images"]
    assert all(
        "RuntimeError: no way (test_transform_checks.py, line " in each.text for each in found
    )


def test_one_that_refuses_a_kind_otherwise_than_by_a_sentence_is_named() -> None:
    def build(signal: Signal, strongest: float = 0.5) -> Transform:
        assert signal.kind == "eeg"
        return builder()(signal, strongest)

    assert set(failed(build)) == {"built for images"}
