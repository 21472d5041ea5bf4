"""What every transform has to keep, whatever it does: tests over the table."""

import itertools
import math
import pickle
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from augbench.datasets.task import Signal
from augbench.methods.transforms import EEG, IMAGE, TRANSFORMS
from augbench.methods.transforms.constants import DeviceConstant, SizedConstant
from augbench.methods.transforms.transform import Transform

BATCH = 8
# Exact is the rule at magnitude 0. The others pass the Fourier domain, or a grid in float32.
WARPS = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")
NEARLY_EXACT = {"ft_surrogate": 1e-5, **dict.fromkeys(WARPS, 2e-5)}
# Steps in the magnitude: the first have an estimate of the gradient, which their own tests compare
# with the truth, the second none.
STRAIGHT_THROUGH = ("channel_shuffle", "solarize", "posterize")
WITHOUT_GRADIENT = ("crop",)
# Steps in x, where the gradient to x is by decision that of the identity; their own tests say so.
STEPS_IN_X = ("equalize", "posterize")
MIXES = ("sample_pairing",)
# What has to be survived beside images full of random colours: one colour all over. The last three
# have next to no hue.
PLAIN = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
    "red": (1.0, 0.0, 0.0),
    "yellow": (1.0, 1.0, 0.0),
    "almost grey": (0.5, 0.5 + 1e-7, 0.5),
    "almost black": (1e-30, 0.0, 0.0),
    "denormal": (0.0, 1e-40, 0.0),
}

every = pytest.mark.parametrize("name", TRANSFORMS)
every_image = pytest.mark.parametrize("name", IMAGE)
with_gradient = pytest.mark.parametrize(
    "name", [name for name in TRANSFORMS if name not in WITHOUT_GRADIENT]
)
differentiable = pytest.mark.parametrize(
    "name", [name for name in TRANSFORMS if name not in (*STRAIGHT_THROUGH, *WITHOUT_GRADIENT)]
)
differentiable_in_x = pytest.mark.parametrize(
    "name", [name for name in TRANSFORMS if name not in STEPS_IN_X]
)


@pytest.fixture
def transform(name: str, eeg: Signal, image: Signal) -> Transform:
    return TRANSFORMS[name](eeg if name in EEG else image)


@pytest.fixture
def x(name: str, eeg: Signal, image: Signal) -> Tensor:
    return batch(name, eeg, image)


def batch(name: str, eeg: Signal, image: Signal, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if name in EEG:
        return torch.randn(BATCH, *eeg.shape, generator=generator, dtype=dtype)
    return torch.rand(BATCH, *image.shape, generator=generator, dtype=dtype)


def plain(colour: str, image: Signal) -> Tensor:
    return torch.tensor(PLAIN[colour]).reshape(1, 3, 1, 1).repeat(BATCH, 1, *image.shape[1:])


def draw(transform: Transform, x: Tensor, seed: int = 0) -> Tensor:
    return transform.draw(x, torch.Generator(x.device).manual_seed(seed))


def lively(transform: Transform, noise: Tensor) -> Tensor:
    """Magnitudes (B,) at which the result does change with the magnitude."""
    if not transform.graded:  # the relaxed Bernoulli moves only near 1 - u
        return (1 - noise + 0.02).clamp(0.05, 0.95)
    if transform.name == "channel_dropout":  # its sigmoid moves only near u
        return noise[:, 0].clamp(0.05, 0.95)
    return torch.linspace(0.2, 0.9, len(noise), dtype=noise.dtype)


def test_the_table_holds_the_13_of_the_paper_and_no_name_twice() -> None:
    assert len(EEG) == 13
    assert len(TRANSFORMS) == len(EEG) + len(IMAGE)


@every
def test_a_row_describes_itself(name: str, transform: Transform) -> None:
    assert transform.name == name
    assert transform.unit
    assert transform.source
    assert math.isfinite(transform.strongest)
    assert transform.strongest > 0
    assert transform.graded == (transform.gradient != "relaxed")
    assert (transform.gradient == "straight-through") == (name in STRAIGHT_THROUGH)
    assert (transform.gradient == "none") == (name in WITHOUT_GRADIENT)
    assert (transform.affine is not None) == (name in WARPS)
    assert transform.mixes == (name in MIXES)


@every
@pytest.mark.parametrize("copy", [deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_and_a_pickle_do_the_same_to_the_last_bit(
    name: str, copy: Callable[[Transform], Transform], transform: Transform, x: Tensor
) -> None:
    magnitude = torch.linspace(0, 1, BATCH)
    expected = transform.apply(x, magnitude, draw(transform, x))  # first: it fills what is kept
    other = copy(transform)
    assert torch.equal(other.apply(x, magnitude, draw(other, x)), expected)
    assert repr(other) == repr(transform)
    if transform.affine is not None:
        noise = draw(transform, x)
        assert other.affine is not None
        ours, theirs = (each(x, magnitude, noise) for each in (transform.affine, other.affine))
        assert torch.equal(ours, theirs)


@every
def test_its_repr_shows_what_it_is_and_no_addresses(name: str, transform: Transform) -> None:
    assert f"unit={transform.unit!r}" in repr(transform)
    assert " at 0x" not in repr(transform)


@every
def test_magnitude_0_is_the_identity(name: str, transform: Transform, x: Tensor) -> None:
    for seed in range(5):
        out = transform.apply(x, torch.zeros(BATCH), draw(transform, x, seed))
        torch.testing.assert_close(out, x, rtol=0, atol=NEARLY_EXACT.get(name, 0))


@pytest.mark.parametrize("name", [name for name in EEG if name not in NEARLY_EXACT])
def test_magnitude_0_is_the_identity_in_batches_of_any_size(
    name: str, transform: Transform, eeg: Signal
) -> None:
    generator = torch.Generator().manual_seed(0)
    for n, n_times in itertools.product((*range(1, 40), 257), (200, 333)):
        x = torch.randn(n, eeg.n_channels, n_times, generator=generator)
        noise = 0.02 * draw(transform, x)  # where a channel would be silent first
        assert torch.equal(transform.apply(x, torch.zeros(n), noise), x), (n, n_times)


@every_image
def test_magnitude_0_leaves_images_of_one_colour_too(
    name: str, transform: Transform, image: Signal
) -> None:
    for colour in PLAIN:
        x = plain(colour, image)
        out = transform.apply(x, torch.zeros(BATCH), draw(transform, x))
        torch.testing.assert_close(out, x, rtol=0, atol=NEARLY_EXACT.get(name, 0))


@every_image
def test_images_stay_between_0_and_1(name: str, transform: Transform, x: Tensor) -> None:
    for picture in (x, x.round()):  # the second of pure colours
        for value in (0.3, 1.0):
            out = transform.apply(picture, torch.full((BATCH,), value), draw(transform, x))
            assert float(out.min()) >= -1e-6
            assert float(out.max()) <= 1 + 1e-6


@every
def test_same_noise_same_output(name: str, transform: Transform, x: Tensor) -> None:
    noise, magnitude = draw(transform, x), torch.full((BATCH,), 0.7)
    first = transform.apply(x, magnitude, noise)
    assert torch.equal(first, transform.apply(x, magnitude, noise))


@every
def test_noise_comes_from_the_generator_alone(name: str, transform: Transform, x: Tensor) -> None:
    assert torch.equal(draw(transform, x, 3), draw(transform, x, 3))
    assert not torch.equal(draw(transform, x, 3), draw(transform, x, 4))
    state = torch.get_rng_state()
    draw(transform, x)
    assert torch.equal(torch.get_rng_state(), state)


@every
def test_without_a_generator_torch_has_the_noise(
    name: str, transform: Transform, x: Tensor
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = transform.draw(x, None)
        second = transform.draw(x, None)
        torch.manual_seed(5)
        assert torch.equal(first, transform.draw(x, None))
    assert not torch.equal(first, second)


@every
def test_noise_differs_between_samples(name: str, transform: Transform, x: Tensor) -> None:
    noise = draw(transform, x)
    assert len(noise) == BATCH
    assert len(noise.reshape(BATCH, -1).unique(dim=0)) == BATCH


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_are_kept(
    name: str, dtype: torch.dtype, transform: Transform, eeg: Signal, image: Signal
) -> None:
    x = batch(name, eeg, image, dtype)
    noise = draw(transform, x)
    assert noise.dtype == dtype
    for size in (1, BATCH):
        for magnitude_dtype in (torch.float32, torch.float64):
            magnitude = torch.full((size,), 0.5, dtype=magnitude_dtype)
            out = transform.apply(x[:size], magnitude, noise[:size])
            assert out.shape == x[:size].shape
            assert out.dtype == dtype
            assert torch.isfinite(out).all()


@pytest.mark.parametrize(
    "constant_of",
    [DeviceConstant(torch.arange(3.0)), partial(SizedConstant(torch.eye), 3)],
)
def test_a_constant_that_was_only_traced_is_not_kept(
    constant_of: Callable[[Tensor], Tensor],
) -> None:
    x = torch.zeros(2, dtype=torch.float64)
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert type(constant_of(torch.zeros(2, dtype=torch.float64))) is not Tensor
    assert type(constant_of(x)) is Tensor
    assert constant_of(x) is constant_of(x)


@every
def test_an_empty_batch_stays_empty(name: str, transform: Transform, x: Tensor) -> None:
    none = x[:0]
    out = transform.apply(none, torch.zeros(0), draw(transform, none))
    assert out.shape == none.shape
    assert out.dtype == none.dtype


@every
def test_float32_agrees_with_float64(
    name: str, transform: Transform, eeg: Signal, image: Signal
) -> None:
    x = batch(name, eeg, image, torch.float64)
    noise = draw(transform, x).float()
    magnitude = torch.linspace(0.1, 1, BATCH)
    exact = transform.apply(x.float().double(), magnitude.double(), noise.double())
    out = transform.apply(x.float(), magnitude, noise)
    torch.testing.assert_close(out.double(), exact, rtol=0, atol=2e-4)


@every
def test_forward_mode_gives_the_products_of_reverse_mode(
    name: str, transform: Transform, eeg: Signal, image: Signal
) -> None:
    x = batch(name, eeg, image, torch.float64)
    noise = draw(transform, x)
    inputs = x, lively(transform, noise)
    generator = torch.Generator().manual_seed(4)
    tangents = tuple(torch.randn(each.shape, generator=generator).double() for each in inputs)
    slope = torch.randn(x.shape, generator=generator).double()

    def result(x: Tensor, magnitude: Tensor) -> Tensor:
        return transform.apply(x, magnitude, noise)

    out, moved = torch.func.jvp(result, inputs, tangents)
    same, back = torch.func.vjp(result, *inputs)
    torch.testing.assert_close(out, same)
    products = [(g * t).sum() for g, t in zip(back(slope), tangents, strict=True)]
    torch.testing.assert_close((slope * moved).sum(), torch.stack(products).sum())
    assert products[0] != 0
    forward = torch.func.jacfwd(lambda m: (slope * result(x, m)).flatten(1).sum(1))(inputs[1])
    torch.testing.assert_close(forward.diagonal(), back(slope)[1])
    both = torch.stack([inputs[1], inputs[1]])
    mapped = torch.func.vmap(torch.func.jacfwd(lambda m: (slope * result(x, m)).sum()))(both)
    torch.testing.assert_close(mapped, back(slope)[1].expand(2, -1))


@every
def test_x_is_left_untouched_and_gets_no_gradient(
    name: str, transform: Transform, x: Tensor
) -> None:
    before, version = x.clone(), x._version
    magnitude = torch.full((BATCH,), 0.5, requires_grad=True)
    out = transform.apply(x, magnitude, draw(transform, x))
    assert out.requires_grad == (name not in WITHOUT_GRADIENT)
    (out.sum() + 0 * magnitude.sum()).backward()
    assert torch.equal(x, before)
    assert x._version == version
    assert not x.requires_grad
    assert x.grad is None
    # Nor does writing into the result reach x, not even where the transform had nothing to do.
    with torch.no_grad():
        transform.apply(x, torch.zeros(BATCH), draw(transform, x)).fill_(7.0)
    assert torch.equal(x, before)


@differentiable
def test_the_gradient_of_the_magnitude_is_the_finite_difference(
    name: str, transform: Transform, eeg: Signal, image: Signal
) -> None:
    x = batch(name, eeg, image, torch.float64)
    noise = draw(transform, x)
    magnitude = lively(transform, noise)
    g = torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def loss(m: Tensor) -> Tensor:
        return (g * transform.apply(x, m, noise)).flatten(1).sum(1)

    step = 1e-6
    expected = (loss(magnitude + step) - loss(magnitude - step)) / (2 * step)
    magnitude.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(magnitude).sum(), magnitude)
    assert (expected.abs() > 1e-3).sum() >= BATCH // 2
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-4)


@with_gradient
def test_the_gradient_of_the_magnitude_is_finite_everywhere(
    name: str, transform: Transform, x: Tensor
) -> None:
    for value in (0.0, 1e-7, 0.3, 1 - 1e-7, 1.0):
        magnitude = torch.full((BATCH,), value, requires_grad=True)
        transform.apply(x, magnitude, draw(transform, x)).square().sum().backward()
        assert magnitude.grad is not None
        assert torch.isfinite(magnitude.grad).all()


@every_image
def test_images_of_one_colour_have_finite_gradients(
    name: str, transform: Transform, image: Signal
) -> None:
    for colour in PLAIN:
        for value in (0.0, 0.5, 1.0):
            x = plain(colour, image).requires_grad_()
            magnitude = torch.full((BATCH,), value, requires_grad=True)
            g = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
            out = transform.apply(x, magnitude, draw(transform, x))
            ((g * out).sum() + 0 * magnitude.sum()).backward()
            assert x.grad is not None
            assert magnitude.grad is not None
            assert torch.isfinite(x.grad).all(), colour
            assert torch.isfinite(magnitude.grad).all(), colour


@differentiable_in_x
def test_the_gradient_of_x_is_the_finite_difference(
    name: str, transform: Transform, eeg: Signal, image: Signal
) -> None:
    x = 0.9 * batch(name, eeg, image, torch.float64)
    noise = draw(transform, x)
    magnitude = lively(transform, noise).requires_grad_()  # as in a stack of layers
    generator = torch.Generator().manual_seed(2)  # at others a step may cross a kink
    g, direction = torch.randn(2, *x.shape, generator=generator, dtype=torch.float64)

    def loss(x: Tensor) -> Tensor:
        return (g * transform.apply(x, magnitude, noise)).sum()

    step = 1e-6
    with torch.no_grad():
        expected = (loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(x), x)
    torch.testing.assert_close((gradient * direction).sum(), expected, rtol=1e-6, atol=1e-6)


@every
def test_a_magnitude_reaches_its_own_sample_only(
    name: str, transform: Transform, x: Tensor
) -> None:
    noise = draw(transform, x)
    magnitude = torch.full((BATCH,), 0.1)
    before = transform.apply(x, magnitude, noise)
    for i in (0, BATCH - 1):
        other = magnitude.clone()
        other[i] = 1.0
        after = transform.apply(x, other, noise)
        changed = (after != before).flatten(1).any(1)
        assert changed.nonzero().flatten().tolist() == [i]


@every
def test_magnitude_1_is_as_strong_as_any(name: str, transform: Transform, x: Tensor) -> None:
    x = x.repeat(8, *[1] * (x.ndim - 1))
    noise = draw(transform, x)

    def distance(value: float) -> Tensor:
        return (transform.apply(x, torch.full((len(x),), value), noise) - x).norm()

    assert distance(1.0) > 0
    assert distance(1.0) >= 0.97 * distance(0.3)  # two shifts by many hertz are equally far


class NoPeeking(TorchDispatchMode):
    """Refuses what waits for a GPU: reading a value, results of unknown size, changes of device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        name = str(func)
        for waiting in ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal."):
            assert waiting not in name, name
        return func(*args, **kwargs or {})


@every
def test_nothing_waits_for_the_device(name: str, transform: Transform, x: Tensor) -> None:
    with NoPeeking():
        magnitude = torch.full((BATCH,), 0.5, requires_grad=True)
        out = transform.apply(x, magnitude, transform.draw(x, None))
        (out.sum() + 0 * magnitude.sum()).backward()
    with pytest.raises(AssertionError, match="_local_scalar_dense"), NoPeeking():
        x.sum().item()


@every
def test_all_tensors_are_made_on_the_device_of_x(
    name: str, transform: Transform, x: Tensor
) -> None:
    # The meta device has no values: it refuses numpy, .cpu(), .item() and tensors from elsewhere.
    x = x.to("meta")
    magnitude = torch.full((BATCH,), 0.5, device="meta", requires_grad=True)
    noise = transform.draw(x, None)
    out = transform.apply(x, magnitude, noise)
    assert noise.device == out.device == x.device
    assert out.shape == x.shape
    (out.sum() + 0 * magnitude.sum()).backward()


@every
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_gpu_gives_what_the_cpu_gives(name: str, transform: Transform, x: Tensor) -> None:
    noise, magnitude = draw(transform, x), torch.linspace(0.1, 1, BATCH)
    expected = transform.apply(x, magnitude, noise)
    out = transform.apply(x.cuda(), magnitude.cuda(), noise.cuda())
    assert out.is_cuda
    torch.testing.assert_close(out.cpu(), expected, rtol=0, atol=1e-4)
    assert draw(transform, x.cuda()).is_cuda
