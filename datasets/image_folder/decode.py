"""Reads an image file with Pillow: any size, grey or colour, 8 or 16 bits, palettes, alpha."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
# For some others Pillow runs programs.
FORMATS = (
    "PNG",
    "JPEG",
    "BMP",
    "WEBP",
    "GIF",
    "TIFF",
    "PPM",
)
WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # Pillow's names for grey of more than 8 bits
GREY = ("1", "L", "LA", "La", *WIDE)
COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")
MOST_16_BITS = 65535
ORIENTATION = 0x0112  # the tag of EXIF; from 5 on, width and height are exchanged


class ImageError(Exception):
    """Why a file cannot be read, in a few words."""


class Header(NamedTuple):
    """What a file says of its image."""

    height: int
    width: int
    grey: bool


def read_header(path: Path) -> Header:
    """Sizes as the image is shown, and whether it is grey. ImageError: it cannot be read."""
    with _opened(path) as image:
        turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
        width, height = image.size[::-1] if turned else image.size
        return Header(height, width, image.mode in GREY)


def read_image(path: Path, size: tuple[int, int], *, grey: bool) -> NDArray[np.float32]:
    """(C, H, W) in [0, 1], of one channel or three, resized where it has another size.

    Transparent pixels become black. ImageError: the file is damaged, or its values are in no range
    that is known.
    """
    from PIL import Image, ImageOps  # heavy, and other tasks do not need it

    with _opened(path) as image:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode in WIDE:
            one = Image.fromarray(_scaled(upright))
            array = np.asarray(_resized(one, size), dtype=np.float32)[None]
            array = array.clip(0, 1)
            return array if grey else array.repeat(3, axis=0)
        flat = _without_alpha(upright).convert("L" if grey else "RGB")
        values = np.asarray(_resized(flat, size), dtype=np.float32) / np.float32(255)
    return values[None] if grey else np.ascontiguousarray(values.transpose(2, 0, 1))


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings; an image of more pixels than it deems sane is an error."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            n_images = getattr(image, "n_frames", 1)
            if n_images > 1 and image.format not in ("JPEG", "MPO"):
                raise ImageError(f"it holds {n_images} images; give each a file of its own")
            if image.mode not in (*GREY, *COLOUR):
                raise ImageError(f"its colours are of mode {image.mode}, which is not read")
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        raise ImageError("it is empty" if empty else "it is no image, or damaged") from error
    except Exception as error:  # damaged bytes may cause any error
        raise ImageError(str(error)[:80] or type(error).__name__) from error


def _scaled(image: Any) -> NDArray[np.float32]:
    """(H, W): grey of 16 bits or of real numbers, in [0, 1]."""
    values = np.asarray(image).astype(np.float64)
    if image.mode != "F":
        values /= MOST_16_BITS
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        what = "[0, 1]" if image.mode == "F" else f"0 to {MOST_16_BITS}"
        raise ImageError(f"its values are outside of {what}")
    return values.astype(np.float32)


def _without_alpha(image: Any) -> Any:
    from PIL import Image

    if image.mode in ("RGBa", "La"):
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA")
    if image.mode not in ("LA", "PA", "RGBA") and "transparency" not in image.info:
        return image
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)


def _resized(image: Any, size: tuple[int, int]) -> Any:
    from PIL import Image

    height, width = size
    if image.size == (width, height):
        return image
    return image.resize((width, height), Image.Resampling.BILINEAR)
