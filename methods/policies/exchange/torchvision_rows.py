"""The operations of torchvision (v2) that are like ours, and what differs."""

from augbench.methods.policies.exchange.call_form import Row
from augbench.methods.policies.exchange.calls import Name
from augbench.methods.policies.exchange.shapes import (
    AREA,
    BOTH_AXES,
    FACTOR,
    FIRST,
    ONE_VALUE,
    SAME,
    SECOND,
    SLOPE,
    THRESHOLD,
    Shape,
    Unit,
    around_0,
    around_1,
)

BILINEAR = Name("v2.InterpolationMode.BILINEAR")
SMOOTH = {"interpolation": BILINEAR}
IN_PLACE = {"degrees": 0.0}
WHOLE_BITS = Unit(lambda s: 8 - round(s), lambda v: 8 - v, 0.0, 8.0)
BORDERS = "the borders of what is moved fade in another way there"
IN_DEGREES = f"uniform in degrees there, in pixels a pixel here; {BORDERS}"
WHOLE_PIXELS = "by whole pixels there"
P = {"p": 1.0}  # an operation with a probability of its own
ACROSS = Shape(
    lambda low, high: (high, 0.0),
    lambda v: (-v[0], v[0]) if isinstance(v, list | tuple) and [*v[1:]] == [0] else None,
)
DOWN = Shape(
    lambda low, high: (0.0, high),
    lambda v: (-v[1], v[1]) if isinstance(v, list | tuple) and [*v[:-1]] == [0] else None,
)


def _move(ours: str, shape: Shape, loses: str) -> Row:
    return Row(
        ours,
        "v2.RandomAffine",
        "translate",
        SAME.within(0.0, 1.0),
        shape,
        fixed=IN_PLACE,
        most=1.0,
        draws=True,
        loses=loses,
    )


ROWS = (
    _move("translate_x", ACROSS, WHOLE_PIXELS),
    _move("translate_y", DOWN, WHOLE_PIXELS),
    _move("crop", BOTH_AXES, ""),
    Row("rotate", "v2.RandomRotation", "degrees", fixed=SMOOTH, one_number=around_0, loses=BORDERS),
    Row(
        *("shear_x", "v2.RandomAffine", "shear", SLOPE, FIRST),
        fixed={**IN_PLACE, **SMOOTH},
        one_number=around_0,
        loses=IN_DEGREES,
    ),
    Row(
        *("shear_y", "v2.RandomAffine", "shear", SLOPE, SECOND),
        fixed={**IN_PLACE, **SMOOTH},
        loses=IN_DEGREES,
    ),
    Row("horizontal_flip", "v2.RandomHorizontalFlip", fixed=P),
    Row("vertical_flip", "v2.RandomVerticalFlip", fixed=P),
    Row("brightness", "v2.ColorJitter", "brightness", FACTOR, most=1.0, one_number=around_1),
    Row("contrast", "v2.ColorJitter", "contrast", FACTOR, most=1.0, one_number=around_1),
    Row("saturation", "v2.ColorJitter", "saturation", FACTOR, most=1.0, one_number=around_1),
    Row("hue", "v2.ColorJitter", "hue", SAME.within(-0.5, 0.5), most=0.5, one_number=around_0),
    Row(
        *("sharpness", "v2.RandomAdjustSharpness", "sharpness_factor", FACTOR, ONE_VALUE, P),
        most=1.0,
        n_values=8,
    ),
    Row("invert", "v2.RandomInvert", fixed=P),
    Row("auto_contrast", "v2.RandomAutocontrast", fixed=P),
    Row("equalize", "v2.RandomEqualize", fixed=P, loses="in whole steps there"),
    Row(
        *("solarize", "v2.RandomSolarize", "threshold", THRESHOLD, ONE_VALUE, P),
        both_sides=False,
        most=1.0,
        n_values=8,
    ),
    Row(
        *("posterize", "v2.RandomPosterize", "bits", WHOLE_BITS, ONE_VALUE, P),
        both_sides=False,
        most=8.0,
        n_values=8,
    ),
    Row(
        *("cutout", "v2.RandomErasing", "scale", AREA),
        fixed={"ratio": (1.0, 1.0), "value": 0.5, **P},
        both_sides=False,
        most=1.0,
        draws=True,
        loses="its area is uniform there and it lies inside the image; here its side is uniform",
    ),
)
