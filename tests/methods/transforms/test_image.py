import kornia
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.task import Signal
from methods.transforms.image import (
    brightness,
    horizontal_flip,
    rotate,
    translate_x,
    translate_y,
)

NOISE = torch.tensor([-1.0, -0.35, 0.1, 0.9])
MAGNITUDE = torch.tensor([1.0, 0.6, 0.8, 0.3])


def pictures(n_samples: int = 4, shape: tuple[int, int, int] = (3, 12, 16)) -> torch.Tensor:
    return torch.rand(n_samples, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("builder", "axis"), [(translate_x, 0), (translate_y, 1)])
def test_translation_agrees_with_kornia(builder, axis: int, image: Signal) -> None:  # type: ignore[no-untyped-def]
    x = pictures()
    pixels = torch.zeros(4, 2)
    pixels[:, axis] = 0.45 * (16, 12)[axis] * MAGNITUDE * NOISE
    expected = kornia.geometry.translate(x, pixels, mode="bilinear", padding_mode="zeros")
    out = builder(image).apply(x, MAGNITUDE, NOISE)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("strongest", [30.0, 180.0])
def test_rotation_agrees_with_kornia(strongest: float, image: Signal) -> None:
    x = pictures()
    expected = kornia.geometry.rotate(
        x, strongest * MAGNITUDE * NOISE, mode="bilinear", padding_mode="zeros"
    )
    out = rotate(image, strongest=strongest).apply(x, MAGNITUDE, NOISE)
    torch.testing.assert_close(out, expected, rtol=0, atol=2e-5)


@given(pixels=st.integers(-7, 7))
@settings(max_examples=15, deadline=None)
def test_translation_by_whole_pixels_is_a_shift(pixels: int) -> None:
    x = pictures()
    signal = Signal("image", (3, 12, 16))
    for builder, axis, size in ((translate_x, 3, 16), (translate_y, 2, 12)):
        shift = max(-5, min(5, pixels)) if axis == 2 else pixels
        out = builder(signal).apply(x, torch.ones(4), torch.full((4,), shift / size / 0.45))
        kept = size - abs(shift)
        target, source = max(shift, 0), max(-shift, 0)
        torch.testing.assert_close(
            out.narrow(axis, target, kept), x.narrow(axis, source, kept), rtol=0, atol=2e-5
        )
        if shift:
            gone = out.narrow(axis, 0 if shift > 0 else kept, abs(shift))
            assert float(gone.abs().max()) < 2e-5


@pytest.mark.parametrize("quarters", [-2, -1, 1, 2])
def test_rotation_by_right_angles_agrees_with_rot90(quarters: int) -> None:
    x = pictures(shape=(2, 9, 9))
    transform = rotate(Signal("image", (2, 9, 9)), strongest=180.0)
    out = transform.apply(x, torch.ones(4), torch.full((4,), quarters / 2))
    torch.testing.assert_close(out, torch.rot90(x, quarters, (-2, -1)), rtol=0, atol=2e-5)


@given(degrees=st.floats(-30, 30))
@settings(max_examples=15, deadline=None)
def test_rotation_there_and_back_keeps_the_middle_of_a_smooth_image(degrees: float) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 31), torch.linspace(0, 1, 41), indexing="ij")
    picture = (0.3 * x + 0.5 * y).expand(1, 1, 31, 41)
    transform = rotate(Signal("image", (1, 31, 41)))
    noise = torch.tensor([degrees / 30])
    there = transform.apply(picture, torch.ones(1), noise)
    back = transform.apply(there, torch.ones(1), -noise)
    middle = (..., slice(11, 20), slice(16, 25))
    torch.testing.assert_close(back[middle], picture[middle], rtol=0, atol=1e-4)


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_flipping_twice_is_the_identity(seed: int) -> None:
    x = torch.rand(2, 1, 5, 6, generator=torch.Generator().manual_seed(seed))
    transform = horizontal_flip(Signal("image", (1, 5, 6)))
    once = transform.apply(x, torch.ones(2), torch.rand(2))
    assert torch.equal(once[..., 0], x[..., -1])
    assert torch.equal(transform.apply(once, torch.ones(2), torch.rand(2)), x)


def test_the_flip_agrees_with_kornia(image: Signal) -> None:
    x = pictures()
    out = horizontal_flip(image).apply(x, torch.ones(4), NOISE.abs())
    assert torch.equal(out, kornia.geometry.hflip(x))


@given(magnitude=st.floats(0, 1), noise=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_brightness_scales_the_mean(magnitude: float, noise: float) -> None:
    x = 0.5 * pictures()  # so dark that nothing is cut
    transform = brightness(Signal("image", (3, 12, 16)))
    out = transform.apply(x, torch.full((4,), magnitude), torch.full((4,), noise))
    expected = x.mean((1, 2, 3)) * (1 + magnitude * noise)
    torch.testing.assert_close(out.mean((1, 2, 3)), expected, rtol=1e-4, atol=1e-6)


def test_brightness_stays_in_range_and_agrees_with_kornia(image: Signal) -> None:
    x = pictures()
    out = brightness(image).apply(x, MAGNITUDE, NOISE)
    factor = (1 + MAGNITUDE * NOISE).reshape(-1, 1, 1, 1)
    expected = kornia.enhance.adjust_brightness_accumulative(x, factor.flatten())
    torch.testing.assert_close(out, expected)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1


def test_a_cut_pixel_has_no_gradient_and_a_white_one_still_has(image: Signal) -> None:
    x = torch.full((1, 1, 1, 2), 1.0)
    x[..., 0] = 0.8
    for magnitude, expected in ((0.0, 1.8), (0.1, 0.8), (0.5, 0.0)):
        value = torch.tensor([magnitude], requires_grad=True)
        brightness(image).apply(x, value, torch.ones(1)).sum().backward()
        assert value.grad is not None
        assert float(value.grad) == pytest.approx(expected)
