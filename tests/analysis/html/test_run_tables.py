"""The sections on what only the run directory knows, of a real run."""

import numpy as np
import pandas as pd
import pytest

from augbench.analysis.html.history import read_history
from augbench.analysis.report import write_report
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.run_tables import load_run_tables
from runs import run_inline

SUITE = """
name = "real"
folds = 2
[tasks.digits]
training = { epochs = 1 }
[tasks.own]
task = "arrays"
path = "own.npz"
training = { epochs = 1 }
[methods.none]
[methods."<b>drawn</b>"]
method = "random_policy"
n_policies = 1
"""


def save_recordings(file):
    """Two classes of noise, of six subjects."""
    rng = np.random.default_rng(0)
    y = np.arange(72) % 2
    x = rng.normal(size=(72, 2, 64)) * (1 + y)[:, None, None]
    groups = np.repeat([f"<i>S{number}</i>" for number in range(6)], 12)
    np.savez(file, x=x, y=y, groups=groups, sampling_rate=64.0)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of its report."""
    folder = tmp_path_factory.mktemp("real")
    save_recordings(folder / "own.npz")
    run = run_inline(SUITE, folder / "run")
    write_report(
        load(run), folder / "report", history=read_history(run), tables=load_run_tables(run)
    )
    return folder / "report"


def test_every_table_of_the_run_is_written(report):
    for name in ("costs", "metrics", "classes", "confusions", "operations", "subpolicies"):
        assert len(pd.read_csv(report / f"{name}.csv")), name
    groups = pd.read_csv(report / "groups.csv")
    assert set(groups["task"]) == {"own"}
    assert set(groups["n"]) == {12}
    assert groups["group"].nunique() == 3  # in two of five folds
    for ending in ("png", "svg", "csv"):
        assert (report / f"digits-costs.{ending}").stat().st_size > 500


def test_the_page_has_a_section_of_each(report):
    text = (report / "report.html").read_text(encoding="utf-8")
    for anchor in ("tests", "classes", "learned", "costs"):
        assert f'<section id="{anchor}">' in text
    for words in (
        "kappa",
        "digits: recall of each class",
        "Gains over the references",
        "retraining",
        "Balanced accuracy of each group",
        "&lt;i&gt;S5&lt;/i&gt;",
    ):
        assert words in text
    assert "too few folds: 2 of " in text  # for an interval of a score
    assert "<b>drawn</b>" not in text
    strongest = pd.read_csv(report / "subpolicies.csv")["words"].iloc[0]
    assert strongest in text


def test_a_browser_shows_it_without_an_error(report, browser):
    browser.get((report / "report.html").as_uri())
    shown = "return [...document.querySelectorAll('#costs img')].map((each) => each.naturalWidth)"
    for _ in range(200):
        if all(browser.execute_script(shown)):
            break
        browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert [width > 100 for width in browser.execute_script(shown)] == [True, True]
    assert browser.get_log("browser") == []
