"""Augerino against its definition: the maps, the loss, what it learns."""

from collections.abc import Callable
from dataclasses import replace
from math import cos, log, pi, sin
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Split
from augbench.methods import augerino
from augbench.methods.augerino import penalty
from augbench.methods.layers.lie_layer import GENERATORS, TRANSLATION, LieLayer, exponential
from augbench.methods.options.end_to_end import AugerinoOptions
from augbench.methods.training.method import DoesNotFitError, Setup

AsImages = Callable[[Setup], Setup]


def layer_of(*names: str, width: float = 1.0) -> LieLayer:
    return LieLayer(names, initial_width=width)


def learned(setup: Setup, n_epochs: int, **options: Any) -> dict[str, dict[str, Any]]:
    method = augerino.build(setup, AugerinoOptions(**options))
    for _ in range(n_epochs):
        method.step()
    return {row["transform"]: row for row in method.learned()["layers"][0]}


def test_a_width_starts_at_what_was_asked_for() -> None:
    for width in (log(2), pi / 4, 5.0):
        layer = layer_of(*GENERATORS, width=width)
        assert layer.widths.tolist() == pytest.approx([width] * 6, rel=1e-5)
    assert layer_of("scale", width=log(2)).raw_widths.item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-3, 0.1, 1.0, 3.0])
def test_the_exponential_is_as_exact_as_that_of_torch(size: float) -> None:
    generator = torch.Generator().manual_seed(0)
    matrices = size * (2 * torch.rand(500, 3, 3, generator=generator, dtype=torch.float64) - 1)
    exact = torch.linalg.matrix_exp(matrices)

    def error(made: Tensor) -> float:
        return float(((made - exact) / exact.norm(dim=(1, 2), keepdim=True)).abs().max())

    torchs = error(torch.linalg.matrix_exp(matrices.float()).double())
    assert error(exponential(matrices.float()).double()) <= max(torchs, 1e-7)
    assert error(exponential(matrices)) < 1e-12
    large = 8.0 * matrices / max(size, 1e-9)  # rows that sum up to 24
    exact = torch.linalg.matrix_exp(large)
    assert error(exponential(large.float()).double()) < 2e-5


def test_the_exponential_has_the_slopes_of_torch() -> None:
    matrices = torch.randn(4, 3, 3, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn(4, 3, 3, dtype=torch.float64)
    (ours,) = torch.autograd.grad(exponential(matrices), matrices, slopes)
    (theirs,) = torch.autograd.grad(torch.linalg.matrix_exp(matrices), matrices, slopes)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("uniform", [0.0, 0.3, 1.0])
def test_each_generator_alone_is_the_map_it_is_named_after(uniform: float) -> None:
    """The exponentials by hand; the coefficient runs over half the width to either side."""
    a = (uniform - 0.5) * 0.8
    by_hand = {
        "translation_x": [[1, 0, TRANSLATION * a], [0, 1, 0]],
        "translation_y": [[1, 0, 0], [0, 1, TRANSLATION * a]],
        "rotation": [[cos(a), -sin(a), 0], [sin(a), cos(a), 0]],
        "scale": [[torch.e**a, 0, 0], [0, torch.e**a, 0]],
        "stretch": [[torch.e**a, 0, 0], [0, torch.e**-a, 0]],
        "shear": [
            [(torch.e**a + torch.e**-a) / 2, (torch.e**a - torch.e**-a) / 2, 0],
            [(torch.e**a - torch.e**-a) / 2, (torch.e**a + torch.e**-a) / 2, 0],
        ],
    }
    assert set(by_hand) == set(GENERATORS)
    for name, expected in by_hand.items():
        maps = layer_of(name, width=0.8).maps(torch.full((2, 1), uniform))
        torch.testing.assert_close(maps[1], torch.tensor(expected).float(), rtol=0, atol=1e-6)


def test_all_six_together_are_the_limit_of_many_small_steps() -> None:
    """What the official code gets from a solver of differential equations."""
    layer = layer_of(*GENERATORS, width=1.2)
    uniform = torch.rand(3, 6, generator=torch.Generator().manual_seed(0))
    coefficients = ((uniform - 0.5) * 1.2).double()
    velocity = torch.einsum("bg,gij->bij", coefficients, layer.generators.double())
    n_steps = 2**20
    steps = torch.linalg.matrix_power(torch.eye(3).double() + velocity / n_steps, n_steps)
    torch.testing.assert_close(layer.maps(uniform).double(), steps[:, :2], rtol=0, atol=1e-5)


def test_a_quarter_turn_turns_the_image() -> None:
    """From coordinates to pixels: which way, about which point, and no half pixel off."""
    x = torch.rand(1, 2, 5, 5)
    layer = layer_of("rotation", width=pi)
    turned = [
        F.grid_sample(
            x,
            F.affine_grid(layer.maps(torch.tensor([[u]])), [1, 2, 5, 5], align_corners=True),
            align_corners=True,
        )
        for u in (0.5, 1.0)
    ]
    torch.testing.assert_close(turned[0], x, rtol=0, atol=1e-6)
    torch.testing.assert_close(turned[1], torch.rot90(x, 1, (-2, -1)), rtol=0, atol=1e-5)


def test_the_gradient_of_the_widths_is_the_finite_difference() -> None:
    layer = layer_of(*GENERATORS, width=0.6).double()
    y, x = torch.meshgrid(torch.linspace(0, 3, 16), torch.linspace(0, 4, 16), indexing="ij")
    image = torch.sin(x + 2 * y).double().expand(6, 1, 16, 16)
    target = torch.cos(2 * x - y).double()

    def loss() -> torch.Tensor:
        return (layer(image, torch.Generator().manual_seed(1)) * target).sum()

    loss().backward()
    assert layer.raw_widths.grad is not None
    for g in range(6):
        slopes = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                layer.raw_widths[g] += step
                slopes.append(loss())
                layer.raw_widths[g] -= step
        by_hand = (slopes[0] - slopes[1]) / 2e-6
        torch.testing.assert_close(layer.raw_widths.grad[g], by_hand, rtol=1e-4, atol=1e-6)


def test_the_noise_comes_from_the_generator_and_differs_between_images() -> None:
    layer, x = layer_of(*GENERATORS), torch.rand(1, 1, 8, 8).expand(4, 1, 8, 8)
    state = torch.get_rng_state()
    outs = [layer(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])
    assert len(outs[0].detach().reshape(4, -1).unique(dim=0)) == 4


def test_the_penalty_is_the_norm_of_the_full_widths() -> None:
    widths = torch.tensor([3.0, 4.0])
    assert penalty(widths, AugerinoOptions(penalty=0.2)).item() == pytest.approx(-1.0)


def test_the_safe_switch_ends_the_pull_of_all_when_one_is_at_10() -> None:
    for widest, pull in ((9.9, True), (10.0, False), (12.0, False)):
        widths = torch.tensor([1.0, widest], requires_grad=True)
        for safe in (True, False):
            (gradient,) = torch.autograd.grad(penalty(widths, AugerinoOptions(safe=safe)), widths)
            assert (gradient < 0).all().item() == (pull or not safe)
            assert (gradient != 0).any().item() == (pull or not safe)


def test_the_pull_widens_what_nothing_holds_back(setup: Setup, as_images: AsImages) -> None:
    """A wrong sign of lambda would shrink it. Images of one colour cannot be moved, inside."""
    images = as_images(setup)
    blank = Split(torch.zeros_like(images.views.train.x), images.views.train.y)
    blank_setup = replace(images, views=images.views._replace(train=blank))
    wide = learned(blank_setup, 4, penalty=0.5, learning_rate=0.05)
    still = learned(blank_setup, 4, penalty=0.0, learning_rate=0.05)
    for name in GENERATORS:
        assert wide[name]["magnitude"] > 0.9
        assert still[name]["magnitude"] == pytest.approx(pi / 4)


def test_what_is_learned_is_told_in_physical_units(setup: Setup, as_images: AsImages) -> None:
    rows = learned(as_images(setup), 0, initial_width=pi / 2)
    assert rows["rotation"] == {
        "transform": "rotation",
        "weight": 1.0,
        "magnitude": pytest.approx(pi / 2),
        "value": pytest.approx(45.0),  # degrees to either side
        "unit": "degrees",
    }
    assert rows["translation_x"]["value"] == pytest.approx(pi / 4 * 0.05)


def test_the_widths_have_a_rate_and_a_decay_of_their_own(setup: Setup, as_images: AsImages) -> None:
    method = augerino.build(as_images(setup), AugerinoOptions(learning_rate=0.5))
    trunk, layer = method.training.optimizer.param_groups
    assert (trunk["lr"], layer["lr"], layer["weight_decay"]) == (1e-2, 0.5, 0.0)
    assert len(layer["params"]) == 1
    n_trunk = sum(1 for _ in setup.trunk().parameters())
    assert len(trunk["params"]) == n_trunk


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"generators": ("rotations",)}, "unknown generator 'rotations'; did you mean 'rotation'"),
        ({"generators": ()}, "generators is .*some"),
        ({"generators": ("scale", "scale")}, "each once"),
        ({"penalty": -1.0}, "penalty is -1.0; it has to be 0 or more"),
        ({"initial_width": 0.0}, "above 0"),
        ({"n_copies_test": 0}, "n_copies_test is 0; it has to be 1 or more"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it has to be 0 or more"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0; it has to be 0 or more"),
    ],
)
def test_options_that_cannot_be_are_refused(
    options: dict[str, Any], complaint: str, setup: Setup, as_images: AsImages
) -> None:
    with pytest.raises(UserError, match=complaint):
        augerino.build(as_images(setup), AugerinoOptions(**options))


def test_eeg_is_refused_with_the_method_to_take_instead(setup: Setup) -> None:
    with pytest.raises(DoesNotFitError, match=r"augerino moves the pixels of images.*EEG.*augnet"):
        augerino.build(setup, AugerinoOptions())


def test_a_wrong_option_is_told_before_the_wrong_signal(setup: Setup) -> None:
    with pytest.raises(UserError, match="penalty is -1"):
        augerino.build(setup, AugerinoOptions(penalty=-1))


def test_all_generators_are_learned_where_no_others_are_named() -> None:
    assert AugerinoOptions().generators == tuple(GENERATORS)
