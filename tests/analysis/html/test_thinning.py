import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from augbench.analysis.html.thinning import JUST_SEEN, thinned


def curve(median, n=None, marker=None, method="none"):
    rows = len(median)
    median = np.asarray(median, dtype=float)
    return pd.DataFrame(
        {
            "axis": "step",
            "method": method,
            "x": np.arange(1.0, rows + 1),
            "median": median,
            "q1": median - 0.1,
            "q3": median + 0.1,
            "n": np.full(rows, 3) if n is None else n,
            "marker": np.zeros(rows, dtype=bool) if marker is None else marker,
        }
    )


def at(table, x):
    """The median of a step function at each x."""
    return table["median"].to_numpy()[np.searchsorted(table["x"], x, side="right") - 1]


def test_short_curves_stay_as_they_are():
    table = pd.concat([curve(np.sin(np.arange(50))), curve([1.0] * 50, method="mine")])
    assert thinned(table, 50) is table


def test_rows_that_repeat_are_left_out_without_any_loss():
    table = curve(np.repeat([0.1, 0.5, 0.3, 0.5], 100))
    thin = thinned(table, 50)
    assert list(thin["x"]) == [1, 101, 201, 301, 400]
    assert np.array_equal(at(thin, table["x"]), table["median"])


def test_ends_markers_and_changes_of_n_stay():
    n = np.repeat([3, 2], [60, 40])
    marker = np.arange(100) == 30
    thin = thinned(curve([0.5] * 100, n, marker), 20)
    assert list(thin["x"]) == [1, 31, 60, 61, 100]


def test_a_slow_climb_moves_by_less_than_can_be_seen():
    table = curve(np.linspace(0, 1, 20_000))
    thin = thinned(table, 1500)
    assert len(thin) <= 1500
    height = table["q3"].max() - table["q1"].min()
    off = np.abs(at(thin, table["x"]) - table["median"].to_numpy())
    assert off.max() <= JUST_SEEN * height


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(200, 3000), st.integers(40, 150))
def test_whatever_the_curve_its_rows_are_few_and_its_heights_stay(seed, rows, most_rows):
    random = np.random.default_rng(seed)
    table = curve(random.normal(size=rows))
    thin = thinned(table, most_rows)
    assert len(thin) <= max(most_rows, 2) + 2
    assert thin["median"].max() == table["median"].max()
    assert thin["median"].min() == table["median"].min()
    assert thin["q3"].max() == table["q3"].max()
    assert thin["q1"].min() == table["q1"].min()
    assert list(thin.iloc[[0, -1]]["x"]) == [1, rows]
    assert thin["x"].is_monotonic_increasing


def test_each_curve_is_thinned_by_itself_and_empty_rows_stay():
    empty = curve([np.nan]).assign(method="none", x=np.nan, q1=np.nan, q3=np.nan)
    table = pd.concat([curve([0.5] * 100, method="mine"), empty, curve([0.1, 0.2], method="last")])
    thin = thinned(table, 10)
    assert list(thin["method"]) == ["mine", "mine", "none", "last", "last"]
    assert np.isnan(thin["x"].iloc[2])
