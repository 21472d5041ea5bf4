"""What policies do: worked by hand, and out of a real run."""

from math import isnan

import pytest
from rich.console import Console

from augbench.analysis.tables.best_policies import (
    OPERATION_TABLE,
    SUBPOLICY_TABLE,
    best_policies,
    operation_table,
    subpolicy_table,
)
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec
from augbench.bench.plan.suite import PlannedTrial, load_suite
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.methods.policies.policy import digest_in

SPEC = TrialSpec(TaskSpec("digits", {}), "dada", {}, 0, 0, Budget())
PLANNED = PlannedTrial("toy", "dada", SPEC)
MEANINGS = {
    "rotate": {"strongest": 180.0, "unit": "degrees"},
    "noise": {"strongest": 0.2, "unit": "standard deviation"},
    "flip": {"strongest": 1.0, "unit": "probability"},
}


def sub(*operations, weight=1.0):
    return {"weight": weight, "operations": [list(each) for each in operations]}


def found(*subpolicies, by_class=()):
    content = {"subpolicies": list(subpolicies), "by_class": [list(each) for each in by_class]}
    return [(PLANNED, content | {"transforms": MEANINGS})]


def test_how_often_and_how_strongly_transforms_act():
    # 3 of 4 samples get the first subpolicy, 1 of 4 the second.
    table = operation_table(
        found(
            sub(("rotate", 0.8, 0.5), ("flip", 0.4, None), weight=3.0),
            sub(("rotate", 0.4, 0.1)),
        )
    ).set_index("transform")
    rotate, flip = table.loc["rotate"], table.loc["flip"]
    assert rotate["applied"] == pytest.approx(0.75 * 0.8 + 0.25 * 0.4)
    strength = 0.75 * 0.8 * 0.5 + 0.25 * 0.4 * 0.1
    assert rotate["strength"] == pytest.approx(strength)
    assert rotate["magnitude"] == pytest.approx(strength / 0.7)
    assert rotate["value"] == pytest.approx(180 * strength / 0.7)
    assert rotate["unit"] == "degrees"
    assert flip["applied"] == flip["strength"] == pytest.approx(0.75 * 0.4)
    assert isnan(flip["magnitude"])
    assert isnan(flip["value"])
    assert flip["unit"] == ""


def test_of_a_magnitude_that_is_drawn_the_mean_counts():
    row = operation_table(found(sub(("noise", 1.0, {"up_to": 0.6})))).iloc[0]
    assert row["magnitude"] == pytest.approx(0.3)
    assert row["value"] == pytest.approx(0.06)


def test_the_classes_of_a_class_wise_policy_weigh_equally():
    groups = [
        [sub(("rotate", 1.0, 0.5))],
        [sub(("flip", 1.0, None)), sub(("rotate", 1.0, 0.1), weight=3.0)],
    ]
    table = operation_table(found(by_class=groups)).set_index("transform")
    assert table.loc["rotate", "applied"] == pytest.approx(0.5 + 0.5 * 0.75)
    assert table.loc["flip", "applied"] == pytest.approx(0.5 * 0.25)
    words = list(subpolicy_table(found(by_class=groups))["words"])
    assert words == [
        "class 0: rotate in 100% at 90 degrees",
        "class 1: flip in 100%",
        "class 1: rotate in 100% at 18 degrees",
    ]


def test_the_strongest_subpolicies_stand_first_in_words():
    table = subpolicy_table(
        found(
            sub(("noise", 0.5, 0.1)),
            sub(("rotate", 0.9, 0.25), ("flip", 0.5, None)),
            sub(),
            sub(("rotate", 0.3, 0.02), weight=2.0),
        ),
        n=3,
    )
    assert list(table["rank"]) == [1, 2, 3]
    assert list(table["words"]) == [
        "rotate in 90% at 45 degrees, then flip in 50%",
        "noise in 50% at 0.02 standard deviation",
        "rotate in 30% at 3.6 degrees",
    ]
    assert list(table["share"]) == pytest.approx([0.2, 0.2, 0.4])
    assert list(table["strength"]) == pytest.approx([0.2 * 0.725, 0.2 * 0.05, 0.4 * 0.006])


def test_a_transform_that_never_acts_and_a_subpolicy_of_nothing():
    given = found(sub(("rotate", 0.0, 0.5)), sub())
    row = operation_table(given).iloc[0]
    assert row["applied"] == row["strength"] == 0
    assert isnan(row["magnitude"])
    assert list(subpolicy_table(given)["words"]) == ["rotate in 0% at 90 degrees", "nothing"]


def test_no_policies_and_an_empty_one_give_empty_tables():
    for given in ([], found()):
        assert list(operation_table(given).columns) == list(OPERATION_TABLE)
        assert operation_table(given).empty
        assert list(subpolicy_table(given).columns) == list(SUBPOLICY_TABLE)
        assert subpolicy_table(given).empty


def test_a_real_run_shows_the_policy_of_its_best_point(tmp_path):
    (tmp_path / "suite.toml").write_text(
        'name = "found"\nfolds = 1\n[tasks.digits]\ntraining = { epochs = 1 }\n'
        "[methods.none]\n[methods.random_policy]\nn_policies = 3\n"
    )
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(load_suite(tmp_path / "suite.toml"), options, Console(quiet=True))
    run, suite = open_run(tmp_path / "run")
    ((planned, record),) = best_policies(tmp_path / "run")
    assert planned.method == "random_policy"
    points = [p for p in read_points(run, suite.plan) if p["method"] == "random_policy"]
    best = max(points, key=lambda point: (point["valid"], -point["point"]))["point"]
    rows = run.unit(planned.spec.unit).points()
    assert digest_in(record) == rows[best - 1]["policy"]
    table = operation_table([(planned, record)])
    shares = table.set_index("transform")["applied"] / table["applied"].sum()
    assert shares.to_dict() == pytest.approx(rows[best - 1]["shares"])
