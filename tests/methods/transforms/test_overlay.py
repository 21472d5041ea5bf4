import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from augbench.datasets.task import Signal
from augbench.methods.transforms.overlay import cutout, sample_pairing

SIGNAL = Signal("image", (3, 12, 16))


def pictures(n_samples: int = 4, shape: tuple[int, int, int] = (3, 12, 16)) -> torch.Tensor:
    return torch.rand(n_samples, *shape, generator=torch.Generator().manual_seed(0))


def covered(side: float, down: float, across: float) -> torch.Tensor:
    """(12, 16), how much of each pixel a square of that many pixels covers at that centre."""
    transform = cutout(SIGNAL, strongest=0.5)
    noise = torch.tensor([[1.0, down / 12, across / 16]], dtype=torch.float64)
    black = torch.zeros(1, 1, 12, 16, dtype=torch.float64)
    magnitude = torch.tensor([side / 6], dtype=torch.float64)
    return 2 * transform.apply(black, magnitude, noise)[0, 0]  # 0.5 is all grey


def test_a_square_of_whole_pixels_is_set_to_grey_and_nothing_else_is() -> None:
    x = pictures(2)
    noise = torch.tensor([[1.0, 6 / 12, 7 / 16], [0.5, 0.0, 1.0]])  # the second in a corner
    out = cutout(SIGNAL, strongest=0.5).apply(x, torch.tensor([4 / 6, 8 / 6]), noise)
    expected = x.clone()
    expected[0, :, 4:8, 5:9] = 0.5
    expected[1, :, :2, 14:] = 0.5
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-6)


@given(side=st.floats(0, 6), down=st.floats(0, 12), across=st.floats(0, 16))
@settings(max_examples=50, deadline=None)
def test_the_covered_area_is_that_of_the_square_inside_the_image(
    side: float, down: float, across: float
) -> None:
    cover = covered(side, down, across)
    height = min(down + side / 2, 12) - max(down - side / 2, 0)
    width = min(across + side / 2, 16) - max(across - side / 2, 0)
    assert float(cover.sum()) == pytest.approx(height * width, abs=1e-9)
    assert float(cover.min()) >= 0
    assert float(cover.max()) <= 1 + 1e-12


def test_the_side_grows_from_0_to_the_magnitude_and_the_centre_lies_anywhere() -> None:
    x = torch.zeros(20_000, 1, 12, 16)
    transform = cutout(SIGNAL)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    area = 2 * transform.apply(x, torch.ones(20_000), noise).sum((1, 2, 3))
    # Sides s uniform in [0, 2.4) have the mean square 2.4^2 / 3; with the centre uniform along a
    # length L, s^2 / 4 of s L sticks out on average.
    inside = [s * s * (1 - s / 4 / 12) * (1 - s / 4 / 16) for s in torch.linspace(0, 2.4, 200)]
    assert float(area.mean()) == pytest.approx(float(sum(inside)) / 200, rel=0.03)
    assert float(area.max()) == pytest.approx(2.4**2, rel=0.01)
    where = transform.apply(x, torch.ones(20_000), noise).mean(0)[0]
    assert float(where[2:-2, 2:-2].std() / where[2:-2, 2:-2].mean()) < 0.1


@given(magnitude=st.floats(0, 1), seed=st.integers(0, 999), n=st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_pairing_at_equal_weights_keeps_the_mean_of_the_batch(
    magnitude: float, seed: int, n: int
) -> None:
    x, transform = pictures(n), sample_pairing(SIGNAL)
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    noise[:, 0] = 0.7
    out = transform.apply(x, torch.full((n,), magnitude), noise)
    torch.testing.assert_close(out.mean(0), x.mean(0), rtol=0, atol=1e-6)


@given(seed=st.integers(0, 999), n=st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_pairs_are_mixed_by_their_weights_and_nobody_is_his_own_partner(seed: int, n: int) -> None:
    x, transform = pictures(n), sample_pairing(SIGNAL)
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    magnitude = torch.linspace(0.5, 1, n)
    weight = (0.4 * magnitude * noise[:, 0]).reshape(n, 1, 1, 1)
    out = transform.apply(x, magnitude, noise)
    mixed = (1 - weight).unsqueeze(1) * x.unsqueeze(1) + weight.unsqueeze(1) * x  # (n, n, C, H, W)
    fits = (mixed - out.unsqueeze(1)).abs().flatten(2).amax(2) < 1e-6
    assert torch.equal(fits.sum(1), torch.ones(n, dtype=torch.long))
    assert torch.equal(fits.sum(0), torch.ones(n, dtype=torch.long))
    assert not fits.diagonal().any()


def test_each_other_image_is_a_partner_equally_often() -> None:
    x = torch.eye(5).reshape(5, 1, 1, 5)
    transform, generator = sample_pairing(Signal("image", (1, 1, 5))), torch.Generator()
    generator.manual_seed(0)
    counts = torch.zeros(5, 5)
    for _ in range(2000):
        noise = transform.draw(x, generator)
        noise[:, 0] = 1.0
        counts += transform.apply(x, torch.ones(5), noise).squeeze() / 0.4 - 1.5 * torch.eye(5)
    assert counts[~torch.eye(5, dtype=torch.bool)].tolist() == pytest.approx([500] * 20, rel=0.15)


def test_an_image_alone_stays_as_it_is() -> None:
    x, transform = pictures(1), sample_pairing(SIGNAL)
    out = transform.apply(x, torch.ones(1), transform.draw(x, torch.Generator().manual_seed(0)))
    assert torch.equal(out, x)


def test_a_weight_goes_no_further_than_the_other_image() -> None:
    assert sample_pairing(SIGNAL, strongest=3.0).strongest == 1.0
    x = pictures(2)
    out = sample_pairing(SIGNAL, strongest=1.0).apply(x, torch.ones(2), torch.ones(2, 2))
    torch.testing.assert_close(out, x.flip(0), rtol=0, atol=1e-6)
