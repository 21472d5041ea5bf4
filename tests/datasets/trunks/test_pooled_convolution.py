from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import grad, vmap

from augbench.datasets.trunks import pooled_convolution
from augbench.datasets.trunks.pooled_convolution import convolve_and_pool

SHAPES = [  # T, C, S, F, K, P
    (80, 1, 20, 8, 13, 4),
    (97, 1, 16, 8, 50, 13),
    (301, 3, 5, 4, 6, 7),
    (62, 8, 3, 8, 50, 13),  # one pool
    (63, 2, 1, 1, 1, 1),
    (90, 1, 2, 8, 20, 33),  # 264 rows: more than eight bits can count
]


def numbers(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=dtype)


def by_torch(x: Tensor, weight: Tensor, pool: int) -> Tensor:
    outputs = F.conv1d(x.permute(2, 1, 0), weight)
    return F.max_pool1d(outputs, pool).permute(2, 1, 0)


def values_and_slopes(
    function: Callable[[Tensor, Tensor, int], Tensor], x: Tensor, weight: Tensor, pool: int
) -> list[Tensor]:
    x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
    values = function(x, weight, pool)
    g = numbers(*values.shape, dtype=values.dtype).to(values.device)
    return [values.detach(), *torch.autograd.grad(values, (x, weight), g)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [False, True])
def test_it_is_torchs_convolution_and_maximum(shape: tuple[int, ...], rows: bool) -> None:
    n_times, n_channels, n_signals, n_filters, n_taps, pool = shape
    x = numbers(n_times, n_channels, n_signals)
    if rows:  # the same numbers; in memory, a signal comes after the other
        x = x.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    weight = numbers(n_filters, n_channels, n_taps)
    ours = values_and_slopes(convolve_and_pool, x, weight, pool)
    for mine, theirs in zip(ours, values_and_slopes(by_torch, x, weight, pool), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_gpu_has_the_same_slopes_by_products(shape: tuple[int, ...]) -> None:
    """What a GPU does, done on the CPU."""
    n_times, n_channels, n_signals, n_filters, n_taps, pool = shape
    x, weight = numbers(n_times, n_channels, n_signals), numbers(n_filters, n_channels, n_taps)
    _, rows = pooled_convolution._largest(x, weight, pool)
    g = numbers(*rows.shape)
    for by, arguments in (
        ("x", (g, weight, rows, n_times, pool)),
        ("weight", (g, x, rows, n_taps, pool)),
    ):
        by_bags = getattr(pooled_convolution, f"_slope_by_{by}")(*arguments)
        by_products = getattr(pooled_convolution, f"_dense_slope_by_{by}")(*arguments)
        torch.testing.assert_close(by_products, by_bags, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_what_the_cpu_gives(shape: tuple[int, ...]) -> None:
    n_times, n_channels, n_signals, n_filters, n_taps, pool = shape
    x, weight = numbers(n_times, n_channels, n_signals), numbers(n_filters, n_channels, n_taps)
    ours = values_and_slopes(convolve_and_pool, x.cuda(), weight.cuda(), pool)
    for mine, cpus in zip(ours, values_and_slopes(convolve_and_pool, x, weight, pool), strict=True):
        torch.testing.assert_close(mine.cpu(), cpus, rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_rounds_the_products_as_it_rounds_convolutions() -> None:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    x, weight = numbers(200, 8, 64).float().cuda(), numbers(8, 8, 50).float().cuda()
    exact = convolve_and_pool(x.double(), weight.double(), 13)
    error = {}
    before = cudnn.allow_tf32
    try:
        for cudnn.allow_tf32 in (False, True):
            apart = convolve_and_pool(x, weight, 13).double() - exact
            error[cudnn.allow_tf32] = float(apart.norm() / exact.norm())
    finally:
        cudnn.allow_tf32 = before
    assert error[False] < 1e-6 < 1e-5 < error[True] < 1e-3
    assert not matmul.allow_tf32  # it is as it was


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_its_second_and_third_derivatives_are_right(shape: tuple[int, ...]) -> None:
    n_times, n_channels, _, _, n_taps, pool = shape
    x = numbers(n_times, n_channels, 2).requires_grad_()
    weight = numbers(2, n_channels, n_taps).requires_grad_()

    def function(x: Tensor, weight: Tensor) -> Tensor:
        return convolve_and_pool(x, weight, pool)

    assert torch.autograd.gradcheck(function, (x, weight), fast_mode=True)
    assert torch.autograd.gradgradcheck(function, (x, weight), fast_mode=True)

    def slopes(x: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        loss = function(x, weight).pow(3).sum()
        return torch.autograd.grad(loss, (x, weight), create_graph=True)

    assert torch.autograd.gradgradcheck(slopes, (x, weight), fast_mode=True)


def test_of_equal_outputs_the_first_has_the_gradient_as_in_torch() -> None:
    """Where an augmentation sets a part of a signal to 0, all its outputs are equal."""
    x, weight = numbers(100, 2, 3), numbers(4, 2, 10)
    x[20:80] = 0
    x[:, 0, 0] = 0
    ours = values_and_slopes(convolve_and_pool, x, weight, 5)
    for mine, theirs in zip(ours, values_and_slopes(by_torch, x, weight, 5), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_nan_stays_nan() -> None:
    x, weight = numbers(40, 1, 2), numbers(3, 1, 5)
    x[20, 0, 1] = torch.nan
    values = convolve_and_pool(x, weight, 4)
    assert values[..., 0].isfinite().all()
    assert values[4:5, :, 1].isnan().all()


def test_only_what_is_asked_for_has_a_gradient() -> None:
    x, weight = numbers(40, 1, 2), numbers(3, 1, 5).requires_grad_()
    convolve_and_pool(x, weight, 4).sum().backward()
    assert weight.grad is not None
    signals, fixed = x.clone().requires_grad_(), weight.detach()
    convolve_and_pool(signals, fixed, 4).sum().backward()
    assert signals.grad is not None


def test_torch_func_differentiates_it_sample_by_sample() -> None:
    x, weight = numbers(4, 60, 2, 3), numbers(5, 2, 10)

    def loss(weight: Tensor, x: Tensor) -> Tensor:
        return convolve_and_pool(x, weight, 6).square().sum()

    def loss_of_torch(weight: Tensor, x: Tensor) -> Tensor:
        return by_torch(x, weight, 6).square().sum()

    for over in ((None, 0), (0, None), (0, 0)):
        weights = weight if over[0] is None else numbers(4, 5, 2, 10)
        batch = x if over[1] == 0 else x[0]
        for by in ((0, 1), 0, 1):
            ours = vmap(grad(loss, by), over)(weights, batch)
            theirs = vmap(grad(loss_of_torch, by), over)(weights, batch)
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_under_autocast_the_products_are_rounded_and_the_slopes_are_not() -> None:
    x = numbers(60, 2, 16, dtype=torch.float32)
    weight = numbers(8, 2, 10, dtype=torch.float32)
    exact = values_and_slopes(convolve_and_pool, x, weight, 6)
    with torch.autocast("cpu", torch.bfloat16):
        rough = values_and_slopes(convolve_and_pool, x, weight, 6)
    assert [each.dtype for each in rough] == [torch.float32] * 3
    assert not torch.equal(rough[0], exact[0])
    torch.testing.assert_close(rough[0], exact[0], rtol=0.02, atol=0.1)
    # A few winners differ, and with them a few slopes.
    apart = (rough[2] - exact[2]).norm() / exact[2].norm()
    assert apart < 0.2
