import pandas as pd
import pytest

from augbench.analysis.tables.policy_folds import POLICY_FOLD_TABLE, policy_folds


def operations(*rows):
    columns = ["task", "method", "fold", "seed", "transform", "strength"]
    table = pd.DataFrame(rows, columns=columns)
    names = [table[name].astype("str") for name in ("method", "fold", "seed")]
    return table.assign(trial=names[0] + "-" + names[1] + "-" + names[2])


@pytest.fixture
def run(trial, gather):
    point = [(0.5, 0.4, 1, 1)]
    return gather(*(trial(name, fold, point) for name in ("adda", "dada") for fold in (0, 1)))


def test_a_cell_is_the_mean_over_the_seeds_of_a_fold_and_0_where_an_operation_lacks(run):
    table = policy_folds(
        operations(
            ("toy", "adda", 0, 0, "noise", 0.2),
            ("toy", "adda", 0, 1, "noise", 0.4),
            ("toy", "adda", 0, 1, "flip", 0.1),
            ("toy", "adda", 1, 0, "flip", 0.5),
        ),
        run,
        "toy",
    )
    assert list(table) == list(POLICY_FOLD_TABLE)
    cells = table.set_index(["transform", "fold"])["strength"].to_dict()
    expected = {("noise", 0): 0.3, ("noise", 1): 0.0, ("flip", 0): 0.05, ("flip", 1): 0.5}
    assert cells == pytest.approx(expected)
    assert table["seeds"].tolist() == [2, 1, 2, 1]


def test_the_strongest_operation_on_average_over_methods_stands_first(run):
    table = policy_folds(
        operations(
            ("toy", "adda", 0, 0, "a", 0.3),
            ("toy", "adda", 1, 0, "b", 0.4),
            ("toy", "dada", 0, 0, "b", 0.1),
            ("toy", "dada", 0, 0, "c", 0.6),
            ("other", "dada", 0, 0, "d", 0.9),
        ),
        run,
        "toy",
    )
    # Means over methods of means over folds: c .3, b (.2 + .1) / 2, a .15 / 2.
    assert list(table["transform"].unique()) == ["c", "b", "a"]
    assert list(table["method"].unique()) == ["dada", "adda"]  # as in all figures
    assert table.loc[table["method"] == "dada", "fold"].unique().tolist() == [0]


def test_without_policies_there_are_no_rows(run):
    for given in (pd.DataFrame(), operations(("other", "adda", 0, 0, "a", 0.1))):
        assert list(policy_folds(given, run, "toy")) == list(POLICY_FOLD_TABLE)
        assert policy_folds(given, run, "toy").empty
