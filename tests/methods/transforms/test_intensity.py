import colorsys
import math

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.intensity import brightness, contrast, hue, saturation, sharpness
from augbench.methods.transforms.transform import Builder

SIGNAL = Signal("image", (3, 12, 16))
NOISE = torch.tensor([-1.0, -0.35, 0.1, 0.9])
MAGNITUDE = torch.tensor([1.0, 0.6, 0.8, 0.3])
FACTOR = 1 + MAGNITUDE * NOISE
LUMA = torch.tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)


def pictures(n_samples: int = 4, shape: tuple[int, int, int] = (3, 12, 16)) -> torch.Tensor:
    return torch.rand(n_samples, *shape, generator=torch.Generator().manual_seed(0))


def changed(builder: Builder, x: torch.Tensor, change: float) -> torch.Tensor:
    """All images with the same change in [-1, 1] of the strongest."""
    n = len(x)
    return builder(SIGNAL).apply(x, torch.full((n,), abs(change)), torch.full((n,), change).sign())


@pytest.mark.parametrize(
    ("builder", "theirs"),
    [
        (brightness, kornia.enhance.adjust_brightness_accumulative),
        (contrast, kornia.enhance.adjust_contrast_with_mean_subtraction),
        (saturation, kornia.enhance.adjust_saturation_with_gray_subtraction),
        (sharpness, kornia.enhance.sharpness),
    ],
)
def test_an_enhancement_stays_in_range_and_agrees_with_kornia(builder, theirs) -> None:  # type: ignore[no-untyped-def]
    x = pictures()
    out = builder(SIGNAL).apply(x, MAGNITUDE, NOISE)
    torch.testing.assert_close(out, theirs(x, FACTOR), rtol=0, atol=1e-6)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1


@pytest.mark.parametrize("change", [-1.0, -0.7, 0.0, 0.7, 1.0])
@pytest.mark.parametrize(
    ("builder", "theirs"),
    [
        (brightness, ImageEnhance.Brightness),
        (contrast, ImageEnhance.Contrast),
        (saturation, ImageEnhance.Color),
        (sharpness, ImageEnhance.Sharpness),
    ],
)
def test_an_enhancement_agrees_with_pil_up_to_its_rounding(builder, theirs, change: float) -> None:  # type: ignore[no-untyped-def]
    levels = (255 * pictures()).round().byte()
    out = 255 * changed(builder, levels / 255, change)
    for ours, picture in zip(out, levels, strict=True):
        image = Image.fromarray(picture.permute(1, 2, 0).numpy())
        expected = torch.from_numpy(np.array(theirs(image).enhance(1 + change))).permute(2, 0, 1)
        # PIL rounds the dull version, then cuts the result to whole levels.
        assert float((ours - expected).abs().max()) < 1.6


def test_contrast_and_sharpness_of_one_colour_agree_with_kornia() -> None:
    signal, x = Signal("image", (1, 12, 16)), pictures(shape=(1, 12, 16))
    for builder, theirs in (
        (contrast, kornia.enhance.adjust_contrast_with_mean_subtraction),
        (sharpness, kornia.enhance.sharpness),
    ):
        out = builder(signal).apply(x, MAGNITUDE, NOISE)
        torch.testing.assert_close(out, theirs(x, FACTOR), rtol=0, atol=1e-6)


@given(magnitude=st.floats(0, 1), noise=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_brightness_scales_the_mean(magnitude: float, noise: float) -> None:
    x = 0.5 * pictures()  # so dark that nothing is cut
    transform = brightness(SIGNAL)
    out = transform.apply(x, torch.full((4,), magnitude), torch.full((4,), noise))
    expected = x.mean((1, 2, 3)) * (1 + magnitude * noise)
    torch.testing.assert_close(out.mean((1, 2, 3)), expected, rtol=1e-4, atol=1e-6)


@given(change=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_contrast_keeps_the_mean_grey_and_scales_the_deviation(change: float) -> None:
    x = 0.3 + 0.4 * pictures()  # so dull that nothing is cut
    out = changed(contrast, x, change)
    grey, before = (out * LUMA).sum(1), (x * LUMA).sum(1)
    torch.testing.assert_close(grey.mean((1, 2)), before.mean((1, 2)), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        grey.std((1, 2)), (1 + change) * before.std((1, 2)), rtol=0, atol=1e-5
    )


@given(change=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_saturation_keeps_the_grey_and_without_any_all_is_grey(change: float) -> None:
    x = 0.25 + 0.25 * pictures()
    out = changed(saturation, x, change)
    torch.testing.assert_close((out * LUMA).sum(1), (x * LUMA).sum(1), rtol=0, atol=1e-5)
    none = changed(saturation, x, -1.0)
    torch.testing.assert_close(none, none[:, :1].expand_as(x), rtol=0, atol=1e-6)


@given(change=st.floats(-1, 1), across=st.floats(-0.02, 0.02), down=st.floats(-0.02, 0.02))
@settings(max_examples=25, deadline=None)
def test_sharpness_finds_no_detail_in_a_ramp_and_keeps_the_border(
    change: float, across: float, down: float
) -> None:
    ramp = 0.5 + across * torch.arange(-8.0, 8.0) + down * torch.arange(-6.0, 6.0).unsqueeze(1)
    ramp = ramp.clamp(0, 1).expand(1, 3, 12, 16)
    torch.testing.assert_close(changed(sharpness, ramp, change), ramp, rtol=0, atol=1e-6)
    x = pictures()
    out = changed(sharpness, x, change)
    for axis, end in ((2, 0), (2, -1), (3, 0), (3, -1)):
        assert torch.equal(out.select(axis, end), x.select(axis, end))


@given(change=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_hue_agrees_with_the_standard_library(change: float) -> None:
    x = pictures(1)
    x[..., 0] = x[:, :1, :, 0].round()  # black and white, beside what is random
    out = changed(hue, x, change)
    for ours, pixel in zip(out[0].flatten(1).T, x[0].flatten(1).T, strict=True):
        h, s, v = colorsys.rgb_to_hsv(*pixel.double().tolist())
        expected = colorsys.hsv_to_rgb((h + change / 2) % 1, s, v)
        assert ours.tolist() == pytest.approx(expected, abs=2e-6)


def test_hue_agrees_with_kornia() -> None:
    x = pictures()
    expected = kornia.enhance.adjust_hue(x, math.pi * MAGNITUDE * NOISE)
    out = hue(SIGNAL).apply(x, MAGNITUDE, NOISE)
    torch.testing.assert_close(out, expected, rtol=0, atol=3e-6)


@given(change=st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_hue_there_and_back_is_the_identity(change: float) -> None:
    x = pictures()
    back = changed(hue, changed(hue, x, change), -change)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-5)


def test_a_third_of_a_turn_makes_red_green_and_green_blue() -> None:
    x = pictures()
    out = changed(hue, x, 2 / 3)
    torch.testing.assert_close(out, x.roll(1, 1), rtol=0, atol=2e-6)


def test_grey_images_have_no_hue_and_no_saturation() -> None:
    x = pictures(shape=(1, 12, 16)).expand(4, 3, 12, 16)
    for builder in (hue, saturation):
        torch.testing.assert_close(changed(builder, x, 1.0), x, rtol=0, atol=1e-6)


def test_a_cut_pixel_has_no_gradient_and_a_white_one_still_has(image: Signal) -> None:
    x = torch.full((1, 1, 1, 2), 1.0)
    x[..., 0] = 0.8
    for magnitude, expected in ((0.0, 1.8), (0.1, 0.8), (0.5, 0.0)):
        value = torch.tensor([magnitude], requires_grad=True)
        brightness(image).apply(x, value, torch.ones(1)).sum().backward()
        assert value.grad is not None
        assert float(value.grad) == pytest.approx(expected)


@pytest.mark.parametrize("builder", [saturation, hue])
@pytest.mark.parametrize("n_colours", [1, 2, 4])
def test_what_needs_three_colours_says_so(builder: Builder, n_colours: int) -> None:
    complaint = rf"'{builder.__name__}' needs images of three colours .* has {n_colours} of them"
    with pytest.raises(UserError, match=complaint):
        builder(Signal("image", (n_colours, 8, 8)))


def test_sharpness_needs_a_pixel_with_neighbours() -> None:
    with pytest.raises(UserError, match="3 x 3 pixels or more, the signal has 2 x 9"):
        sharpness(Signal("image", (3, 2, 9)))
    sharpness(Signal("image", (1, 3, 3)))
