import io

import matplotlib
import numpy as np
import pandas as pd
import pytest

from augbench.analysis.figures.image_files import svg
from augbench.analysis.figures.ranks import rank_figure
from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.ranks import rank_table

NAMES = ("augnet", "adda", "trivialaugment", "dada", "none")


@pytest.fixture
def run(over_tasks):
    scores = np.random.default_rng(1).normal(0.5, 0.02, size=(9, 5)) - 0.02 * np.arange(5)
    return over_tasks(dict(zip(NAMES, scores.T, strict=True)), chance=0.1)


def words(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def bars(figure):
    """The ends of the bars of groups."""
    lines = [line for line in figure.axes[0].get_lines() if line.get_linewidth() == 4]
    return [tuple(line.get_xdata()) for line in lines]


def test_each_method_has_its_rank_its_colour_and_its_marker(run):
    table = rank_table(run)
    figure = rank_figure(table)
    markers = {}
    for line in figure.axes[0].get_lines():
        if line.get_linestyle() == "None":
            markers[float(line.get_xdata()[0])] = (line.get_color(), line.get_marker())
    for row in table.to_dict("records"):
        style = METHOD_STYLES[row["method"]]
        assert markers[row["rank"]] == (style.colour, style.symbol)
        assert any(row["method"] in word and f"{row['rank']:.2f}" in word for word in words(figure))


def test_bars_join_the_groups_of_the_table(run):
    table = rank_table(run)
    expected = [
        table.loc[table["groups"].str.split().map(lambda of, n=n: str(n) in of), "rank"]
        for n in range(1, 1 + max(int(each) for row in table["groups"] for each in row.split()))
    ]
    found = bars(rank_figure(table))
    assert len(found) == len(expected) > 1
    for (low, high), ranks in zip(found, expected, strict=True):
        assert (low, high) == pytest.approx((ranks.min(), ranks.max()), abs=0.03)


def test_the_critical_difference_is_drawn_as_long_as_it_is(run):
    table = rank_table(run)
    figure = rank_figure(table)
    difference = table["critical_difference"].iloc[0]
    lengths = [np.ptp(line.get_xdata()) for line in figure.axes[0].get_lines()]
    assert any(length == pytest.approx(difference) for length in lengths)
    assert f"critical difference {difference:.2f}" in words(figure)
    assert figure.get_suptitle() == "mean ranks over 9 tasks (Friedman, p < .001)"


def test_the_csv_holds_all_that_is_drawn(run, over_tasks):
    alike = over_tasks(dict.fromkeys("1234", [0.5] * 6))  # numbers as labels, one group
    for table in (rank_table(run), rank_table(alike)):
        again = pd.read_csv(io.StringIO(table.to_csv(index=False)), float_precision="round_trip")
        assert svg(rank_figure(again)) == svg(rank_figure(table))


def test_methods_that_cannot_be_told_apart_are_joined_by_one_bar(over_tasks):
    figure = rank_figure(rank_table(over_tasks(dict.fromkeys("abc", [0.5] * 6))))
    assert len(bars(figure)) == 1
    assert "no method can be told from another" in figure.get_suptitle()


def test_failed_runs_at_chance_are_marked(over_tasks):
    scores = {name: [0.5 + 0.1 * k] * 6 for k, name in enumerate("abc")}
    scores["a"] = [0.5] * 5 + [np.nan]
    table = rank_table(impute_failed(over_tasks(scores, chance=0.1)))
    assert "; failed runs at chance: 1" in rank_figure(table).get_suptitle()


@pytest.mark.parametrize("n_methods", [3, 24])
def test_no_label_is_cut_off_or_lies_on_the_ranks(over_tasks, n_methods):
    level = np.linspace(0.3, 0.6, 7)
    names = [f"a rather long label of a method {k}" for k in range(n_methods)]
    figure = rank_figure(rank_table(over_tasks({n: level - 0.01 * k for k, n in enumerate(names)})))
    figure.draw_without_rendering()
    panel = figure.axes[0].get_window_extent()
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        if "label" in text.get_text():
            assert box.x1 <= panel.x0 or box.x0 >= panel.x1
