"""Pillow's operations, of which AutoAugment, Fast AutoAugment and DADA are made."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from augbench.methods.policies.exchange.form import Operate, Operated

Picture = Image.Image


def _moved(image: Picture, *rows: float) -> Picture:
    """Each new pixel comes from (a x + b y + c, d x + e y + f)."""
    return image.transform(image.size, Image.Transform.AFFINE, rows)


def _enhanced(
    enhance: Callable[[Picture], ImageEnhance._Enhance], image: Picture, strength: float
) -> Picture:
    return enhance(image).enhance(1 + strength)


# Our transforms at a strength in our unit.
OPERATIONS: dict[str, Callable[[Picture, float], Picture]] = {
    "shear_x": lambda image, s: _moved(image, 1, s, 0, 0, 1, 0),
    "shear_y": lambda image, s: _moved(image, 1, 0, 0, s, 1, 0),
    "translate_x": lambda image, s: _moved(image, 1, 0, s * image.width, 0, 1, 0),
    "translate_y": lambda image, s: _moved(image, 1, 0, 0, 0, 1, s * image.height),
    "rotate": lambda image, s: image.rotate(s),
    "auto_contrast": lambda image, _: ImageOps.autocontrast(image),
    "invert": lambda image, _: ImageOps.invert(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
    "solarize": lambda image, s: ImageOps.solarize(image, round(256 * (1 - s))),
    "posterize": lambda image, s: ImageOps.posterize(image, 8 - round(s)),
    "contrast": partial(_enhanced, ImageEnhance.Contrast),
    "saturation": partial(_enhanced, ImageEnhance.Color),
    "brightness": partial(_enhanced, ImageEnhance.Brightness),
    "sharpness": partial(_enhanced, ImageEnhance.Sharpness),
}


def operate() -> Operate:
    """Pillow's operations."""
    return _operation


def _operation(name: str, strength: float | None) -> Operated | None:
    if name not in OPERATIONS:
        return None
    change = OPERATIONS[name]
    return partial(_each, lambda image: change(image, strength or 0.0)), True


def _each(change: Callable[[Picture], Picture], x: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> the same shape, of 256 levels."""
    levels = (255 * x).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    changed = np.stack([np.asarray(change(Image.fromarray(each))) for each in levels])
    return torch.from_numpy(changed).permute(0, 3, 1, 2).float() / 255
