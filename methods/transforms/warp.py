"""Sampling of images, which are (B, C, H, W), at places that an affine map gives."""

import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.forward_mode import is_in_forward_mode


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
    grid = grid.view(n_images, 2, affines.shape[1] * height, width).permute(0, 2, 3, 1)
    return interpolated(x, grid, align_corners=False)


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
