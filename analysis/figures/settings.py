"""matplotlib as we need it, whatever the user's own settings are.

No pyplot state is touched and no setting is left changed: a notebook goes on as before.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.style
import seaborn as sns
from matplotlib.figure import Figure

# Over seaborn's "whitegrid". The font is the one that matplotlib brings along, so that a figure has
# the same bytes on every machine.
_SETTINGS: dict[str, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,  # a $ in a label is a $
    "pdf.fonttype": 42,  # letters that journals take, and that stay text
    "svg.hashsalt": "augbench",  # otherwise the ids in an SVG are drawn at random
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "axes.edgecolor": "0.3",
    "grid.color": "0.92",
    "grid.linewidth": 0.8,
}


TITLE_INCHES = 0.1  # above a title


def top_title(figure: Figure, text: str) -> None:
    """The title of a figure without a layout engine: as far below its top, whatever its height."""
    y = 1 - TITLE_INCHES / figure.get_figheight()
    figure.suptitle(text, fontsize=12, fontweight="bold", y=y)


@contextmanager
def plot_settings() -> Iterator[None]:
    """matplotlib's shipped settings with ours over them; for drawing a figure and for saving it."""
    with matplotlib.style.context("default"), warnings.catch_warnings():
        # The font lacks the letters of some languages. They are drawn as boxes; the tables beside
        # the figure have them.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        settings: Any = matplotlib.rcParams  # its stubs list each key
        settings.update({**sns.axes_style("whitegrid"), **_SETTINGS})
        yield
