"""The margins between the classes of tasks that are made so that they have one."""

from math import degrees

from augbench.datasets.options.row import Margin
from augbench.datasets.options.tasks import MarioIggyOptions, SinusoidsOptions

MEET = 1.0  # hertz from the frequency of a class of waves: halfway to the next one
RIGHT_ANGLE = 90.0  # degrees from upright: halfway to upside down


def of_sinusoids(options: SinusoidsOptions) -> Margin:
    """Waves of two classes meet when both are shifted towards each other."""
    return Margin(("frequency_shift",), MEET - options.half_band, "hertz")


def of_mario_iggy(options: MarioIggyOptions) -> Margin:
    """So do pictures that are upright and upside down; Augerino calls it a rotation."""
    return Margin(("rotate", "rotation"), RIGHT_ANGLE - degrees(options.half_range), "degrees")
