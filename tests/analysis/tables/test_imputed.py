from dataclasses import replace

import pytest

from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.over_tasks import overall_table
from augbench.analysis.tables.summary import summary_scores
from augbench.analysis.tables.task_scores import task_scores

POINT = (0.5, 0.6, 1.0, 1.0)


@pytest.fixture
def run(trial, gather):
    found = gather(
        trial("none", 0, [POINT]),
        trial("none", 1, [POINT], state="failed", known=4),  # a point of a failed run is not final
        trial("none", 2, [], state="over budget"),
        trial("mine", 0, [POINT], state="diverged"),
        trial("mine", 1, [], state="diverged"),
        trial("mine", 2, [], state="waiting"),
        trial("mine", 3, [], state="damaged"),
        trial("mine", 0, [], task="other", state="failed"),
    )
    return replace(found, chance={"toy": 0.25})


def test_what_failed_counts_as_chance_and_what_is_missing_stays_missing(run):
    imputed = impute_failed(run)
    assert imputed.imputed == {"toy-none-1-0": 0.25, "toy-none-2-0": 0.25, "toy-mine-1-0": 0.25}
    scores = task_scores(imputed)["toy"].fillna(-1)
    assert list(scores["none"]) == [0.6, 0.25, 0.25, -1]
    assert list(scores["mine"]) == [0.6, 0.25, -1, -1]


def test_the_notes_say_how_many_of_each(run):
    assert impute_failed(run).notes == (
        "3 runs failed (mine on toy: 1, none on toy: 2): each counts as a run at the chance level "
        "of its task, in profiles and over tasks (--impute-failed).",
        "1 run failed (mine on other: 1): no score stands in, since the chance level of the task "
        "is not known.",
    )


def test_a_run_without_failures_says_so_and_stays_as_it_is(over_tasks):
    run = over_tasks({"none": [0.5, 0.6]}, chance=0.1)
    imputed = impute_failed(run)
    assert imputed.notes == ("--impute-failed changes nothing: no run failed.",)
    assert replace(imputed, notes=()) == run


def test_nothing_is_imputed_unless_it_is_asked_for(run):
    assert run.imputed == {}
    assert not overall_table(run)["imputed"].any()


def test_points_and_the_scores_of_a_task_are_not_touched(run):
    imputed = impute_failed(run)
    assert imputed.points is run.points
    assert summary_scores(imputed).equals(summary_scores(run))
