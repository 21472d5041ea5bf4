"""Sampling of images, which are (B, C, H, W), at places that an affine map gives."""

import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.forward_mode import is_in_forward_mode


def warped_average(x: Tensor, affines: Tensor, shares: Tensor) -> Tensor:
    """The weighted sum of several affine moves of each image, sampled at once.

    (B, C, H, W), (B, Q, 2, 3), (B, Q) -> (B, C, H, W). About a third of the time of warping one by
    one with kornia, stacking and weighting (``tests/speed/transforms.py``).
    """
    n_images, n_colours, height, width = x.shape
    moved = sampled(x, affines).view(n_images, n_colours, -1, height * width)
    average: Tensor = shares.to(x.dtype).reshape(n_images, 1, 1, -1) @ moved
    return average.view_as(x)


def sampled(x: Tensor, affines: Tensor) -> Tensor:
    """Sample bilinearly where each affine map points to; zeros outside.

    (B, C, H, W), (B, Q, 2, 3) -> (B, C, Q * H, W): the Q results, one below the other.
    """
    grid = affines.reshape(-1, 6) @ _grids(x)
    grid = grid.view(len(x), affines.shape[1] * x.shape[-2], x.shape[-1], 2)
    return interpolated(x, grid, align_corners=False)


def _grids(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (6, H * W * 2), the grids of the six maps that have a single 1.

    A grid is linear in its map, so one product with these makes all grids, in a seventh of the time
    of F.affine_grid, which multiplies pixel by pixel. The borders of the image are at -1 and 1
    (align_corners=False), so that a move can be a share of the size.
    """
    height, width = x.shape[-2:]
    across = torch.arange(1, 2 * width, 2, dtype=x.dtype, device=x.device) / width - 1
    down = torch.arange(1, 2 * height, 2, dtype=x.dtype, device=x.device) / height - 1
    across, down = across.repeat(height), down.repeat_interleave(width)
    places = torch.stack([across, down, torch.ones_like(across)]).unsqueeze(-1)  # (3, H W, 1)
    rows = torch.eye(2, dtype=x.dtype, device=x.device).view(2, 1, 1, 2)
    return (rows * places).view(6, -1)


def interpolated(x: Tensor, grid: Tensor, *, align_corners: bool) -> Tensor:
    """(B, C, H, W), (B, h, w, 2) -> (B, C, h, w): bilinear, zeros outside.

    -1 and 1 in the grid are the borders of the image, or with ``align_corners`` its outermost
    pixels.
    """
    if is_in_forward_mode():  # which torch does not know for `grid_sample`
        return _interpolated_plainly(x, grid, align_corners=align_corners)
    return F.grid_sample(
        x, grid, mode="bilinear", padding_mode="zeros", align_corners=align_corners
    )


def _interpolated_plainly(x: Tensor, grid: Tensor, *, align_corners: bool) -> Tensor:
    """What `interpolated` gives, in operations that torch differentiates forward too."""
    *_, height, width = x.shape
    edge = 0.0 if align_corners else 0.5  # pixels between -1 and the middle of the first one
    across = (grid[..., 0] + 1) / 2 * (width - 1 + 2 * edge) - edge
    down = (grid[..., 1] + 1) / 2 * (height - 1 + 2 * edge) - edge
    left, top = across.detach().floor(), down.detach().floor()
    right_share, lower_share = across - left, down - top
    corners = []
    for column, row, share in (
        (left, top, (1 - right_share) * (1 - lower_share)),
        (left + 1, top, right_share * (1 - lower_share)),
        (left, top + 1, (1 - right_share) * lower_share),
        (left + 1, top + 1, right_share * lower_share),
    ):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        index = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
        index = index.flatten(1).unsqueeze(1).expand(-1, x.shape[1], -1)
        pixels = x.flatten(2).gather(2, index).unflatten(2, grid.shape[1:3])
        corners.append(pixels * (share * inside).unsqueeze(1))
    return torch.stack(corners).sum(0)
