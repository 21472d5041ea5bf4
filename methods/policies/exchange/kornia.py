"""kornia's transforms: a Python file with one module, for batches of images in [0, 1]."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from augbench.methods.policies.exchange import level_tables, one_of
from augbench.methods.policies.exchange.call_form import Dialect, Row
from augbench.methods.policies.exchange.form import Content, Form, Operate, Operated
from augbench.methods.policies.exchange.python_file import read_python, write_python
from augbench.methods.policies.exchange.shapes import (
    AREA,
    BITS_KEPT,
    BOTH_AXES,
    DEGREES,
    FACTOR,
    FIRST,
    SAME,
    SECOND,
    SLOPE,
    THRESHOLD,
    around_0,
    around_1,
    around_half,
    from_0,
    up_to_8,
)

IN_DEGREES = "uniform in degrees there, in pixels a pixel here"
NO_ADDITION = {"additions": (0.0, 0.0)}
WIDTHS = SAME.within(-1.0, 1.0)
SQUARE = {"ratio": (1.0, 1.0), "value": 0.5}

ROWS = (
    Row("translate_x", "K.RandomTranslate", "translate_x", WIDTHS, most=1.0, one_number=around_0),
    Row("translate_y", "K.RandomTranslate", "translate_y", WIDTHS, most=1.0, one_number=around_0),
    Row("rotate", "K.RandomRotation", "degrees", DEGREES, most=360.0, one_number=around_0),
    Row(
        *("shear_x", "K.RandomShear", "shear", SLOPE, FIRST), one_number=around_0, loses=IN_DEGREES
    ),
    Row("shear_y", "K.RandomShear", "shear", SLOPE, SECOND, loses=IN_DEGREES),
    Row("horizontal_flip", "K.RandomHorizontalFlip"),
    Row("vertical_flip", "K.RandomVerticalFlip"),
    Row(
        "crop",
        "K.RandomAffine",
        "translate",
        SAME.within(0.0, 1.0),
        BOTH_AXES,
        fixed={"degrees": 0.0},
        draws=True,
        most=1.0,
        loses="moves by parts of a pixel there, by whole ones here",
    ),
    Row("brightness", "K.ColorJitter", "brightness", FACTOR, most=1.0, one_number=around_1),
    Row("contrast", "K.ColorJitter", "contrast", FACTOR, most=1.0, one_number=around_1),
    Row("saturation", "K.ColorJitter", "saturation", FACTOR, most=1.0, one_number=around_1),
    Row("hue", "K.ColorJitter", "hue", SAME.within(-0.5, 0.5), most=0.5, one_number=around_0),
    Row("sharpness", "K.RandomSharpness", "sharpness", FACTOR, most=1.0, one_number=from_0),
    Row("invert", "K.RandomInvert"),
    Row("auto_contrast", "K.RandomAutoContrast"),
    Row("equalize", "K.RandomEqualize", loses="in whole steps there, which small images feel"),
    Row(
        "solarize",
        "K.RandomSolarize",
        "thresholds",
        THRESHOLD,
        fixed=NO_ADDITION,
        both_sides=False,
        most=1.0,
        one_number=around_half,
    ),
    Row(
        "posterize",
        "K.RandomPosterize",
        "bits",
        BITS_KEPT,
        both_sides=False,
        most=8.0,
        one_number=up_to_8,
        loses="brightness is cut off to its bits there, rounded to them here",
    ),
    Row(
        "cutout",
        "K.RandomErasing",
        "scale",
        AREA,
        fixed=SQUARE,
        both_sides=False,
        draws=True,
        most=1.0,
        loses="its area is uniform there and it lies inside the image; here its side is uniform",
    ),
)
KORNIA = Dialect(
    "kornia",
    ROWS,
    partial(one_of.wrap, probability="p"),
    partial(one_of.unwrap, probability="p"),
)
HEAD = """
import kornia.augmentation as K
import torch
from torch import nn

"""
USE = "`policy(x)` augments a batch x (B, C, H, W) of images in [0, 1]."
CONTAINERS = ("OneOf", "Sequential", "ImageSequential", "AugmentationSequential")


def read(text: str, name: str | None, lost: list[str]) -> Content:
    """The calls that `write` writes, or a list as kornia's AutoAugment takes it.

    Raises a UserError for anything else.
    """
    return read_python(KORNIA, CONTAINERS, level_tables.KORNIA, text, name, lost)


def operate() -> Operate:
    """kornia's operations."""
    import kornia.augmentation as library

    return partial(_operation, library)


def _operation(library: Any, name: str, strength: float | None) -> Operated | None:
    for row in ROWS:
        if row.ours == name:
            call = row.at(strength or 0.0)
            made: Callable[[Tensor], Tensor] = getattr(library, call.short)(**call.arguments, p=1.0)
            return made, not row.draws
    return None


FORM = Form(
    write=partial(write_python, KORNIA, HEAD + one_of.ONE_OF, "policy = ", USE),
    read=read,
    operate=operate,
)
