"""Fewer rows for long curves, which look the same."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augbench.analysis.tables.bands import band_of

MOST_ROWS = 1000  # of a curve that is drawn: about one for each pixel
JUST_SEEN = 1 / 1000  # of the height of the curves: half a pixel


def thinned(table: pd.DataFrame, most_rows: int = MOST_ROWS) -> pd.DataFrame:
    """A ``panel_table`` whose curves have about ``most_rows`` rows at most; short ones stay.

    Three steps, each only where the one before has left too many: rows that repeat the row before
    them are left out, then those that move no line by more than ``JUST_SEEN``, then those that lie
    on the pixel of others of about the same height. Ends, markers and the rows where the number of
    trials changes stay.
    """
    rows = table.groupby(["axis", "method"], sort=False).indices.values()
    if all(len(each) <= most_rows for each in rows):
        return table
    spread = band_of(table).spread(table)
    height = float(spread.iloc[:, 1].max() - spread.iloc[:, 0].min())
    kept = [each[_kept(table.iloc[each], most_rows, height)] for each in rows]
    return table.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)


def _kept(curve: pd.DataFrame, most_rows: int, height: float) -> NDArray[np.intp]:
    """Which rows of a curve are kept."""
    rows: NDArray[np.intp] = np.arange(len(curve))
    if len(rows) <= most_rows:
        return rows
    band = band_of(curve)
    values = np.column_stack([curve[band.value], band.spread(curve)])  # (rows, 3)
    n = curve["n"].to_numpy()
    change = np.diff(n, prepend=n[0]) != 0
    fixed = curve["marker"].to_numpy(dtype=bool) | change | np.append(change[1:], False)
    fixed[[0, -1]] = True
    moved = (np.diff(values, axis=0, prepend=np.inf) != 0).any(axis=1)
    rows = rows[moved | fixed]
    if len(rows) > most_rows:
        rows = rows[_seen(values[rows], fixed[rows], JUST_SEEN * height)]
    if len(rows) > most_rows:
        x = curve["x"].to_numpy(dtype=np.float64)
        rows = rows[_envelope(x[rows], values[rows], most_rows) | fixed[rows]]
    return rows


def _seen(values: NDArray[np.float64], fixed: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """Which rows (rows, 3) are further than ``least`` from the last one that is kept: (rows,)."""
    kept = fixed.copy()
    last = values[0]
    for row in range(len(values)):
        if kept[row] or np.abs(values[row] - last).max() > least:
            kept[row], last = True, values[row]
    return kept


def _envelope(
    x: NDArray[np.float64], values: NDArray[np.float64], most_rows: int
) -> NDArray[np.bool_]:
    """The highest and the lowest of the rows that share a pixel, on both scales of x: (rows,)."""
    n_pixels = max(1, most_rows // 8)  # two scales, and up to four rows for each pixel
    frame = pd.DataFrame({"linear": _pixels(x, n_pixels)})
    frame["log"] = _pixels(np.log(np.maximum(x, x.max() * 1e-9)), n_pixels)
    kept = np.zeros(len(x), dtype=bool)
    pixels = [frame["linear"], frame["log"]]
    for column, low, high in ((0, True, True), (1, True, False), (2, False, True)):
        groups = pd.Series(values[:, column]).groupby(pixels)
        if low:
            kept[groups.idxmin().to_numpy()] = True
        if high:
            kept[groups.idxmax().to_numpy()] = True
    return kept


def _pixels(x: NDArray[np.float64], n_pixels: int) -> NDArray[np.intp]:
    """On which of ``n_pixels`` each x lies: (rows,)."""
    span = float(np.ptp(x))
    return np.floor((x - x.min()) / span * n_pixels).astype(np.intp) if span else x.astype(np.intp)
