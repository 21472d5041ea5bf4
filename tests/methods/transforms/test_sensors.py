import numpy as np
import pytest
import torch
from braindecode.augmentation import ChannelsSymmetry, functional
from hypothesis import given, settings
from hypothesis import strategies as st

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.sensors import (
    channel_dropout,
    channel_shuffle,
    channel_symmetry,
    sign_flip,
)

NAMES = ("Fz", "O1", "C4", "Oz", "C3", "O2", "FT9", "FT10", "F7")


def noisy(n_samples: int, n_channels: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_samples, n_channels, 50, generator=generator)


def test_sign_flip_agrees_with_braindecode(eeg: Signal) -> None:
    x = noisy(3, 6)
    out = sign_flip(eeg).apply(x, torch.ones(3), torch.rand(3))
    assert torch.equal(out, functional.sign_flip(x, None)[0])


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_flipping_the_sign_twice_is_the_identity(seed: int) -> None:
    x, transform = noisy(3, 6, seed), sign_flip(Signal("eeg", (6, 50)))
    once = transform.apply(x, torch.ones(3), torch.rand(3))
    assert not torch.equal(once, x)
    assert torch.equal(transform.apply(once, torch.ones(3), torch.rand(3)), x)


def test_channel_symmetry_agrees_with_braindecode() -> None:
    x = noisy(2, len(NAMES))
    order = ChannelsSymmetry(1.0, list(NAMES)).permutation
    out = channel_symmetry(Signal("eeg", (len(NAMES), 50), NAMES)).apply(
        x, torch.ones(2), torch.rand(2)
    )
    assert torch.equal(out, functional.channels_permute(x, None, order)[0])
    assert torch.equal(out[:, NAMES.index("C3")], x[:, NAMES.index("C4")])
    assert torch.equal(out[:, NAMES.index("F7")], x[:, NAMES.index("F7")])  # F8 is not there


@given(order=st.permutations(NAMES), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_symmetry_twice_is_the_identity(order: list[str], seed: int) -> None:
    x = noisy(2, len(order), seed)
    transform = channel_symmetry(Signal("eeg", (len(order), 50), tuple(order)))
    once = transform.apply(x, torch.ones(2), torch.rand(2))
    assert not torch.equal(once, x)
    assert torch.equal(transform.apply(once, torch.ones(2), torch.rand(2)), x)


@pytest.mark.parametrize("magnitude", [0.1, 0.5, 0.9])
def test_channel_dropout_agrees_with_braindecode(eeg: Signal, magnitude: float) -> None:
    x = noisy(30, 6)
    expected, _ = functional.channels_dropout(x, None, magnitude, random_state=2)
    uniform = np.random.RandomState(2).uniform(0, 1, size=(30, 6))
    out = channel_dropout(eeg).apply(
        x, torch.full((30,), magnitude), torch.from_numpy(uniform).float()
    )
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


def test_braindecode_weakens_channels_at_probability_0_and_here_both_ends_are_exact(
    eeg: Signal,
) -> None:
    x, uniform = torch.ones(2, 6, 50), torch.tensor([[0, 0.001, 0.004, 0.5, 0.996, 0.999]] * 2)
    theirs = torch.sigmoid(1000 * uniform[0])  # what braindecode keeps of them at probability 0
    assert float(theirs.min()) == 0.5
    transform = channel_dropout(eeg)
    assert torch.equal(transform.apply(x, torch.zeros(2), uniform), x)
    assert torch.equal(transform.apply(x, torch.ones(2), uniform), torch.zeros_like(x))


@given(magnitude=st.floats(0, 1), seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_channel_dropout_silences_whole_channels_only(magnitude: float, seed: int) -> None:
    transform = channel_dropout(Signal("eeg", (6, 50)))
    x = torch.ones(20, 6, 50)
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    out = transform.apply(x, torch.full((20,), magnitude), noise)
    assert torch.equal(out, out[..., :1].expand_as(out))
    clear = (noise - magnitude).abs() > 0.02  # within 0.02 the sigmoid may be half open
    kept = out[..., 0][clear]
    assert torch.allclose(kept, (noise > magnitude).float()[clear], atol=1e-6)


def test_channel_dropout_drops_as_often_as_it_says(eeg: Signal) -> None:
    x = torch.ones(2000, 6, 1)
    transform = channel_dropout(eeg)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    for magnitude in (0.2, 0.5, 0.8):
        out = transform.apply(x, torch.full((2000,), magnitude), noise)
        assert float(1 - out.mean()) == pytest.approx(magnitude, abs=0.02)


def test_channel_shuffle_agrees_with_braindecode(eeg: Signal) -> None:
    n_samples, share = 40, 0.6
    x = torch.arange(6.0).reshape(1, 6, 1).expand(n_samples, 6, 50)
    expected, _ = functional.channels_shuffle(x, None, share, random_state=4)
    uniform = np.random.RandomState(4).uniform(0, 1, size=(n_samples, 6))
    chance = 1 - torch.from_numpy(uniform).float()  # braindecode selects above 1 - p
    # The keys that put braindecode's permutation of the selected channels into effect.
    key = torch.zeros(n_samples, 6)
    for row, permutation in enumerate(expected[..., 0].long()):
        selected = (chance[row] < share).nonzero().flatten()
        assert torch.equal(permutation[selected].sort().values, selected)
        key[row, permutation[selected]] = torch.arange(len(selected)) / 6
    out = channel_shuffle(eeg).apply(
        x, torch.full((n_samples,), share), torch.stack([chance, key], dim=1)
    )
    assert torch.equal(out, expected)


@given(magnitude=st.floats(0, 1), n_channels=st.integers(2, 9), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_channel_shuffle_permutes_the_selected_channels(
    magnitude: float, n_channels: int, seed: int
) -> None:
    x = noisy(10, n_channels, seed)
    transform = channel_shuffle(Signal("eeg", (n_channels, 50)))
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    out = transform.apply(x, torch.full((10,), magnitude), noise)
    same = (out.unsqueeze(2) == x.unsqueeze(1)).all(-1)  # (B, C out, C in)
    assert torch.equal(same.sum(1), torch.ones(10, n_channels, dtype=torch.long))
    assert torch.equal(same.sum(2), torch.ones(10, n_channels, dtype=torch.long))
    left_out = noise[:, 0] >= magnitude
    assert same.diagonal(dim1=1, dim2=2)[left_out].all()


def test_channel_shuffle_draws_all_permutations_equally_often(eeg: Signal) -> None:
    x = torch.arange(3.0).reshape(1, 3, 1).expand(6000, 3, 1)
    transform = channel_shuffle(eeg)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    out = transform.apply(x, torch.ones(6000), noise)
    kinds, counts = out.squeeze(-1).unique(dim=0, return_counts=True)
    assert len(kinds) == 6
    assert float((counts / 1000 - 1).abs().max()) < 0.12


@pytest.mark.parametrize("magnitude", [0.0, 0.4, 1.0])
def test_the_straight_through_gradient_of_the_shuffle_is_its_chord(
    eeg: Signal, magnitude: float
) -> None:
    x, g = noisy(5, 6), noisy(5, 6, seed=1)
    transform = channel_shuffle(eeg)
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    values = torch.full((5,), magnitude, requires_grad=True)
    out = transform.apply(x, values, noise)
    assert torch.equal(out, transform.apply(x, values.detach(), noise))
    (out * g).sum().backward()
    ends = [transform.apply(x, torch.full((5,), end), noise) for end in (0.0, 1.0)]
    torch.testing.assert_close(values.grad, (g * (ends[1] - ends[0])).sum((1, 2)))


def test_the_straight_through_gradient_of_the_shuffle_is_right_on_average() -> None:
    # Two channels are both selected with p^2 and then swapped half of the time: the expected loss
    # goes from `stay` at p = 0 to (stay + swap) / 2 at p = 1.
    x = torch.tensor([[1.0], [3.0]]).expand(20_000, 2, 1)
    g = torch.tensor([[2.0], [-1.0]])
    stay, swap = 2 * 1.0 - 3.0, 2 * 3.0 - 1.0
    transform = channel_shuffle(Signal("eeg", (2, 1)))
    noise = transform.draw(x, torch.Generator().manual_seed(0))
    values = torch.full((20_000,), 0.5, requires_grad=True)
    (transform.apply(x, values, noise) * g).sum((1, 2)).mean().backward()
    assert values.grad is not None
    assert float(values.grad.sum()) == pytest.approx((swap - stay) / 2, rel=0.05)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("Oz", "O1"), r"O1 has no O2"),
        (("C3", "O2", "Fp1", "Cz"), "C3 has no C4, O2 has no O1, Fp1 has no FP2"),
        (("EEG C3-A2", "Cz"), "EEG C3-A2 has no C4"),
        (("Cz", "Oz"), "Cz, Oz on the midline"),
        (("Cz",), "Cz on the midline"),
    ],
)
def test_a_symmetry_without_a_pair_is_refused(names: tuple[str, ...], why: str) -> None:
    signal = Signal("eeg", (len(names), 50), names)
    sentence = "^channel_symmetry does nothing here: no channel has its partner on the other side"
    with pytest.raises(UserError, match=rf"{sentence} \({why}\); leave it out$"):
        channel_symmetry(signal)


def test_one_channel_cannot_be_shuffled() -> None:
    with pytest.raises(UserError, match=r"^channel_shuffle does nothing here: .* one channel"):
        channel_shuffle(Signal("eeg", (1, 50)))
