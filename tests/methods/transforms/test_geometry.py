import kornia
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from augbench.datasets.task import Signal
from augbench.methods.transforms.geometry import (
    crop,
    horizontal_flip,
    rotate,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    vertical_flip,
)
from augbench.methods.transforms.warp import warped_average

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


@pytest.mark.parametrize(("builder", "axis"), [(shear_x, 0), (shear_y, 1)])
def test_shear_agrees_with_kornias_about_the_centre(builder, axis: int, image: Signal) -> None:  # type: ignore[no-untyped-def]
    """kornia shears about the top left pixel, as AugNet's code does: the centre is added here."""
    x = pictures()
    slopes = 0.3 * MAGNITUDE * NOISE
    matrix = torch.eye(3).repeat(4, 1, 1)
    matrix[:, axis, 1 - axis] = slopes
    centre = torch.eye(3)
    centre[0, 2], centre[1, 2] = (16 - 1) / 2, (12 - 1) / 2
    about_centre = centre @ matrix @ torch.linalg.inv(centre)
    expected = kornia.geometry.affine(x, about_centre[:, :2])
    out = builder(image).apply(x, MAGNITUDE, NOISE)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@given(degrees=st.floats(-1, 1))
@settings(max_examples=15, deadline=None)
def test_shear_there_and_back_keeps_the_middle_of_a_smooth_image(degrees: float) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 31), torch.linspace(0, 1, 41), indexing="ij")
    picture = (0.3 * x + 0.5 * y).expand(1, 1, 31, 41)
    middle = (..., slice(11, 20), slice(16, 25))
    for builder in (shear_x, shear_y):
        transform, noise = builder(Signal("image", (1, 31, 41))), torch.tensor([degrees])
        back = transform.apply(
            transform.apply(picture, torch.ones(1), noise), torch.ones(1), -noise
        )
        torch.testing.assert_close(back[middle], picture[middle], rtol=0, atol=1e-4)


def test_shear_leaves_the_middle_where_it_is() -> None:
    """The official code moves it by half a height times the slope."""
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4, 4] = 1.0
    for builder in (shear_x, shear_y):
        out = builder(Signal("image", (1, 9, 9))).apply(x, torch.ones(1), torch.ones(1))
        assert float(out[..., 4, 4]) == pytest.approx(1.0, abs=1e-5)


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
    for builder, axis in ((horizontal_flip, 3), (vertical_flip, 2)):
        transform = builder(Signal("image", (1, 5, 6)))
        once = transform.apply(x, torch.ones(2), torch.rand(2))
        assert torch.equal(once.select(axis, 0), x.select(axis, -1))
        assert torch.equal(transform.apply(once, torch.ones(2), torch.rand(2)), x)


def test_flips_agree_with_kornia(image: Signal) -> None:
    x = pictures()
    across = horizontal_flip(image).apply(x, torch.ones(4), NOISE.abs())
    assert torch.equal(across, kornia.geometry.hflip(x))
    down = vertical_flip(image).apply(x, torch.ones(4), NOISE.abs())
    assert torch.equal(down, kornia.geometry.vflip(x))


@given(down=st.floats(-1, 1, exclude_max=True), across=st.floats(-1, 1, exclude_max=True))
@settings(max_examples=25, deadline=None)
def test_a_crop_is_a_window_of_the_padded_image(down: float, across: float) -> None:
    x = pictures(1, (1, 32, 16))
    noise = torch.tensor([[down, across]])
    out = crop(Signal("image", (1, 32, 16))).apply(x, torch.ones(1), noise)
    padded = torch.nn.functional.pad(x, (2, 2, 4, 4))
    windows = [
        padded[..., row : row + 32, column : column + 16] for row in range(9) for column in range(5)
    ]
    assert any(torch.equal(out, window) for window in windows)


def test_a_crop_takes_every_window_equally_often() -> None:
    x = torch.zeros(9000, 1, 9, 9)
    x[..., 4, 4] = 1.0
    transform = crop(Signal("image", (1, 9, 9)), strongest=1 / 9)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    counts = transform.apply(x, torch.ones(9000), noise).sum(0)[0, 3:6, 3:6]
    assert counts.flatten().tolist() == pytest.approx([1000] * 9, abs=130)


@pytest.mark.parametrize("strongest", [0.125, 0.001])
@pytest.mark.parametrize("side", [2, 4, 7, 49, 98, 103])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_crop_reaches_a_pixel_whatever_its_range(
    side: int, strongest: float, dtype: torch.dtype
) -> None:
    transform = crop(Signal("image", (1, side, side)), strongest=strongest)
    assert transform.strongest == strongest
    x = torch.zeros(1, 1, side, side, dtype=dtype)
    x[..., 0, 0] = 1.0
    moved = transform.apply(x, torch.ones(1), torch.full((1, 2), 0.99, dtype=dtype))
    assert moved.nonzero()[0, 2:].tolist() == [max(1, int(strongest * side))] * 2


def test_one_sampling_gives_the_sum_of_its_parts(image: Signal) -> None:
    x, shares = pictures(), torch.rand(4, 5)
    rows = [builder(image) for builder in (translate_x, translate_y, rotate, shear_x, shear_y)]
    by_hand = torch.zeros_like(x)
    affines = []
    for q, row in enumerate(rows):
        by_hand += shares[:, q].reshape(4, 1, 1, 1) * row.apply(x, MAGNITUDE, NOISE.roll(q))
        assert row.affine is not None
        affines.append(row.affine(x, MAGNITUDE, NOISE.roll(q)))
    out = warped_average(x, torch.stack(affines, dim=1), shares)
    torch.testing.assert_close(out, by_hand, rtol=0, atol=1e-5)
