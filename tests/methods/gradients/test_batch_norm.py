"""Batch norm for two derivatives, against torch's own."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augbench.methods.gradients.batch_norm import FastTwice

SHAPES = [(7, 3), (4, 3, 5), (3, 3, 4, 2)]
Case = tuple[Tensor, Tensor, Tensor]


def case(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> Case:
    """Values, weight and bias, far from those that a norm begins with."""
    generator = torch.Generator().manual_seed(0)
    x = 3 + 2 * torch.randn(shape, generator=generator, dtype=dtype)
    weight, bias = torch.randn(2, shape[1], generator=generator, dtype=dtype)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


def torchs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    running = torch.zeros(len(weight), dtype=weight.dtype), torch.ones_like(weight.detach())
    return F.batch_norm(x, *running, weight, bias, training=True)


def ours(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    with FastTwice():
        return torchs(x, weight, bias)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_derivatives_are_those_of_differences(shape: tuple[int, ...]) -> None:
    assert torch.autograd.gradcheck(ours, case(shape))
    assert torch.autograd.gradgradcheck(ours, case(shape))


def slopes(norm: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """The output; the slopes of a sum; the slopes of a sum of these, also by the first sum's."""
    x = inputs[0]
    y = norm(*inputs)
    given = torch.empty_like(y).copy_(torch.linspace(-1, 2, y.numel()).view(y.shape))
    given = given.detach().requires_grad_()
    first = torch.autograd.grad(y, inputs, given, create_graph=True)
    second = torch.autograd.grad(
        sum((each.sin().float().sum() for each in first), torch.zeros(())), [*inputs[:2], given]
    )
    assert second[0].dtype == second[2].dtype == x.dtype
    return [y.detach(), *(each.detach() for each in first), *second]


def as_exact(found: list[Tensor], theirs: list[Tensor], truth: list[Tensor]) -> bool:
    """Whether what was found is about as near to the truth as what torch gives."""
    misses = [
        [(each - exact).norm() / exact.norm() for each, exact in zip(given, truth, strict=True)]
        for given in (found, theirs)
    ]
    return all(own < 2 * other + 1e-5 for own, other in zip(*misses, strict=True))


@pytest.mark.parametrize("shape", [*SHAPES, (16, 32, 8, 8)])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_it_gives_the_bits_of_torch_and_a_second_derivative_as_exact(
    shape: tuple[int, ...], order: torch.memory_format
) -> None:
    if len(shape) != 4 and order == torch.channels_last:
        pytest.skip("channels come last only in images")
    inputs = case(shape, torch.float32)
    x = inputs[0].detach().contiguous(memory_format=order).requires_grad_()
    theirs, found = slopes(torchs, (x, *inputs[1:])), slopes(ours, (x, *inputs[1:]))
    for a, b in zip(theirs[:4], found[:4], strict=True):
        assert torch.equal(a, b)
    assert found[4].is_contiguous(memory_format=order)  # by x and by what is given
    assert found[6].is_contiguous(memory_format=order)
    doubled = tuple(each.detach().double().requires_grad_() for each in (x, *inputs[1:]))
    assert as_exact(found, theirs, slopes(torchs, doubled))


def test_half_precision_is_as_exact_as_by_torch() -> None:
    """As under autocast: values in bfloat16, weights in float32."""
    x, weight, bias = case((16, 8, 6, 6), torch.float32)
    rounded = x.detach().bfloat16().requires_grad_()
    truth = slopes(torchs, (rounded.detach().float().requires_grad_(), weight, bias))
    found = slopes(ours, (rounded, weight, bias))
    assert as_exact(found, slopes(torchs, (rounded, weight, bias)), truth)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_module_keeps_the_statistics_that_it_would_keep(momentum: float | None) -> None:
    plain, fast = nn.BatchNorm2d(3, momentum=momentum), nn.BatchNorm2d(3, momentum=momentum)
    for seed in range(3):
        x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
        with FastTwice():
            out = fast(x)
        assert torch.equal(plain(x), out)
    assert out.grad_fn.name() == "_NormBackward"
    for name, each in plain.state_dict().items():
        assert torch.equal(each, fast.state_dict()[name])


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(3).eval(), nn.BatchNorm2d(3, affine=False)])
def test_it_leaves_to_torch_what_does_not_train_or_has_no_weights(norm: nn.Module) -> None:
    x = torch.randn(4, 3, 5, 5, requires_grad=True)
    with FastTwice():
        found = norm(x)
    assert found.grad_fn.name() != "_NormBackward"
    assert torch.equal(found, norm(x))


def test_a_single_value_in_a_channel_is_refused_as_by_torch() -> None:
    with FastTwice(), pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm1d(3)(torch.randn(1, 3))


def test_a_third_derivative_is_refused_in_words() -> None:
    norm, x = nn.BatchNorm1d(2), torch.randn(5, 2, requires_grad=True)
    with FastTwice():
        (slope,) = torch.autograd.grad(norm(x).pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.pow(2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        second.sum().backward()
