"""The tests of whether a search found anything: calibrated without an effect, strong with one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from augbench.analysis.tables.agreement import (
    agreement_table,
    differs_from_uniform,
    distance_from_uniform,
    rank_agreement,
)
from augbench.analysis.tables.frame import Results


def test_the_f_test_is_that_of_two_way_tables() -> None:
    """By hand: 3 cells, 2 operations; then it is the square of the paired t-test."""
    values = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 2.5]])
    found = differs_from_uniform(values)
    t = stats.ttest_rel(values[:, 1], values[:, 0])
    assert found.statistic == pytest.approx(float(t.statistic) ** 2)
    assert found.p == pytest.approx(float(t.pvalue))


def test_without_an_effect_one_in_twenty_is_called_one() -> None:
    generator = np.random.default_rng(0)
    draws = [generator.normal(size=(10, 13)) for _ in range(600)]
    for test in (differs_from_uniform, lambda v: rank_agreement(v[:3], generator)):
        called = np.mean(
            [
                test(values).p < 0.05
                for values in draws[: 600 if test is differs_from_uniform else 150]
            ]
        )
        assert 0.01 < called < 0.1


def test_an_effect_is_found_by_both() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=(10, 13)) + np.linspace(0, 3, 13)
    assert differs_from_uniform(values).p < 1e-4
    agreement = rank_agreement(values, generator)
    assert agreement.p < 0.001
    assert agreement.statistic > 0.4


def test_equal_and_exactly_repeated_cells_have_an_answer() -> None:
    assert differs_from_uniform(np.full((4, 5), 0.2)) == (0.0, 1.0)
    repeated = np.tile(np.array([0.1, 0.2, 0.7]), (4, 1))
    assert differs_from_uniform(repeated) == (float("inf"), 0.0)
    generator = np.random.default_rng(0)
    assert rank_agreement(repeated, generator).statistic == pytest.approx(1.0)
    assert rank_agreement(np.full((3, 4), 0.25), generator) == (0.0, 1.0)


def test_the_distance_is_the_part_that_would_have_to_move() -> None:
    assert distance_from_uniform(np.full((3, 4), 0.25)) == 0.0
    assert distance_from_uniform(np.eye(4)) == pytest.approx(0.75)  # one operation each: the most
    halves = np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    assert distance_from_uniform(halves) == pytest.approx((0.5 + 0.0) / 2)


def test_cells_of_other_means_do_not_matter() -> None:
    values = np.random.default_rng(2).normal(size=(6, 4))
    shifted = values + np.arange(6)[:, None]
    assert differs_from_uniform(shifted).statistic == pytest.approx(
        differs_from_uniform(values).statistic
    )


def test_the_table_takes_each_trials_last_policy_and_fills_what_it_leaves_out() -> None:
    def rows(
        method: str, fold: int, point: int, shares: dict[str, float]
    ) -> list[dict[str, object]]:
        trial = f"{method}{fold}"
        labels = {"task": "t", "method": method, "fold": fold, "seed": 0, "trial": trial}
        return [
            {**labels, "point": point, "step": point, "policy": "p", "transform": n, "share": s}
            for n, s in shares.items()
        ]

    records = [
        *rows("found", 0, 1, {"a": 0.0, "b": 0.5, "c": 0.5}),
        *(
            r
            for f in range(4)
            for r in rows("found", f, 2, {"a": 0.8 + 0.01 * f, "b": 0.2 - 0.01 * f})
        ),
        *rows("once", 0, 1, {"c": 1.0}),
    ]
    empty = pd.DataFrame()
    results = Results(empty, empty, "s", empty, pd.DataFrame(records), empty)
    table = agreement_table(results, np.random.default_rng(0))
    assert table["method"].tolist() == ["found"]
    (row,) = table.to_dict("records")
    assert (row["trials"], row["transforms"]) == (4, 3)
    assert row["f_p"] < 1e-6
    assert row["correlation"] == pytest.approx(1.0)
    # On average .815 and .185 of three: two thirds of .185 go to nobody, .815 is .482 too much.
    assert row["distance"] == pytest.approx(0.815 - 1 / 3)
