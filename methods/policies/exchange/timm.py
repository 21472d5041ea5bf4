"""timm's configuration strings, ``rand-m9-n2-...``, for the few policies that they can say."""

from math import isclose

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.form import Form
from augbench.methods.policies.exchange.physical import Chain

# The strength of each of timm's increasing operations at its level 10, in our unit.
STRONGEST: dict[str, float | None] = {
    "auto_contrast": None,
    "equalize": None,
    "invert": None,
    "rotate": 30.0,
    "posterize": 4.0,
    "solarize": 1.0,
    "saturation": 0.9,
    "contrast": 0.9,
    "brightness": 0.9,
    "sharpness": 0.9,
    "shear_x": 0.3,
    "shear_y": 0.3,
    "translate_x": 0.45,
    "translate_y": 0.45,
}
TOP = 10
P = 0.5  # of each operation that is drawn
NEAR = 1e-6


def write(chains: list[Chain], lost: list[str]) -> str:
    """The string for ``timm.data.create_transform(auto_augment=...)``.

    Raises a UserError unless the policy draws n of timm's operations with replacement, each with
    probability 0.5 and all at one level.
    """
    level = _level(chains)
    lengths = {len(chain.steps) for chain in chains}
    sequences = {tuple(step.transform for step in chain.steps) for chain in chains}
    n = max(lengths, default=0)
    even = len({chain.weight for chain in chains}) == 1
    whole = len(sequences) == len(chains) == len(STRONGEST) ** n
    if level is None or len(lengths) != 1 or not even or not whole:
        raise UserError(
            "timm's strings say only this: n operations in a row, drawn with replacement from "
            f"{', '.join(STRONGEST)}, each with probability {P} and all at one level; this policy "
            "is another one: take --to torchvision, whose transforms timm's data sets accept"
        )
    lost.append("timm's space also has SolarizeAdd: one more operation that may be drawn")
    lost.append("posterize keeps 4 to 0 bits there, 8 to 4 here: it is stronger there")
    lost.append("grey comes in at the borders there, black here")
    return f"rand-m{level}-n{n}-mstd101-inc1\n"


def _level(chains: list[Chain]) -> int | None:
    """The level that all operations share; None if there is none."""
    levels = set()
    for chain in chains:
        for name, probability, strength, _ in chain.steps:
            if name not in STRONGEST or probability != P:
                return None
            most = STRONGEST[name]
            if most is not None and strength is not None:
                levels.add(round(TOP * strength / most, 6))
    if len(levels) != 1:
        return None
    level = levels.pop()
    return int(level) if isclose(level, round(level)) and level <= TOP else None


FORM = Form(write=write)
