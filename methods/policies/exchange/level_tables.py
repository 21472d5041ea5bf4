"""AutoAugment, Fast AutoAugment, DADA, and the lists of torchvision and kornia: their tables."""

import math
from functools import partial

from augbench.methods.policies.exchange import pillow
from augbench.methods.policies.exchange.form import Form
from augbench.methods.policies.exchange.level_form import LevelForm, Scale
from augbench.methods.policies.exchange.read_levels import read
from augbench.methods.policies.exchange.write_levels import write, write_entries

_UNGRADED = {
    "AutoContrast": Scale("auto_contrast"),
    "Invert": Scale("invert"),
    "Equalize": Scale("equalize"),
}
_COLOURS = {
    "Contrast": "contrast",
    "Color": "saturation",
    "Brightness": "brightness",
    "Sharpness": "sharpness",
}
_ONE_WAY = frozenset(_COLOURS.values())
PILLOW = "it takes the nearest pixel there, between pixels here; black comes in at the borders"
CORNER = "it shears about the top left corner there, about the middle here"

# Fast AutoAugment and DADA: levels go over the whole range, a random sign comes on top. Bits are
# cut off to a whole number.
SHARES = {
    "ShearX": Scale("shear_x", -0.3, 0.3, 0.0),
    "ShearY": Scale("shear_y", -0.3, 0.3, 0.0),
    "TranslateX": Scale("translate_x", -0.45, 0.45, 0.0),
    "TranslateY": Scale("translate_y", -0.45, 0.45, 0.0),
    "Rotate": Scale("rotate", -30.0, 30.0, 0.0),
    **_UNGRADED,
    "Solarize": Scale("solarize", 0.0, 256.0, 256.0, 1 / 256),
    "Posterize": Scale("posterize", 4.0, 8.0, 8.0, whole=math.ceil),
    **{name: Scale(ours, 0.1, 1.9, 1.0) for name, ours in _COLOURS.items()},
    "Cutout": Scale("cutout", 0.0, 0.2, 0.0),
}
# AutoAugment as published for CIFAR-10: levels 0 to 10, moves and squares in pixels of 32.
PIXELS = 32.0
LEVELS = {
    "ShearX": Scale("shear_x", 0.0, 0.3, 0.0),
    "ShearY": Scale("shear_y", 0.0, 0.3, 0.0),
    "TranslateX": Scale("translate_x", 0.0, 10.0, 0.0, 1 / PIXELS),
    "TranslateY": Scale("translate_y", 0.0, 10.0, 0.0, 1 / PIXELS),
    "Rotate": Scale("rotate", 0.0, 30.0, 0.0),
    **_UNGRADED,
    "Solarize": Scale("solarize", 256.0, 0.0, 256.0, 1 / 256),
    "Posterize": Scale("posterize", 8.0, 4.0, 8.0, whole=round),
    **{name: Scale(ours, 0.1, 1.9, 1.0) for name, ours in _COLOURS.items()},
    "Cutout": Scale("cutout", 0.0, 20.0, 0.0, 1 / PIXELS),
    "SamplePairing": Scale("sample_pairing", 0.0, 0.4, 0.0),
    # What Fast AutoAugment's archive calls them.
    "TranslateXAbs": Scale("translate_x", 0.0, 10.0, 0.0, 1 / PIXELS),
    "TranslateYAbs": Scale("translate_y", 0.0, 10.0, 0.0, 1 / PIXELS),
    "CutoutAbs": Scale("cutout", 0.0, 20.0, 0.0, 1 / PIXELS),
    "Posterize2": Scale("posterize", 4.0, 0.0, 8.0, whole=round),
}
# torchvision's AutoAugment: bins 0 to 9; the sign is random for colours, too.
BINS = {
    "ShearX": Scale("shear_x", 0.0, 0.3, 0.0),
    "ShearY": Scale("shear_y", 0.0, 0.3, 0.0),
    "TranslateX": Scale("translate_x", 0.0, 150 / 331, 0.0),
    "TranslateY": Scale("translate_y", 0.0, 150 / 331, 0.0),
    "Rotate": Scale("rotate", 0.0, 30.0, 0.0),
    **_UNGRADED,
    "Solarize": Scale("solarize", 1.0, 0.0, 1.0),
    "Posterize": Scale("posterize", 8.0, 4.0, 8.0, whole=round),
    **{name: Scale(ours, 1.0, 1.9, 1.0) for name, ours in _COLOURS.items()},
}
# kornia's AutoAugment: bins 0 to 9 of ranges, within which a strength is drawn.
KORNIA_BINS = {
    "shear_x": Scale("shear_x", -0.3, 0.3, 0.0),
    "shear_y": Scale("shear_y", -0.3, 0.3, 0.0),
    "translate_x": Scale("translate_x", -0.5, 0.5, 0.0),
    "translate_y": Scale("translate_y", -0.5, 0.5, 0.0),
    "rotate": Scale("rotate", -30.0, 30.0, 0.0),
    "auto_contrast": Scale("auto_contrast"),
    "invert": Scale("invert"),
    "equalize": Scale("equalize"),
    "solarize": Scale("solarize", 0.0, 1.0, 1.0),
    "posterize": Scale("posterize", 4.0, 8.0, 8.0),
    **{name.lower(): Scale(ours, 0.1, 1.9, 1.0) for name, ours in _COLOURS.items()},
}

AUTOAUGMENT = LevelForm(
    "AutoAugment",
    LEVELS,
    top=10.0,
    whole=True,
    loses=(
        PILLOW,
        CORNER,
        "moves and squares, in pixels of 32 there, are shares here",
        "Posterize goes from 8 to 4 bits, as in the paper; its code goes from 4 to 0",
    ),
    one_way=_ONE_WAY,
)
FAST_AUTOAUGMENT = LevelForm(
    "Fast AutoAugment", SHARES, top=1.0, whole=False, loses=(PILLOW, CORNER), one_way=_ONE_WAY
)
DADA = LevelForm("DADA", SHARES, top=1.0, whole=False, loses=(PILLOW, CORNER), one_way=_ONE_WAY)
TORCHVISION = LevelForm(
    "torchvision's AutoAugment", BINS, top=9.0, whole=True, loses=(PILLOW, CORNER)
)
KORNIA = LevelForm(
    "kornia's AutoAugment",
    KORNIA_BINS,
    top=9.0,
    whole=True,
    half=0.5,
    loses=(
        "kornia draws within a bin, whose middle counts here",
        "kornia shears by 180 degrees times the number; here by that many pixels a pixel",
    ),
    one_way=frozenset(scale.ours for scale in KORNIA_BINS.values()),
)


def _form(table: LevelForm) -> Form:
    return Form(partial(write, table), partial(read, table), write_entries, pillow.operate)


AUTOAUGMENT_FORM = _form(AUTOAUGMENT)
FAST_AUTOAUGMENT_FORM = _form(FAST_AUTOAUGMENT)
DADA_FORM = _form(DADA)
