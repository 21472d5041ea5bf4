"""A convolution of time and the max-pooling after it, as products of matrices.

The outputs that compete for one maximum are one product: the kernels, shifted by 0 to pool - 1
samples, are the rows of a band matrix, which is multiplied by windows of the signals. The windows
overlap and are views. torch's own convolution reaches 16 % of what a core can multiply, and less of
a GPU.

Only the winners have a gradient, one output of ``pool``. So on a CPU a backward pass adds up one
row of a table for each winner (an embedding bag). A product would be with a matrix of zeros, which
a GPU multiplies faster than it adds up rows.

Letters in shapes: S signals of T samples in C channels, F filters of K samples, n pools of P
outputs, windows of W = P + K - 1 samples.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


def convolve_and_pool(x: Tensor, weight: Tensor, pool: int) -> Tensor:
    """(T, C, S), (F, C, K) -> (n, F, S): the largest of each P outputs; no padding.

    It can be differentiated any number of times. It is slow where C > 1 and x is not contiguous.
    """
    return _largest(x.to(weight.dtype), weight, pool)[0]


def _band_matrix(weight: Tensor, pool: int) -> Tensor:
    """(F, C, K) -> (P * F, W * C): row p * F + f is filter f, shifted by p samples."""
    n_filters, n_channels, n_taps = weight.shape
    band = weight.new_zeros(pool * n_filters, (pool + n_taps - 1) * n_channels)
    _kernels(band, n_filters, n_channels, n_taps).copy_(weight.transpose(1, 2))
    return band


def _kernels(band: Tensor, n_filters: int, n_channels: int, n_taps: int) -> Tensor:
    """(P * F, W * C) -> (P, F, K, C), a view: the part of each row that holds its kernel."""
    pool, width = len(band) // n_filters, band.shape[1]
    return band.as_strided(
        (pool, n_filters, n_taps, n_channels),
        (n_filters * width + n_channels, width, n_channels, 1),
    )


def _outputs(x: Tensor, weight: Tensor, pool: int) -> Tensor:
    """(T, C, S), (F, C, K) -> (n, P * F, S), the whole convolution."""
    if torch.is_autocast_enabled(x.device.type):
        # Done here, because autocast would copy the windows, in which a sample occurs many times.
        dtype = torch.get_autocast_dtype(x.device.type)
        x = x.to(dtype, memory_format=torch.contiguous_format)
    windows = _windows(x, weight.shape[2], pool)
    return _product(_band_matrix(weight, pool).expand(len(windows), -1, -1), windows)


def _windows(x: Tensor, n_taps: int, pool: int) -> Tensor:
    """(T, C, S) -> (n, W * C, S), a view where x is contiguous."""
    return x.unfold(0, pool + n_taps - 1, pool).permute(0, 3, 1, 2).flatten(1, 2)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """(n, I, J), (n, J, K) -> (n, I, K); on a GPU in the precision of torch's convolutions."""
    matmul = torch.backends.cuda.matmul
    if not a.is_cuda or matmul.allow_tf32 or not torch.backends.cudnn.allow_tf32:
        return torch.bmm(a, b)
    matmul.allow_tf32 = True  # as convolutions are by default, and products are not
    try:
        return torch.bmm(a, b)
    finally:
        matmul.allow_tf32 = False


def _dense(g: Tensor, rows: Tensor, n_rows: int) -> Tensor:
    """(n, F, S), rows (n, F, S) -> (n, P * F, S): the gradient of all outputs, most of it zeros."""
    return g.new_zeros(g.shape[0], n_rows, g.shape[2]).scatter_(1, rows, g)


class _Largest(Function):
    """(T, C, S), (F, C, K) -> (n, F, S) twice: the maxima, and their rows of the band matrix."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, pool: int) -> tuple[Tensor, Tensor]:
        # Images of P x F pixels with S channels. max_pool2d is fast on channels that lie side by
        # side, and its indices count the pixels of an image: they are rows of the band matrix.
        images = _outputs(x, weight, pool).unflatten(1, (pool, -1)).permute(0, 3, 1, 2)
        largest, rows = F.max_pool2d(images, (pool, 1), return_indices=True)
        return largest.squeeze(2).transpose(1, 2).to(x.dtype), rows.squeeze(2).transpose(1, 2)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, weight, ctx.pool = inputs
        ctx.save_for_backward(x, weight, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        x, weight, rows = ctx.saved_tensors
        to_x, to_weight, _ = ctx.needs_input_grad
        return (
            _slope_by_x(g, weight, rows, len(x), ctx.pool) if to_x else None,
            _slope_by_weight(g, x, rows, weight.shape[2], ctx.pool) if to_weight else None,
            None,
        )


# Once the winners are known, the sum of g times the maxima is linear in each of g, x and weight.
# Its three slopes follow. The slopes of each one are the two others.


class _Selected(Function):
    """By g: (T, C, S), (F, C, K), rows (n, F, S) -> (n, F, S), the outputs in those rows."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, rows: Tensor, pool: int) -> Tensor:
        return _outputs(x, weight, pool).gather(1, rows)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        *tensors, ctx.pool = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, rows = ctx.saved_tensors
        to_x, to_weight, *_ = ctx.needs_input_grad
        return (
            _slope_by_x(h, weight, rows, len(x), ctx.pool) if to_x else None,
            _slope_by_weight(h, x, rows, weight.shape[2], ctx.pool) if to_weight else None,
            None,
            None,
        )


class _SlopeByX(Function):
    """(n, F, S), (F, C, K), rows (n, F, S) -> (T, C, S)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(g: Tensor, weight: Tensor, rows: Tensor, n_times: int, pool: int) -> Tensor:
        if not g.is_cpu:
            return _dense_slope_by_x(g, weight, rows, n_times, pool)
        n, n_filters, n_signals = g.shape
        step, band = pool * weight.shape[1], _band_matrix(weight, pool)
        windows = F.embedding_bag(
            rows.permute(2, 0, 1).reshape(-1, n_filters),
            band,
            mode="sum",
            per_sample_weights=g.permute(2, 0, 1).reshape(-1, n_filters),
        ).view(n_signals, n, -1)
        # Adds the windows up where they overlap, the same pool-sized part of all of them at a time.
        parts = windows.split(step, dim=2)
        n_steps = max(n + len(parts) - 1, -(-n_times // pool))
        x = g.new_zeros(n_signals, n_steps, step)
        for i, part in enumerate(parts):
            x[:, i : i + n, : part.shape[2]] += part
        return x.view(n_signals, n_steps * pool, -1)[:, :n_times].permute(1, 2, 0)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        *tensors, _, ctx.pool = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, ...]:
        g, weight, rows = ctx.saved_tensors
        to_g, to_weight, *_ = ctx.needs_input_grad
        return (
            _selected(h, weight, rows, ctx.pool) if to_g else None,
            _slope_by_weight(g, h, rows, weight.shape[2], ctx.pool) if to_weight else None,
            None,
            None,
            None,
        )


class _SlopeByWeight(Function):
    """(n, F, S), (T, C, S), rows (n, F, S) -> (F, C, K)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(g: Tensor, x: Tensor, rows: Tensor, n_taps: int, pool: int) -> Tensor:
        if not g.is_cpu:
            return _dense_slope_by_weight(g, x, rows, n_taps, pool)
        n_filters, n_channels, n_rows = g.shape[1], x.shape[1], pool * g.shape[1]
        windows = x.unfold(0, pool + n_taps - 1, pool).permute(2, 0, 3, 1).flatten(2).flatten(0, 1)
        # One bag for each row of the band matrix: the windows in which that row won. Few bits to
        # sort by are sorted fast.
        small = torch.uint8 if n_rows <= 256 else torch.int16 if n_rows <= 2**15 else torch.int32
        order = rows.permute(2, 0, 1).flatten().to(small).sort(stable=True)
        band = F.embedding_bag(
            order.indices // n_filters,
            windows,
            torch.searchsorted(order.values.int(), torch.arange(n_rows, dtype=torch.int32)),
            mode="sum",
            per_sample_weights=g.permute(2, 0, 1).flatten()[order.indices],
        )
        return _kernels(band, n_filters, n_channels, n_taps).sum(0).transpose(1, 2)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        *tensors, _, ctx.pool = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, ...]:
        g, x, rows = ctx.saved_tensors
        to_g, to_x, *_ = ctx.needs_input_grad
        return (
            _selected(x, h, rows, ctx.pool) if to_g else None,
            _slope_by_x(g, h, rows, len(x), ctx.pool) if to_x else None,
            None,
            None,
            None,
        )


def _dense_slope_by_x(g: Tensor, weight: Tensor, rows: Tensor, n_times: int, pool: int) -> Tensor:
    """What `_SlopeByX` gives."""
    n, _, n_signals = g.shape
    step, band = pool * weight.shape[1], _band_matrix(weight, pool)
    windows = _product(band.T.expand(n, -1, -1), _dense(g, rows, len(band)))
    parts = windows.split(step, dim=1)
    n_steps = max(n + len(parts) - 1, -(-n_times // pool))
    x = g.new_zeros(n_steps, step, n_signals)
    for i, part in enumerate(parts):
        x[i : i + n, : part.shape[1]] += part
    return x.view(n_steps * pool, -1, n_signals)[:n_times]


def _dense_slope_by_weight(g: Tensor, x: Tensor, rows: Tensor, n_taps: int, pool: int) -> Tensor:
    """What `_SlopeByWeight` gives."""
    n_filters, n_channels = g.shape[1], x.shape[1]
    windows = _windows(x, n_taps, pool).transpose(1, 2)
    band = _product(_dense(g, rows, pool * n_filters), windows).sum(0)
    return _kernels(band, n_filters, n_channels, n_taps).sum(0).transpose(1, 2)


_selected: Callable[..., Tensor] = _Selected.apply
_slope_by_x: Callable[..., Tensor] = _SlopeByX.apply
_slope_by_weight: Callable[..., Tensor] = _SlopeByWeight.apply
_largest: Callable[..., tuple[Tensor, Tensor]] = _Largest.apply
