"""What kornia and braindecode do with the same numbers is what our transforms do."""

import copy
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods import import_transform
from augbench.methods.conformance.transform_checks import check_transform
from augbench.methods.options.imported import ImportedOptions, library_of
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.imported.build import imported_builder
from augbench.methods.transforms.imported.defaults import DEFAULTS
from augbench.methods.transforms.imported.drawn import Drawn, draw_seed
from augbench.methods.transforms.imported.rebuilt import Rebuilt
from augbench.methods.transforms.transform import Transform

Make = Callable[..., Transform]
GRADED = [name for name, each in DEFAULTS.items() if each.described.parameter]
UNGRADED = [name for name in DEFAULTS if name not in GRADED]


def golden(transform: Transform, n: int = 6) -> Tensor:
    """A batch that is the same each time."""
    image = transform.name.startswith("kornia")
    make = torch.rand if image else torch.randn
    shape = (3, 12, 16) if image else (6, 200)
    return make(n, *shape, generator=torch.Generator().manual_seed(3))


def engine(transform: Transform) -> Any:
    return transform.draw.__self__.engine  # type: ignore[attr-defined]


def theirs(transform: Transform, x: Tensor, noise: Tensor, magnitude: float) -> Tensor:
    """What the library's own object, made for the magnitude, gives with the same seeds."""
    acts = engine(transform)
    made = acts.recipe.make(magnitude)
    if isinstance(acts, Drawn):
        seed = draw_seed(x, torch.Generator().manual_seed(0))
        if acts.alone:
            made_rows = []
            torch.manual_seed(seed)
            for row in x.split(1):
                made_rows.append(made(row, params=made.forward_parameters(row.shape)))
            return torch.cat(made_rows).clamp(0, 1)
        torch.manual_seed(seed)
        return made(x).clamp(0, 1)
    rows = []
    for row, number in zip(x.split(1), noise[:, -1].tolist(), strict=True):
        torch.manual_seed(int(number))
        random.seed(int(number))
        np.random.seed(int(number))  # noqa: NPY002
        if transform.name.startswith("kornia"):
            rows.append(made(row).clamp(0, 1))
            continue
        made = acts.recipe.make(magnitude)
        made.rng = np.random.RandomState(int(number))
        labels = torch.zeros(1)
        rows.append(made.operation(row, labels, **made.get_augmentation_params(row, labels))[0])
    return torch.cat(rows)


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize("magnitude", [0.4, 1.0])
def test_a_magnitude_is_the_library_with_its_argument_at_that_place_of_the_range(
    make: Make, name: str, magnitude: float
) -> None:
    transform = make(name)
    x = golden(transform)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    ours = transform.apply(x, torch.full((len(x),), magnitude), noise)
    torch.testing.assert_close(ours, theirs(transform, x, noise, magnitude), atol=2e-5, rtol=0)
    assert not torch.equal(ours, x)


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_empty_batch_stays_empty(make: Make, name: str) -> None:
    transform = make(name)
    x = golden(transform)
    noise = transform.draw(x[:0], torch.Generator().manual_seed(0))
    assert noise.shape[1:] == transform.draw(x, torch.Generator().manual_seed(0)).shape[1:]
    out = transform.apply(x[:0], torch.zeros(0), noise)
    assert out.shape == x[:0].shape


@pytest.mark.parametrize("name", UNGRADED)
def test_a_transform_without_a_parameter_is_the_library_or_nothing(make: Make, name: str) -> None:
    transform = make(name)
    x = golden(transform)
    acts = engine(transform)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    always = transform.apply(x, torch.ones(len(x)), noise)
    moved = acts.change(x, torch.ones(len(x)), noise[:, 1:])
    torch.testing.assert_close(always, moved.clamp(0, 1) if "kornia" in name else moved)
    assert torch.equal(transform.apply(x, torch.zeros(len(x)), noise), x)
    if isinstance(acts, Rebuilt):
        torch.testing.assert_close(always, theirs(transform, x, noise, 1.0))


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_random_comes_from_our_generator_alone(make: Make, name: str) -> None:
    transform = make(name)
    x, magnitude = golden(transform), torch.linspace(0.1, 0.9, 6)
    kept = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    noise = transform.draw(x, torch.Generator().manual_seed(5))
    first = transform.apply(x, magnitude, noise)
    assert torch.equal(torch.get_rng_state(), kept[0])
    assert np.random.get_state()[1].tolist() == kept[1]  # noqa: NPY002
    assert random.getstate() == kept[2]
    torch.rand(3), random.random()
    np.random.random()  # noqa: NPY002
    assert torch.equal(transform.draw(x, torch.Generator().manual_seed(5)), noise)
    assert torch.equal(transform.apply(x, magnitude, noise), first)
    # A sample becomes the same in any company.
    alone = transform.apply(x[2:3], magnitude[2:3], noise[2:3])
    torch.testing.assert_close(alone, first[2:3], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", DEFAULTS)
def test_nothing_moves_at_0_and_a_copy_does_the_same(make: Make, name: str) -> None:
    transform = make(name)
    x = golden(transform)
    noise = transform.draw(x, torch.Generator().manual_seed(1))
    still = transform.apply(x, torch.zeros(len(x)), noise)
    torch.testing.assert_close(still, x, atol=2e-5, rtol=0)
    moved = transform.apply(x, torch.ones(len(x)), noise)
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert torch.equal(other.apply(x, torch.ones(len(x)), noise), moved)
    assert transform.gradient == DEFAULTS[name].gradient
    assert transform.graded == (name in GRADED)


# One of each way: drawn before, drawn alone, seeded, without strength; kornia's and braindecode's.
@pytest.mark.parametrize(
    "name",
    [
        "kornia.RandomGaussianBlur",
        "kornia.RandomErasing",
        "kornia.RandomHorizontalFlip",
        "kornia.RandomChannelDropout",
        "braindecode.FTSurrogate",
        "braindecode.TimeReverse",
    ],
)
def test_it_keeps_the_promises_of_a_transform(name: str) -> None:
    assert [each for each in check_transform(name, imported_builder(name)) if not each.kept] == []


def test_the_gradient_is_measured_where_the_table_says_nothing(make: Make) -> None:
    smooth = make("kornia.RandomShear", ImportedOptions("shear", (0.0, 20.0)))
    assert smooth.gradient == "path"
    steps = make("kornia.RandomPosterize", ImportedOptions("bits", (8.0, 3.0)))
    assert steps.gradient == "none"
    jitter = ImportedOptions("brightness", (0.0, 0.3), {"contrast": 0.2})
    assert make("kornia.ColorJitter", jitter).gradient == "path"


def test_the_order_of_a_color_jitter_is_of_each_sample(make: Make) -> None:
    transform = make("kornia.ColorJitter")
    noise = transform.draw(golden(transform, 24), torch.Generator().manual_seed(0))
    acts = engine(transform)
    assert acts.alone
    (order,) = (each for each in acts.fields if each.name == "order")
    assert order.shared
    n_orders = len(noise[:, -order.size :].unique(dim=0))
    assert n_orders > 5


def test_a_gradient_reaches_what_lies_before_a_seeded_transform(make: Make) -> None:
    transform = make("braindecode.TimeReverse")
    x = golden(transform).requires_grad_()
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(
        transform.apply(x, torch.ones(len(x)), noise)[..., 0].sum(), x
    )
    assert torch.equal(gradient[..., -1], torch.ones_like(gradient[..., -1]))


@pytest.mark.parametrize(
    ("described", "strongest", "unit"),
    [
        (ImportedOptions("degrees", (0.0, 20.0)), 20.0, "degrees"),
        (ImportedOptions("degrees", (5.0, 20.0)), 15.0, "more degrees than 5"),
        (ImportedOptions(), 1.0, "probability"),
    ],
)
def test_a_magnitude_is_told_in_a_unit_in_which_0_is_0(
    make: Make, described: ImportedOptions, strongest: float, unit: str
) -> None:
    if described.parameter is None:
        described = ImportedOptions(options={"degrees": 10.0})
    transform = make("kornia.RandomRotation", described)
    assert (transform.strongest, transform.unit) == (strongest, unit)


def test_a_range_of_the_suite_changes_what_magnitude_1_is(make: Make) -> None:
    usual = make("kornia.RandomRotation")
    half = make("kornia.RandomRotation", strongest=15.0)
    x = golden(usual)
    noise = usual.draw(x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        half.apply(x, torch.ones(len(x)), half.draw(x, torch.Generator().manual_seed(0))),
        usual.apply(x, torch.full((len(x),), 0.5), noise),
        atol=1e-5,
        rtol=0,
    )


def test_a_signal_gives_what_a_class_asks_for(make: Make) -> None:
    shift = make("braindecode.FrequencyShift")
    assert engine(shift).recipe.make(1.0).sfreq == 100.0
    crop = make("kornia.RandomResizedCrop")
    assert crop.apply(golden(crop), torch.ones(6), crop.draw(golden(crop), None)).shape[2:] == (
        12,
        16,
    )
    with pytest.raises(UserError, match="needs sfreq"):
        imported_builder("braindecode.FrequencyShift")(Signal("eeg", (2, 100)))


def test_a_bank_takes_them_by_name() -> None:
    signal = Signal("image", (3, 12, 16))
    described = {"kornia.RandomShear": ImportedOptions("shear", (0.0, 10.0))}
    bank = make_bank(["rotate", "kornia.RandomShear"], signal, imported=described)
    assert list(bank) == ["rotate", "kornia.RandomShear"]
    assert bank["kornia.RandomShear"].strongest == 10.0
    with pytest.raises(UserError, match="unknown transform in `imported`"):
        make_bank(["rotate"], signal, imported=described)


def test_the_library_is_told_what_it_refuses() -> None:
    signal = Signal("image", (3, 12, 16))
    with pytest.raises(UserError, match="two different numbers"):
        import_transform("kornia.RandomShear", signal, parameter="shear", range=(3.0, 3.0))
    with pytest.raises(UserError, match="Kernel size must be"):
        import_transform(
            "kornia.RandomGaussianBlur",
            signal,
            options={"kernel_size": [4, 4], "sigma": [1.0, 2.0]},
        )
    with pytest.raises(UserError, match=r"did you mean 'kornia\.RandomShear'"):
        import_transform("kornia.RandomShea", signal)
    assert library_of("rotate") is None
