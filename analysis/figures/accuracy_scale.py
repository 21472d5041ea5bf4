"""The part of x and y that the figures of accuracy show."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from augbench.analysis.tables.bands import band_of

LOG_FROM = 40  # x is logarithmic where its largest value is this many times its smallest
LEAST_SPAN = 0.1  # of y shown below the lowest end, if a curve comes from so far down


def set_scale(panel: Axes, table: pd.DataFrame) -> None:
    """The axes that all panels share."""
    drawn = table.dropna(subset="x")
    if drawn.empty:
        panel.set(xticks=[], yticks=[])
        return
    least, largest = drawn["x"].min(), drawn["x"].max()
    if is_logarithmic(drawn):
        panel.set_xscale("log")
        between = (1, 3) if largest < 1e4 * least else (1,)
        panel.xaxis.set_major_locator(LogLocator(subs=between))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif largest > 0:
        panel.set_xlim(0, 1.03 * largest)
    panel.set_ylim(*value_limits(drawn))


def is_logarithmic(drawn: pd.DataFrame) -> bool:
    """Whether x is logarithmic, where from 0 on the early curves would be hidden."""
    least, largest = drawn["x"].min(), drawn["x"].max()
    return bool(least > 0 and largest >= LOG_FROM * least)


def value_limits(drawn: pd.DataFrame) -> tuple[float, float]:
    """The part of y that is shown, of the rows of a ``panel_table`` that have an x.

    That is the ends of all curves and as much again below them, since the climb from chance would
    flatten all differences; where all curves end at the same height, the last tenth of the climb.
    It stops at 1.
    """
    spread = band_of(drawn).spread(drawn)  # (rows, 2)
    lows, high = spread.iloc[:, 0], spread.iloc[:, 1].max()
    low = lows[drawn.groupby(["axis", "method"]).tail(1).index].min()  # of the ends
    floor = max(lows.min(), low - max(high - low, LEAST_SPAN))
    margin = max(0.05 * (high - floor), 0.005)
    # A little above 1, so that a line there is seen whole; ticks are further apart.
    hair = 0.02 * (high - floor + margin)
    return float(floor - margin), float(min(high + margin, 1 + hair))
