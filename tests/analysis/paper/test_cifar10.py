import pandas as pd
import pytest

from augbench.analysis.paper.cifar10 import (
    ARMS,
    CURVE_TABLE,
    accuracy_claims,
    draw_accuracy,
    draw_training,
    training_claims,
)
from augbench.analysis.paper.trainings import TRAINING_TABLE


def curves(ends, n_seeds=5, epochs=10):
    """Straight climbs to a final accuracy, by method; C and lambda change nothing."""
    rows = [
        ("cifar10", method, fold, 0, "epochs", epoch, end * epoch / epochs + 0.001 * fold)
        for method, end in ends.items()
        for fold in range(n_seeds)
        for epoch in range(1, epochs + 1)
    ]
    for panel, values in (("lambda", (0.01, 0.1)), ("copies", (1, 4))):
        rows += [("cifar10", "augnet-1", 0, 0, panel, value, 0.5) for value in values]
    return pd.DataFrame(rows, columns=list(CURVE_TABLE))


AS_THE_PAPER = {
    "none": 0.7,
    "fixed": 0.9,
    "augerino": 0.8,
    "augnet-1": 0.8,
    "augnet-2": 0.8,
    "augnet-3": 0.9,
}


def test_what_the_paper_says_of_final_accuracies_holds_where_it_does():
    *gains, sooner = accuracy_claims(curves(AS_THE_PAPER))
    assert [claim.holds for claim in gains] == [True] * 5
    assert sooner.got.value == pytest.approx(0.8)  # 0.7 of 0.9, to whole epochs
    assert sooner.holds is False


def test_four_seeds_are_too_few_for_an_interval():
    *gains, _ = accuracy_claims(curves(AS_THE_PAPER, n_seeds=4))
    assert {claim.holds for claim in gains} == {None}


def test_a_missing_arm_is_nothing_yet():
    ends = {name: end for name, end in AS_THE_PAPER.items() if name != "fixed"}
    (claim,) = [each for each in accuracy_claims(curves(ends)) if "fixed" in each.measured]
    assert (claim.got.n, claim.holds) == (0, None)


def test_wide_differences_are_not_equality():
    table = curves(AS_THE_PAPER)
    noisy = table["value"] + 0.1 * (table["fold"] - 2) * (table["method"] == "augnet-2")
    claims = {claim.measured: claim for claim in accuracy_claims(table.assign(value=noisy))}
    claim = claims["Final test accuracy: augnet-2 minus augnet-1"]
    assert (claim.got.value, claim.holds) == (pytest.approx(0.0), None)


def sooner(table):
    return accuracy_claims(table)[-1]


def test_a_baseline_that_is_early_at_its_end_is_not_counted_to_the_last_epoch():
    table = curves(AS_THE_PAPER)
    early = (table["method"] == "none") & (table["step"] >= 2)
    table.loc[early, "value"] = 0.7
    assert sooner(table).got.value == pytest.approx(8 / 2)
    assert sooner(table).holds is False


def test_five_times_sooner_holds_and_never_is_infinite():
    table = curves(AS_THE_PAPER)
    own = table["method"] == "augnet-3"
    assert sooner(table.assign(value=table["value"].mask(own, 0.8))).holds is True
    never = sooner(table.assign(value=table["value"].mask(own, 0.5)))
    assert (never.got.value, never.holds) == (float("inf"), False)


def test_all_arms_and_both_choices_are_drawn():
    figure = draw_accuracy(curves(AS_THE_PAPER))
    left, middle, right = figure.axes
    assert len(left.get_lines()) == len(ARMS) * (5 + 1)
    assert [tick.get_text() for tick in middle.get_xticklabels()] == ["0.01", "0.1"]
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["1", "4"]


def trainings(accuracies):
    rows = [
        ("cifar10", method, fold, 0, step, 1.0, value, 0.5, 0.5)
        for method, value in accuracies.items()
        for fold in range(5)
        for step in range(1, 13)
    ]
    return pd.DataFrame(rows, columns=list(TRAINING_TABLE))


def test_training_accuracy_is_that_after_ten_epochs():
    claims = training_claims(trainings({"augnet-1": 0.97, "augnet-3": 0.5, "none": 0.4}))
    assert [claim.holds for claim in claims] == [True, False, None]
    assert [claim.got.value for claim in claims] == [0.97, 0.5, 0.4]


def test_nothing_yet_can_be_drawn():
    draw_accuracy(curves({}).iloc[:0])
    draw_training(trainings({}))
    assert {claim.holds for claim in training_claims(trainings({}))} == {None}
    assert {claim.holds for claim in accuracy_claims(curves({}).iloc[:0])} == {None}
