import re

from augbench.analysis.html import completeness
from augbench.analysis.html.completeness import completeness_section
from augbench.analysis.html.history import History
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.tables.frame import STATES

POINT = [(0.5, 0.4, 1, 1)]


def html(results):
    return str(completeness_section(ReportData(results, History())).body)


def cells(results):
    """What a reader hears for each cell of the matrices, row by row."""
    rows = re.findall(r"<tr><td.*?</tr>", html(results))
    return [re.findall(r'class="heard">(.*?)<', row) for row in rows]


def test_a_cell_says_what_became_of_its_trials(trial, gather):
    run = gather(
        trial("none", 0, POINT),
        trial("none", 0, [], seed=1, state="failed", reason="killed"),
        trial("none", 1, POINT, known=3),
        trial("none", 1, [], seed=1, state="waiting"),
        trial("mine", 0, [], state="skipped", reason="it does not fit"),
    )
    assert cells(run) == [["done, failed", "incomplete, waiting"], ["skipped", "not planned"]]


def test_every_trial_that_is_not_done_has_a_line_with_its_reason(trial, gather):
    text = html(
        gather(
            trial("none", 0, POINT),
            trial("none", 1, [], state="failed", known=4, reason="the worker was killed"),
            trial("mine", 0, [], state="skipped", reason="it does not fit"),
        )
    )
    assert "toy none fold 1 seed 0: failed (the worker was killed), 0 of 4 points scored" in text
    assert "1 skipped (mine on toy): it does not fit" in text
    assert "The 1 that are not done" in text


def test_every_state_of_a_trial_has_a_sign(trial, gather):
    shown = {"over budget": "done"}
    for state in STATES:
        run = gather(trial("none", 0, POINT, state=state))
        assert cells(run) == [[shown.get(state, state)]]
    assert set(completeness.STATES) == {*STATES, "incomplete"} - {"over budget"}


def test_matrices_of_many_whole_tasks_are_closed_and_others_open(grid, trial, gather):
    assert "task_0: 1 of 1 done" in html(grid(1, 1, 2))
    assert html(grid(1, 1, 2)).count("<details open>") == 2
    assert html(grid(1, 1, 3)).count("<details open>") == 0
    tasks = [trial("none", 0, POINT, task=f"task_{k}") for k in range(3)]
    torn = gather(*tasks, trial("none", 1, [], task="task_1", state="failed"))
    assert html(torn).count("<details open>") == 2  # and the list of what is not done


def test_skipped_trials_are_not_counted_as_missing(trial, gather):
    run = gather(trial("none", 0, POINT), trial("mine", 0, [], state="skipped", reason="no"))
    assert "toy: 1 of 1 done, 1 skipped" in html(run)
