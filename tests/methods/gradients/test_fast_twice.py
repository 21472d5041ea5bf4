"""Networks in this context against the same networks outside it."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augbench.methods.gradients.fast_twice import FastTwice

RELUS: list[Callable[[Tensor], Tensor]] = [torch.relu, Tensor.relu, F.relu, nn.ReLU()]


def ours(relu: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with FastTwice():
        return relu(x)


@pytest.mark.parametrize("relu", RELUS)
def test_a_relu_has_the_values_and_slopes_of_torch(relu: Callable[[Tensor], Tensor]) -> None:
    x = torch.tensor([-1.0, 0.0, -0.0, 2.0, torch.inf, torch.nan], requires_grad=True)
    found = ours(relu, x)
    assert torch.equal(found.nan_to_num(-1), relu(x).nan_to_num(-1))
    slopes = [torch.autograd.grad(y.sum(), x)[0] for y in (found, relu(x))]
    assert torch.equal(*slopes)


@pytest.mark.parametrize("relu", RELUS)
def test_nothing_goes_back_from_its_slopes_to_its_input(relu: Callable[[Tensor], Tensor]) -> None:
    x = torch.randn(9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    g = torch.ones(9, requires_grad=True)
    (slope,) = torch.autograd.grad(ours(relu, x), x, g, create_graph=True)
    by_g, by_x = torch.autograd.grad((slope * slope).sum(), [g, x], allow_unused=True)
    assert by_x is None
    assert torch.equal(by_g, 2.0 * (x > 0))


def test_a_network_has_its_second_derivatives() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 1)]
    network = nn.Sequential(*layers).double()
    x = torch.randn(4, 2, 4, 4, dtype=torch.float64, requires_grad=True)

    def penalty() -> list[Tensor]:
        (slope,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), [x, *network.parameters()]))

    with FastTwice():
        found = penalty()
    for a, b in zip(found, penalty(), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)
