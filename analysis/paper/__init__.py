"""The figures of AugNet's paper: each from its own suites, beside what the paper says of it."""

from typing import Literal

Scale = Literal["small", "paper"]  # of settings: for 2 CPU cores, or the paper's own

_HERE = "augbench.analysis.paper"

# By name, the `PaperFigure` of each, which is imported when it is drawn.
FIGURES = {
    "fig3": f"{_HERE}.mario_iggy:FIGURE_3",
    "fig4": f"{_HERE}.mario_iggy:FIGURE_4",
    "fig5": f"{_HERE}.sinusoids:FIGURE_5",
    "fig6": f"{_HERE}.capacity:FIGURE_6",
    "fig7": f"{_HERE}.cifar10:FIGURE_7",
    "fig8": f"{_HERE}.hours:FIGURE_8",
    "figB1": f"{_HERE}.sinusoids:FIGURE_B1",
    "figB2": f"{_HERE}.sinusoids:FIGURE_B2",
    "figB4": f"{_HERE}.cifar10:FIGURE_B4",
    "range": f"{_HERE}.margins:RANGE",  # ours: the paper has no such figure
}
