"""Sampling of images, which are (B, C, H, W), at places that an affine map gives."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function


def warped_average(x: Tensor, affines: Tensor, shares: Tensor) -> Tensor:
    """The weighted sum of several affine moves of each image, sampled at once.

    (B, C, H, W), (B, Q, 2, 3), (B, Q) -> (B, C, H, W). About half of the time of warping one by one
    with kornia, stacking and weighting (``tests/speed/transforms.py``).
    """
    n_images, n_colours, height, width = x.shape
    moved = sampled(x, affines).view(n_images, n_colours, -1, height * width)
    average: Tensor = shares.to(x.dtype).reshape(n_images, 1, 1, -1) @ moved
    return average.view_as(x)


def sampled(x: Tensor, affines: Tensor) -> Tensor:
    """Sample bilinearly where each affine map points to; zeros outside.

    (B, C, H, W), (B, Q, 2, 3) -> (B, C, Q * H, W): the Q results, one below the other.
    """
    n_images, _, height, width = x.shape
    # This does what F.affine_grid does in a seventh of its time, for that multiplies pixel by
    # pixel. The borders of the image are at -1 and 1 (align_corners=False), so that a move can be a
    # share of the size.
    across = (2 * torch.arange(width, dtype=x.dtype, device=x.device) + 1) / width - 1
    down = (2 * torch.arange(height, dtype=x.dtype, device=x.device) + 1) / height - 1
    across, down = across.repeat(height), down.repeat_interleave(width)
    pixels = torch.stack([across, down, torch.ones_like(across)])  # (3, H W)
    grid = affines.transpose(1, 2).reshape(-1, 3) @ pixels  # (B 2 Q, H W)
    grid = grid.view(n_images, 2, -1, width).permute(0, 2, 3, 1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def slid(x: Tensor, pixels: Tensor, axis: int) -> Tensor:
    """Move lines of pixels along themselves, by linear interpolation; zeros come in.

    (B, C, H, W), (B, 1 or number of lines) -> (B, C, H, W). ``axis`` is 0 for rows, which move
    right, and 1 for columns, which move down. What `sampled` would do, in a third of its time on a
    CPU: a line moves as a whole, so its pixels are copied at once and share their two weights.
    """
    n_images, n_colours, height, width = x.shape
    if axis == 1 and pixels.shape[1] > 1:
        return slid(x.mT, pixels, 0).mT
    if axis == 1:  # an image moves as one line, by whole rows
        lines, step = x.reshape(-1, height * width), width
    else:
        lines, step = x.reshape(-1, width), 1
        pixels = pixels.expand(n_images, height)
    whole = (-pixels.detach()).floor()
    share = (-pixels - whole)[:, None, :, None]  # (B, 1, 1 or H, 1)
    first = step * whole.clamp(-x.shape[3 - axis] - 1, x.shape[3 - axis]).long()
    first = first[:, None].expand(n_images, n_colours, -1).reshape(-1)
    windows = _windows(lines, first, lines.shape[1] + step)
    one, next_one = windows[:, :-step].reshape(x.shape), windows[:, step:].reshape(x.shape)
    return torch.addcmul(one, share, next_one - one)


def _windows(lines: Tensor, first: Tensor, length: int) -> Tensor:
    """Each line from its own first place on; zeros outside.

    (R, n), (R,) from -length to n -> (R, length).
    """
    found: Tensor = _Windows.apply(lines, first, length)  # type: ignore[no-untyped-call]
    return found


class _Windows(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(lines: Tensor, first: Tensor, length: int) -> Tensor:
        padded = F.pad(lines, (length, length))
        start = torch.arange(len(lines), device=lines.device) * padded.shape[1] + length + first
        return padded.flatten().unfold(0, length, 1).index_select(0, start)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
        lines, first, _ = inputs
        ctx.save_for_backward(first)
        ctx.length = lines.shape[1]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        (first,) = ctx.saved_tensors
        return _windows(slope, -first, ctx.length), None, None
