"""What is drawn beside the margin, from rows whose sums are known."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from augbench.analysis.figures.ranges import range_figure
from augbench.analysis.report import write_report
from augbench.analysis.tables.frame import LEARNED_COLUMNS, load
from augbench.analysis.tables.learned_ranges import learned_ranges
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.datasets import TASKS
from augbench.datasets.options.row import Margin
from augbench.datasets.options.tasks import MarioIggyOptions, SinusoidsOptions

SUITE = """
name = "waves"
folds = 2
[tasks.sinusoids]
half_band = 0.3
n_train = 40
n_test = 8
training = { epochs = 2, patience = 2 }
[methods.none]
[methods.augnet]
"""


def learned(*rows):
    """Rows of (step, layer, transform, weight, value)."""
    same = {"task": "toy", "method": "augnet", "fold": 0, "seed": 0, "trial": "t", "loss": 1.0}
    names = ("step", "layer", "transform", "weight", "value")
    table = pd.DataFrame([same | dict(zip(names, row, strict=True)) for row in rows])
    table = table.assign(point=table["step"], magnitude=0.5, unit="hertz")
    return table[list(LEARNED_COLUMNS)]


@pytest.fixture
def run(trial, gather):
    run = gather(trial("augnet", 0, [(0.5, 0.5, 1.0, 1.0)]))
    return replace(run, margins={"toy": Margin(("shift", "turn"), 0.7, "hertz")})


def test_the_range_is_the_sum_over_layers_of_weight_times_value(run):
    rows = learned(
        (1, 1, "shift", 0.5, 0.4), (1, 1, "noise", 0.5, 9.0), (1, 2, "shift", 1.0, 0.3),
        (2, 1, "shift", 0.0, 0.4), (2, 2, "turn", 1.0, 0.6),
    )  # fmt: skip
    table = learned_ranges(replace(run, learned=rows), "toy")
    assert table["range"].tolist() == pytest.approx([0.5, 0.6])
    assert table["step"].tolist() == [1, 2]
    assert set(table["margin"]) == {0.7}
    assert set(table["unit"]) == {"hertz"}


def test_a_task_without_a_margin_and_a_run_without_layers_have_no_rows(run):
    rows = learned((1, 1, "shift", 0.5, 0.4))
    assert learned_ranges(replace(run, learned=rows, margins={}), "toy").empty
    assert learned_ranges(replace(run, learned=learned((1, 1, "noise", 1.0, 1.0))), "toy").empty
    assert learned_ranges(run, "toy").empty


def test_the_margin_is_drawn_where_the_task_has_it(run):
    table = learned_ranges(replace(run, learned=learned((1, 1, "shift", 0.5, 0.4))), "toy")
    (panel,) = range_figure(table, run).axes
    assert panel.get_lines()[0].get_ydata() == [0.7, 0.7]
    assert panel.get_ylabel() == "hertz to either side"
    assert panel.get_ylim()[0] == 0


@pytest.mark.parametrize("label", ["_augnet", "augnet $x$ [/red]", "a" * 100])
def test_any_label_stands_in_the_legend(run, label):
    rows = learned((1, 1, "shift", 0.5, 0.4)).assign(method=label)
    table = learned_ranges(replace(run, learned=rows), "toy")
    (legend,) = range_figure(table.assign(task="_$toy$"), run).legends
    shown, margin = (text.get_text() for text in legend.get_texts())
    assert shown == (label if len(label) < 40 else "a" * 35 + "…")
    assert margin == "margin between classes"


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("sinusoids", SinusoidsOptions(), (("frequency_shift",), 0.5, "hertz")),
        ("sinusoids", SinusoidsOptions(half_band=0.1), (("frequency_shift",), 0.9, "hertz")),
        ("mario_iggy", MarioIggyOptions(), (("rotate", "rotation"), 45.0, "degrees")),
        ("mario_iggy", MarioIggyOptions(half_range=0.0), (("rotate", "rotation"), 90.0, "degrees")),
    ],
)
def test_tasks_know_their_margin(name, options, expected):
    transforms, largest, unit = TASKS[name].margin(options)
    assert (transforms, unit) == (expected[0], expected[2])
    assert largest == pytest.approx(expected[1])


def test_the_report_of_a_real_run_has_it(tmp_path: Path) -> None:
    file = tmp_path / "waves.toml"
    file.write_text(SUITE)
    out = tmp_path / "run"
    assert run_suite(load_suite(file), RunOptions(out, tmp_path, "inline"), Console(quiet=True))
    files = write_report(load(out), tmp_path / "report")
    assert {f.name for f in files if "ranges" in f.name} == {
        f"sinusoids-ranges.{kind}" for kind in ("png", "svg", "csv")
    }
    table = pd.read_csv(tmp_path / "report" / "sinusoids-ranges.csv")
    assert len(table) == 2 * 2  # folds, epochs
    assert set(table["method"]) == {"augnet"}
    assert table["margin"].unique() == pytest.approx([0.7])
    assert (table["range"] > 0).all()
