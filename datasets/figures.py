"""Little pictures with a head: two that are drawn here, and what a user brings."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datasets.errors import UserError

FINENESS = 8  # drawn so many times larger, then averaged

Colour = tuple[float, float, float]
# Middle x and y, half width and half height, in shares of the side from the top left; the colour.
Ellipse = tuple[float, float, float, float, Colour]

RED, BLUE, SKIN, BROWN = (0.9, 0.1, 0.1), (0.15, 0.25, 0.9), (1.0, 0.8, 0.6), (0.45, 0.25, 0.1)
GREEN, YELLOW, PURPLE = (0.2, 0.75, 0.25), (0.95, 0.85, 0.3), (0.65, 0.2, 0.8)
WHITE, ORANGE = (1.0, 1.0, 1.0), (0.95, 0.5, 0.1)

PLUMBER: tuple[Ellipse, ...] = (
    (0.42, 0.88, 0.11, 0.05, BROWN),  # shoes
    (0.66, 0.88, 0.11, 0.05, BROWN),
    (0.28, 0.58, 0.10, 0.07, RED),  # arms
    (0.74, 0.58, 0.10, 0.07, RED),
    (0.52, 0.68, 0.18, 0.18, BLUE),  # trousers
    (0.50, 0.32, 0.17, 0.15, SKIN),  # head
    (0.67, 0.35, 0.06, 0.05, SKIN),  # nose
    (0.60, 0.42, 0.10, 0.03, BROWN),  # moustache
    (0.48, 0.19, 0.18, 0.09, RED),  # cap
    (0.64, 0.23, 0.15, 0.04, RED),
)
LIZARD: tuple[Ellipse, ...] = (
    (0.16, 0.74, 0.10, 0.04, GREEN),  # tail
    (0.40, 0.89, 0.10, 0.05, ORANGE),  # feet
    (0.62, 0.89, 0.10, 0.05, ORANGE),
    (0.34, 0.62, 0.16, 0.19, PURPLE),  # shell
    (0.53, 0.66, 0.17, 0.20, YELLOW),  # belly
    (0.28, 0.18, 0.09, 0.08, PURPLE),  # hair
    (0.42, 0.11, 0.09, 0.08, PURPLE),
    (0.57, 0.14, 0.08, 0.07, PURPLE),
    (0.46, 0.30, 0.20, 0.15, GREEN),  # head
    (0.70, 0.37, 0.15, 0.09, GREEN),  # snout
    (0.55, 0.25, 0.05, 0.06, WHITE),  # eye
)


def plumber(side: int) -> Tensor:
    """(3, side, side) in [0, 1], float64, on black: a cap, a moustache, blue trousers."""
    return _drawn(PLUMBER, side)


def lizard(side: int) -> Tensor:
    """(3, side, side) in [0, 1], float64, on black: a snout, a shell, a tail."""
    return _drawn(LIZARD, side)


def _drawn(ellipses: tuple[Ellipse, ...], side: int) -> Tensor:
    """The later ones cover the earlier ones. On black, what turning brings in tells nothing."""
    n = side * FINENESS
    place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    y, x = torch.meshgrid(place, place, indexing="ij")
    picture = torch.zeros(3, n, n, dtype=torch.float64)
    for middle_x, middle_y, half_width, half_height, colour in ellipses:
        inside = ((x - middle_x) / half_width) ** 2 + ((y - middle_y) / half_height) ** 2 < 1
        paint = torch.tensor(colour, dtype=torch.float64).reshape(3, 1, 1)
        picture = torch.where(inside, paint, picture)
    blocks: Tensor = picture.reshape(3, side, FINENESS, side, FINENESS)
    return blocks.mean((2, 4))


def read_picture(path: Path, side: int) -> Tensor:
    """(3, side, side) in [0, 1], float64, of an image file; colours are made of greys.

    Raises UserError for a file that is missing or no image, and for one that is no square or is
    smaller than it is to be.
    """
    from PIL import Image, UnidentifiedImageError  # of use to those alone who bring pictures

    if not path.is_file():
        raise UserError(f"there is no picture {path}: pictures are relative to the data folder")
    try:
        with Image.open(path) as image:
            width, height = image.size
            mode = image.mode
            colours = image.convert("RGB")
            small = colours.resize((side, side), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            f"cannot read picture {path.name} ({type(error).__name__}): save it as PNG or JPEG"
        ) from error
    if width != height or width < side:
        raise UserError(
            f"picture {path.name} is {width} x {height} pixels; it has to be a square of at least "
            f"{side} x {side}: cut it out"
        )
    if mode not in ("RGB", "RGBA", "L", "P", "1"):
        raise UserError(
            f"picture {path.name} has mode {mode}; it has to be colours or greys of 8 bits: "
            "convert it to RGB"
        )
    return torch.from_numpy(np.asarray(small, dtype=np.float64) / 255).permute(2, 0, 1)
