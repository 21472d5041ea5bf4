import pandas as pd
import pytest

from augbench.analysis.tables.frame import POINT_COLUMNS, TRIAL_COLUMNS, ended, finished, results
from augbench.datasets.errors import UserError

TWO = [(0.5, 0.4, 1.0, 1.0), (0.6, 0.5, 2.0, 3.0)]


def test_a_run_without_points_has_a_typed_table_of_them(trial, gather):
    points = gather(trial("none", 0, [], state="waiting")).points
    assert len(points) == 0
    assert {name: str(kind) for name, kind in points.dtypes.items()} == POINT_COLUMNS


def test_a_run_without_trials_has_two_typed_tables():
    empty = results([], [], "nothing")
    assert list(empty.points) == list(POINT_COLUMNS)
    assert {name: str(kind) for name, kind in empty.trials.dtypes.items()} == TRIAL_COLUMNS


def test_columns_and_types_are_those_declared_whatever_came_in(trial, gather):
    good = gather(trial("none", 0, TWO))
    mixed = good.points.astype({"hours_paper": object, "fold": float}).assign(extra=1)
    again = results(mixed[mixed.columns[::-1]], good.trials, "toys")
    pd.testing.assert_frame_equal(again.points, good.points)


def test_the_order_of_rows_does_not_matter(trial, gather):
    good = gather(trial("none", 0, TWO), trial("augnet", 1, TWO))
    again = results(good.points.iloc[::-1], good.trials.iloc[::-1], "toys")
    pd.testing.assert_frame_equal(again.points, good.points)
    pd.testing.assert_frame_equal(again.trials, good.trials)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p, t: (p.drop(columns="valid"), t), "points lack the columns valid"),
        (lambda p, t: (p.assign(valid=float("nan")), t), "empty cells in valid"),
        (lambda p, t: (p.assign(test=float("inf")), t), "point 1 of trial toy-none-0-0"),
        (lambda p, t: (p.assign(hours_full=-1.0), t), "negative cost"),
        (lambda p, t: (p.assign(fold="first"), t), "points cannot be read"),
        (lambda p, t: (p.assign(kind="modle"), t), "unknown artifact kind 'modle'; did you mean"),
        (lambda p, t: (p.assign(metric=["accuracy", "loss"]), t), "a task has one metric"),
        (lambda p, t: (pd.concat([p, p]), t), "points hold .* twice"),
        (lambda p, t: (p, pd.concat([t, t])), "trials hold .* twice"),
        (lambda p, t: (p.assign(trial="lost"), t), "not among the planned trials"),
        (lambda p, t: (p.assign(method="augnet"), t), "not among the planned trials"),
        (lambda p, t: (p, t.assign(state="doen")), "unknown trial state 'doen'; did you mean"),
    ],
)
def test_what_breaks_the_contract_is_named(trial, gather, spoil, message):
    good = gather(trial("none", 0, TWO))
    with pytest.raises(UserError, match=message):
        results(*spoil(good.points, good.trials), "toys")


def test_nothing_is_expected_of_a_trial_that_is_skipped(trial, gather):
    run = gather(
        trial("none", 0, TWO),
        trial("augerino", 0, [], state="skipped", reason="not for this"),
        trial("augerino", 0, TWO, task="pictures"),
    )
    assert run.trials[["task", "method"]].to_numpy().tolist() == [
        ["pictures", "augerino"],
        ["toy", "none"],
    ]
    assert run.skipped[["task", "method", "reason"]].to_numpy().tolist() == [
        ["toy", "augerino", "not for this"]
    ]
    assert {name: str(kind) for name, kind in run.skipped.dtypes.items()} == TRIAL_COLUMNS


def test_a_trial_is_finished_when_it_ended_as_planned_and_all_points_are_scored(trial, gather):
    states = ["done", "over budget", "diverged", "running", "waiting", "failed"]
    run = gather(
        *(trial("none", fold, TWO, state=state) for fold, state in enumerate(states)),
        trial("none", 6, TWO, state="done", known=3),
        trial("none", 7, TWO, state="diverged", known=3),
        trial("none", 8, [], state="over budget"),
    )
    assert finished(run.trials).tolist() == [True, True, *[False] * 7]
    assert ended(run.trials).tolist() == [True, True, True, *[False] * 4, True, False]
