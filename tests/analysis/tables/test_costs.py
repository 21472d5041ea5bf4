"""What trials cost, phase by phase, out of real runs."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from augbench.analysis.figures.costs import cost_figure
from augbench.analysis.figures.image_files import png
from augbench.analysis.tables.costs import (
    COST_TABLE,
    PHASE_STYLES,
    SEARCHED,
    cost_table,
    phase_table,
)
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.scores import final_scores
from augbench.bench.store.phases import PHASES
from runs import run_inline

SUITE = """
name = "costs"
folds = 2
[tasks.digits]
training = { epochs = 2 }
[methods.none]
[methods.fast_autoaugment]
n_samplings = 2
samplings_per_point = 1
pretrain_epochs = 1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("costs")
    return run_inline(SUITE, folder / "run")


def test_what_is_charged_adds_up_to_the_right_end_of_the_curve(run):
    costs = cost_table(run)
    assert list(costs.columns) == list(COST_TABLE)
    assert set(costs["phase"]) == {*PHASES, "wasted"} == set(PHASE_STYLES) - {SEARCHED}
    paid = costs[costs["charged"]].groupby("trial")[["seconds", "forward", "backward"]].sum()
    finals = final_scores(load(run).points).set_index("trial").loc[paid.index]
    np.testing.assert_allclose(paid["seconds"], finals["hours_full"] * 3600)
    assert list(paid["forward"]) == list(finals["forward_full"])
    assert list(paid["backward"]) == list(finals["backward_full"])


def test_a_method_pays_in_the_phases_that_it_has(run):
    table = phase_table(cost_table(run), load(run), "digits").set_index(["method", "phase"])
    seconds = table["seconds"]
    assert seconds["none", "search"] > 0
    assert seconds["none", "retrain"] == seconds["none", "pretrain"] == 0
    for phase in ("pretrain", "search", "validate", "retrain", "evaluate"):
        assert seconds["fast_autoaugment", phase] > 0
    assert set(table["n"]) == {2}
    # One thread: a processor works for no longer than the phase lasts, but for what clocks round.
    assert table.loc[("none", "search"), "busy"] < 1.1


def test_trials_with_something_left_to_do_are_left_out(run, tmp_path):
    out = shutil.copytree(run, tmp_path / "run")
    first = sorted(out.glob("evaluations/*/result.json"))[0]
    first.unlink()
    left = cost_table(out)
    whole = cost_table(run)
    assert left["trial"].nunique() == whole["trial"].nunique() - 1
    assert left.merge(whole, how="left", indicator=True)["_merge"].eq("both").all()


def test_the_search_that_chose_options_is_a_bar(run):
    results = replace(load(run), search_hours={"none": 0.5, "not here": 2.0})
    table = phase_table(cost_table(run), results, "digits")
    searched = table[table["phase"] == SEARCHED]
    assert list(searched["method"]) == ["none"]
    assert list(searched["seconds"]) == [1800]
    assert searched["forward"].isna().all()


def test_the_bars_are_as_long_as_the_table_says(run):
    table = phase_table(cost_table(run), load(run), "digits")
    figure = cost_figure(table, "digits")
    assert len(png(figure)) > 5000
    times, samples = figure.axes
    for panel, column, rows in (
        (times, "seconds", table),
        (samples, "forward", table[table["charged"]]),
    ):
        ends = {}
        for bar in panel.patches:
            ends[round(bar.get_y(), 2)] = bar.get_x() + bar.get_width()
        longest = rows.groupby("method", sort=False)[column].sum()
        expected = longest / longest.max()
        found = np.array(list(ends.values())) / max(ends.values())
        np.testing.assert_allclose(sorted(found), sorted(expected))
    colours = {to_rgb(bar.get_facecolor()) for bar in times.patches}
    assert to_rgb(PHASE_STYLES["search"][1]) in colours
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "retraining" in legend
    assert "wasted" not in legend


def test_a_run_without_a_finished_trial_says_so(run, tmp_path):
    out = Path(shutil.copytree(run, tmp_path / "run"))
    for result in out.glob("trials/*/result.json"):
        result.unlink()
    table = phase_table(cost_table(out), load(out), "digits")
    assert table.empty
    figure = cost_figure(table, "digits")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no trial is finished"]
    assert len(png(figure)) > 1000
