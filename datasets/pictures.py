"""Base pictures that get rotated: two drawn here, or two of the user's own."""

from pathlib import Path

import torch
from torch import Tensor

from augbench.datasets.errors import UserError

SIDE = 32  # pixels
POINTS = 8  # along each side of a pixel, which is their mean
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF")  # for some others Pillow runs programs
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")  # Pillow's names for grey and colour of 8 bits

Shape = tuple[Tensor, tuple[float, float, float]]  # a mask (H, W), and red, green, blue


def walker() -> Tensor:
    """(3, 32, 32) in [0, 1], float64: a round head under a cap, one arm up, one foot forward."""
    skin, red, blue, brown = (1, 0.75, 0.55), (0.9, 0.1, 0.1), (0.15, 0.3, 0.95), (0.55, 0.3, 0.1)
    return _paint(
        [
            (_box(10, 22, 14, 27), blue),  # legs
            (_box(16, 22, 20, 26), blue),
            (_box(9, 26, 15, 29), brown),  # feet
            (_box(16, 25, 24, 28), brown),
            (_box(10, 13, 20, 23), red),
            (_box(5.5, 8, 8.5, 17), red),  # the raised arm
            (_box(7, 14, 11, 17), red),
            (_disc(7, 7.5, 1.9), skin),
            (_disc(15, 9, 5), skin),
            (_disc(15, 9, 5) & _box(0, 0, 32, 7), blue),  # the cap
            (_box(15, 5.5, 23, 7.5), blue),
            (_disc(17.5, 9.5, 1), (0, 0, 0)),
        ]
    )


def robot() -> Tensor:
    """(3, 32, 32) in [0, 1], float64: a square head with an aerial and one eye, on one wheel."""
    grey, green, yellow, pink = (0.7, 0.7, 0.75), (0.1, 0.8, 0.3), (1, 0.95, 0.2), (0.9, 0.3, 0.8)
    return _paint(
        [
            (_box(19.5, 3, 20.5, 6), grey),  # the aerial
            (_disc(20, 3.6, 1.4), pink),
            (_box(9, 5.5, 23, 13.5), grey),
            (_disc(12.5, 9, 2.5), yellow),  # the eye
            (_box(15, 11, 22, 12.2), (0, 0, 0)),  # the mouth
            (_box(11, 13.5, 21, 23), green),
            (_box(21, 14.5, 26, 17), grey),  # the hanging arm
            (_box(24, 15, 26.5, 24), grey),
            (_box(12.5, 15.5, 15.5, 18.5), pink),
            (_disc(14, 25.5, 3.8), yellow),  # the wheel
            (_disc(14, 25.5, 1.5), (0, 0, 0)),
        ]
    )


def read_picture(path: Path) -> Tensor:
    """Read an image file: (3, 32, 32) in [0, 1], float64; each pixel is the mean of its area.

    Transparent pixels become black. Raises UserError for a file that is missing, damaged or not
    square, or whose colours do not have 8 bits.
    """
    from PIL import Image  # heavy, and not needed for our own pictures

    if not path.is_file():
        raise UserError(
            f"there is no picture {path}: the option pictures is relative to the data folder "
            "(--data)"
        )
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
    except Exception as error:  # damaged bytes may cause any error
        raise UserError(
            f"{path.name} is no picture or is cut off ({type(error).__name__}): save it again as "
            f"one of {', '.join(FORMATS)}"
        ) from error
    if image.mode not in MODES:
        raise UserError(
            f"{path.name} has colours of mode {image.mode}; save it as grey or as red, green and "
            "blue, of 8 bits each"
        )
    if image.width != image.height:
        raise UserError(
            f"{path.name} has {image.width} x {image.height} pixels; it must be square, because "
            f"it is resized to {SIDE} x {SIDE} and turned: crop it, or add margins"
        )
    clear = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
    small = flat.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    values = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
    return values.reshape(SIDE, SIDE, 3).permute(2, 0, 1).double() / 255


def _paint(shapes: list[Shape]) -> Tensor:
    """Paint shapes on black, each over those before it."""
    fine = torch.zeros(3, SIDE * POINTS, SIDE * POINTS, dtype=torch.float64)
    for place, colour in shapes:
        fine[:, place] = torch.tensor(colour, dtype=torch.float64)[:, None]
    return fine.reshape(3, SIDE, POINTS, SIDE, POINTS).mean((2, 4))


def _points() -> tuple[Tensor, Tensor]:
    """x (1, W) and y (H, 1) of the fine grid in pixels, from the upper left corner."""
    line = (torch.arange(SIDE * POINTS, dtype=torch.float64) + 0.5) / POINTS
    return line[None, :], line[:, None]


def _box(left: float, top: float, right: float, bottom: float) -> Tensor:
    x, y = _points()
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def _disc(centre_x: float, centre_y: float, radius: float) -> Tensor:
    x, y = _points()
    return (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
