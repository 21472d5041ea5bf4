import kornia
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.task import Signal
from methods.transforms.intensity import brightness

NOISE = torch.tensor([-1.0, -0.35, 0.1, 0.9])
MAGNITUDE = torch.tensor([1.0, 0.6, 0.8, 0.3])


def pictures(n_samples: int = 4, shape: tuple[int, int, int] = (3, 12, 16)) -> torch.Tensor:
    return torch.rand(n_samples, *shape, generator=torch.Generator().manual_seed(0))


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
