"""How the trials of a method become one curve: median and quartiles, or an interval of the mean."""

from typing import NamedTuple

import pandas as pd

from augbench.analysis.statistics.bootstrap import LEAST_FREEDOM


class Band(NamedTuple):
    """Three columns of a table of curves, and what they are in words."""

    value: str
    low: str
    high: str
    line: str
    range: str

    def spread(self, table: pd.DataFrame) -> pd.DataFrame:
        """``low`` and ``high`` of each row, the value itself where there is no interval."""
        value = table[self.value]
        names = (self.low, self.high)
        return pd.DataFrame({name: table[name].fillna(value) for name in names})

    def is_known(self, table: pd.DataFrame) -> bool:
        """Whether any row has an interval."""
        return bool(table[self.low].notna().any())


# By the name that ``augbench report --band`` takes. The columns have other names, so that no file
# can be taken for the other.
BANDS = {
    "quartiles": Band("median", "q1", "q3", "median", "quartiles"),
    "iqm": Band("iqm", "low", "high", "interquartile mean", "95 % bootstrap interval"),
}
NEEDS = f"it needs {LEAST_FREEDOM + 1} folds, or as many seeds of one"  # an interval of "iqm"


def band_of(table: pd.DataFrame) -> Band:
    """The one of ``BANDS`` whose columns a table of curves has."""
    return next(band for band in BANDS.values() if band.value in table)
