"""The report of a search, and its costs on the curve that it made."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from augbench.analysis.command import report
from augbench.analysis.figures.image_files import png
from augbench.analysis.figures.searches import search_figure
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.searches import charge_searches, trial_table
from augbench.bench.cli.command import main
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.bench.search.search import Search
from augbench.bench.search.search_results import SearchResults, TrialResult
from augbench.datasets.errors import UserError

PARAMETERS = {"penalty": "log:0.01:50", "at_eval": "choice:blend,sample"}
SCALES = {"penalty": "log", "at_eval": "words"}


def finding(number: int, state: str, valid: float | None, hours: float = 0.5) -> TrialResult:
    values = {"penalty": 0.1 * 2**number, "at_eval": "blend" if number % 2 else "sample"}
    return TrialResult(
        number, state, values, valid, None if valid is None else 0.01, hours, 10, 20, 1.0
    )


def results(*trials: TrialResult) -> SearchResults:
    search = Search({}, "shift", PARAMETERS, "tpe", 0, 4, True)
    return SearchResults(search, len(trials), trials)


@pytest.fixture
def table() -> pd.DataFrame:
    return trial_table(
        results(
            finding(0, "pruned", 0.95),
            finding(1, "done", 0.8),
            finding(2, "done", 0.7),
            finding(3, "unfinished", None, 0.0),
            finding(4, "done", 0.9),
        )
    )


def test_the_best_so_far_is_of_trials_that_ran_to_their_end(table: pd.DataFrame) -> None:
    assert np.isnan(table["best"][0])
    assert list(table["best"][1:]) == [0.8, 0.8, 0.8, 0.9]
    assert list(table["hours_so_far"]) == [0.5, 1.0, 1.5, 1.5, 2.0]
    assert list(table["at_eval"]) == ["sample", "blend", "sample", "blend", "sample"]


def test_a_panel_for_each_parameter_and_one_for_the_hours(table: pd.DataFrame) -> None:
    figure = search_figure(table, SCALES, "shift")
    penalty, words, hours = figure.axes
    assert (penalty.get_xscale(), words.get_xscale()) == ("log", "linear")
    assert penalty.get_xlabel() == "penalty λ"
    assert "device hours" in hours.get_xlabel()
    drawn = {
        str(container.get_label()): container.lines[0].get_xdata()
        for container in penalty.containers
    }
    assert list(drawn["done"]) == pytest.approx([0.2, 0.4, 1.6])
    assert list(drawn["pruned"]) == pytest.approx([0.1])


def test_a_search_that_has_nothing_yet_is_drawn(table: pd.DataFrame) -> None:
    for empty in (results(), results(finding(0, "unfinished", None, 0.0))):
        assert png(search_figure(trial_table(empty), SCALES, "shift"))


SUITE = """
name = "charged"
folds = 1
[tasks.digits]
training = { epochs = 2 }
[methods.none]
[methods.fixed]
[methods.random_policy]
n_policies = 1
"""
SEARCHES = """
[searches.fixed]
directory = "runs/search"
device_hours = 2.5
forward = 1000
backward = 500
[searches.random_policy]
directory = "runs/other"
device_hours = 1.0
forward = 1
backward = 2
"""


def run(tmp_path: Path, text: str) -> Path:
    (tmp_path / "suite.toml").write_text(text)
    suite = load_suite(tmp_path / "suite.toml")
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(suite, options, Console(quiet=True))
    return options.out


def test_a_search_is_charged_to_its_method_in_both_readings(tmp_path: Path) -> None:
    out = run(tmp_path, SUITE + SEARCHES)
    plain = load(out)
    charged = charge_searches(plain, out)
    costs = [name for name in plain.points if name.startswith(("hours", "forward", "backward"))]
    added = charged.points[costs] - plain.points[costs]
    paid = {"none": (0, 0, 0), "fixed": (2.5, 1000, 500), "random_policy": (1, 1, 2)}
    for method, (hours, forward, backward) in paid.items():
        own = added[plain.points["method"] == method]
        assert len(own)
        for name in costs:  # so that what is without validation has the search too
            paid_here = {"hours": hours, "forward": forward, "backward": backward}
            assert np.allclose(own[name], paid_here[name.partition("_")[0]])
    rest = [name for name in plain.points if name not in costs]
    assert charged.points[rest].equals(plain.points[rest])


def test_the_report_charges_only_when_asked_and_says_so(tmp_path: Path) -> None:
    out = run(tmp_path, SUITE + SEARCHES)
    note = "Hours and samples of fixed include those of the search in runs/search."
    report([out])
    assert note not in (out / "report" / "table.md").read_text()
    plain = pd.read_csv(out / "report" / "table.csv").set_index("method")
    assert "search for options" in (out / "report" / "table.md").read_text()
    report([out], charge_search=True)
    assert note in (out / "report" / "table.md").read_text()
    charged = pd.read_csv(out / "report" / "table.csv").set_index("method")
    for table in (plain, charged):
        assert table["hours_search"]["fixed"] == 2.5
        assert table["hours_search"].isna()["none"]
    added = charged["hours_full"] - plain["hours_full"]
    assert added["fixed"] == pytest.approx(2.5)
    assert added["none"] == 0


def test_a_run_whose_suite_names_no_search_cannot_charge_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names no search; run it with"):
        report([run(tmp_path, SUITE)], charge_search=True)


def test_the_command_writes_table_and_figure_of_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite.toml").write_text(SUITE)
    out = tmp_path / "search"
    words = ["--method", "fixed", "--param", "training.learning_rate", "--space", "log:1e-3:1e-2"]
    options = ["--trials", "2", "--engine", "inline", "--out", str(out)]
    command = ["augbench", "search", str(tmp_path / "suite.toml"), *words, *options]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    printed = capsys.readouterr().out
    for name in ("trials.csv", "search.png", "search.svg"):
        assert str(out / "report" / name) in printed
        assert (out / "report" / name).stat().st_size > 0
    written = pd.read_csv(out / "report" / "trials.csv")
    assert list(written["trial"]) == [0, 1]
    assert written["training.learning_rate"].between(1e-3, 1e-2).all()
