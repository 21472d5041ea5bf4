"""The operations of albumentations that are like ours, and what differs."""

from typing import Any

from augbench.methods.policies.exchange.call_form import (
    Row,
)
from augbench.methods.policies.exchange.shapes import (
    AREA,
    FACTOR,
    SAME,
    SLOPE,
    THRESHOLD,
    Ends,
    Shape,
    Unit,
    around_0,
    around_1,
    only_it,
)

GREY = 128  # of images with 256 levels
LINEAR = {"interpolation": 1, "border_mode": 0, "fill": 0.0}
KEPT = (1.0, 1.0)
BITS = Unit(lambda s: min(7, max(1, round(8 - s))), lambda v: 8 - v, 1.0, 7.0)


def _axes(*, x: bool = False, y: bool = False) -> Shape:
    """A range for each axis; the other axis stays."""

    def pack(low: float, high: float) -> dict[str, Any]:
        acting, still = (low, high), (0.0, 0.0)
        return {"x": acting if x else still, "y": acting if y else still}

    def unpack(value: Any) -> tuple[Any, Any] | None:
        if not isinstance(value, dict) or set(value) != {"x", "y"}:
            return None
        pairs = [tuple(each) for each in value.values() if isinstance(each, list | tuple)]
        if [len(pair) for pair in pairs] != [2, 2]:
            return None
        on_x, on_y = tuple(value["x"]), tuple(value["y"])
        if not any(on_x + on_y):
            return 0.0, 0.0
        if (any(on_x), any(on_y)) != (x, y) or (x and y and on_x != on_y):
            return None
        return on_x if x else on_y

    return Shape(pack, unpack)


def _colour(ours: str, unit: Unit, most: float, one_number: Ends = around_1) -> Row:
    fixed = {"brightness": KEPT, "contrast": KEPT, "saturation": KEPT, "hue": (0.0, 0.0)}
    del fixed[ours]
    return Row(ours, "ColorJitter", ours, unit, fixed=fixed, most=most, one_number=one_number)


def _affine(ours: str, argument: str, unit: Unit, shape: Shape, loses: str = "") -> Row:
    return Row(ours, "Affine", argument, unit, shape, LINEAR, loses=loses)


IN_DEGREES = "uniform in degrees there, in pixels a pixel here"
ROWS = (
    _affine("translate_x", "translate_percent", SAME, _axes(x=True)),
    _affine("translate_y", "translate_percent", SAME, _axes(y=True)),
    _affine("crop", "translate_percent", SAME, _axes(x=True, y=True)),
    _affine("shear_x", "shear", SLOPE, _axes(x=True), IN_DEGREES),
    _affine("shear_y", "shear", SLOPE, _axes(y=True), IN_DEGREES),
    Row("rotate", "Rotate", "limit", fixed=LINEAR, one_number=around_0),
    Row("horizontal_flip", "HorizontalFlip"),
    Row("vertical_flip", "VerticalFlip"),
    _colour("brightness", FACTOR, 1.0),
    _colour("contrast", FACTOR, 1.0),
    _colour("saturation", FACTOR, 1.0),
    _colour("hue", SAME.within(-0.5, 0.5), 0.5, around_0),
    Row("invert", "InvertImg"),
    Row("auto_contrast", "AutoContrast", fixed={"cutoff": 0, "method": "pil"}),
    Row("equalize", "Equalize", fixed={"mode": "pil"}, loses="in whole steps there"),
    Row("solarize", "Solarize", "threshold_range", THRESHOLD, both_sides=False, most=1.0),
    Row(
        "posterize",
        "Posterize",
        "num_bits",
        BITS,
        both_sides=False,
        most=7.0,
        one_number=only_it,
        loses="at least one bit is lost there, here perhaps none",
    ),
    Row(
        "cutout",
        "Erasing",
        "scale",
        AREA,
        fixed={"ratio": (1.0, 1.0), "fill": GREY},
        both_sides=False,
        most=1.0,
        loses="its area is uniform there and it lies inside the image; here its side is uniform",
    ),
)
