"""The critic of Faster AutoAugment, and its penalty."""

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.methods.gradients.critic import N_HIDDEN, Critic, CriticOutput, gradient_penalty


class Slope(nn.Module):
    """A critic whose gradient is the same everywhere, of a given norm per sample."""

    def __init__(self, shape: tuple[int, ...], norm: float) -> None:
        super().__init__()
        direction = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        self.direction = nn.Parameter(norm * direction / direction.norm())

    def forward(self, x: Tensor) -> CriticOutput:
        return CriticOutput((x * self.direction).flatten(1).sum(1), x.flatten(1)[:, :2])


def batches(shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    real, moved = (torch.randn(4, *shape, generator=generator) for _ in range(2))
    return real, moved, torch.rand(4, generator=generator)


@pytest.mark.parametrize("shape", [(3, 32, 32), (6, 50)])
@pytest.mark.parametrize("norm", [1.0, 0.0, 3.0])
def test_the_penalty_is_the_distance_of_a_samples_slope_from_1(
    shape: tuple[int, ...], norm: float
) -> None:
    found = gradient_penalty(Slope(shape, norm), *batches(shape))
    assert float(found.detach()) == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_over_the_channels_of_each_pixel_a_slope_of_1_would_be_punished() -> None:
    """What moskomule/dda does: 0.94 of 1 was measured."""
    critic = Slope((3, 32, 32), 1.0)
    real, _, _ = batches((3, 32, 32))
    x = real.requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).realness.sum(), x)
    assert float((slope.norm(2, dim=1) - 1).square().mean()) > 0.9
    assert float((slope.flatten(1).norm(dim=1) - 1).square().mean()) < 1e-6


def test_the_penalty_teaches_the_critic_and_not_what_it_judges() -> None:
    critic = Slope((6, 50), 3.0)
    real, moved, options = batches((6, 50))
    moved.requires_grad_()
    gradient_penalty(critic, real, moved, options).backward()  # type: ignore[no-untyped-call]
    assert moved.grad is None
    gradient = critic.direction.grad
    assert gradient is not None
    downhill = (gradient * critic.direction).sum()
    assert downhill > 0  # a step down makes the slope smaller, towards 1


@pytest.mark.parametrize(
    ("trunk", "signal"),
    [
        ("eegnet", Signal("eeg", (4, 128), ("C3", "C4", "O1", "O2"), 64.0)),
        ("freq_net", Signal("eeg", (1, 200), ("Cz",), 100.0)),
        ("small_conv_net", Signal("image", (1, 8, 8))),
        ("pre_act_resnet18_16", Signal("image", (3, 32, 32))),
        ("layer13", Signal("image", (3, 32, 32))),
        ("mlp", Signal("image", (1, 8, 8))),
    ],
)
def test_it_sits_on_our_trunks_and_leaves_their_logits(trunk: str, signal: Signal) -> None:
    x = torch.rand(2, *signal.shape, generator=torch.Generator().manual_seed(2))
    network = TRUNKS[trunk](signal, 5).eval()
    expected = network(x).detach()
    critic = Critic(network, 5).eval()
    realness, logits = critic(x)
    assert realness.shape == (2,)
    assert torch.allclose(logits, expected, atol=1e-5)
    assert critic.trunk(x).shape == (2, 5 + N_HIDDEN)


def test_its_dropout_is_off_while_it_learns() -> None:
    trunk = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 2))
    critic = Critic(trunk, 2).train()
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
    assert torch.equal(critic(x).realness, critic(x).realness)
    assert critic.trunk[2].training  # type: ignore[index]


def test_a_last_layer_without_bias_keeps_its_logits() -> None:
    trunk = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2, bias=False))
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
    expected = trunk(x).detach()
    assert torch.allclose(Critic(trunk, 2)(x).logits, expected, atol=1e-6)


@pytest.mark.parametrize("trunk", [nn.Flatten(), nn.Linear(4, 2), nn.Conv2d(1, 2, 3)])
def test_a_trunk_without_a_last_layer_to_widen_is_refused(trunk: nn.Module) -> None:
    with pytest.raises(UserError, match="another `trunk`"):
        Critic(trunk, 2)
