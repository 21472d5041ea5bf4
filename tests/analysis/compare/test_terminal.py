"""What the terminal shows of a comparison."""

import io

import pytest
from rich.console import Console

from augbench.analysis.compare.cells import compare_results
from augbench.analysis.compare.terminal import conclusion, show_comparison
from augbench.analysis.tables.frame import results


def printed(table):
    lines = io.StringIO()
    show_comparison(table, Console(file=lines, width=160))
    return lines.getvalue()


@pytest.fixture
def shown(gather):
    def of(a, b):
        table = compare_results(gather(*a), gather(*b), limit=0.01)
        return printed(table), conclusion(table, 0.01)

    return of


def test_scores_differences_and_costs_of_each_cell_are_shown(shown, trial):
    a = [trial("m", fold, [(0.5, test, 1, 2)]) for fold, test in enumerate((0.5, 0.6))]
    b = [trial("m", fold, [(0.5, test, 1, 2)]) for fold, test in enumerate((0.4, 0.6))]
    text, end = shown(a, b)
    assert "0.550 (n=2)  0.500 (n=2)  -0.0500 [-1.150, +1.050]  2      undecided" in text
    assert "toy   m       2      4,000            2,000             4.0 h" in text
    assert end == "nothing in B is worse by more than 0.01; 1 of 1 cells are undecided"


def test_what_has_no_number_says_why(shown, trial):
    a = [trial("m", 0, [(0.5, 0.5, 1, 2)]), trial("m", 1, [], state="waiting")]
    b = [trial("m", 0, [(0.5, 0.6, 1, 2)], device="gpu"), trial("n", 0, [], state="failed")]
    text, end = shown(a, b)
    assert "0.500 (n=1, 1 of 2 done)" in text
    assert "not compared (cpu in A, gpu in B)" in text
    assert "no interval (too few folds: 1 of 2 needed): m on toy" in text
    assert end.endswith("lacks results: n on toy (not done: 1 of 1 trials in B: failed)")


def test_hours_of_a_busy_processor_have_a_star(trial, gather):
    a = gather(trial("m", 0, [(0.5, 0.5, 1, 2)]))
    table = compare_results(a, results(a.points.assign(busy=0.5), a.trials, "t"), limit=0)
    text = printed(table)
    assert "2.0 h -> 2.0 h *" in text
    assert "* too long: it waited for a processor" in text


def test_labels_are_shown_as_they_are(shown, trial):
    text, _ = shown([trial("[red]m:+1:", 0, [(0.5, 0.5, 1, 2)])], [trial("[red]m:+1:", 0, [])])
    assert "[red]m:+1:" in text
