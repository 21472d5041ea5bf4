"""Policies of a run directory, as a user of the library asks for them."""

import shutil
from pathlib import Path

import pytest

from augbench.bench.store.best_policies import find_policy, read_best_policies
from augbench.bench.store.open_run import open_run
from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods import Policy
from by_hand import made_by_hand

DIGITS = Signal("image", (1, 8, 8))


def test_a_policy_of_a_run_is_the_best_one_with_the_ranges_of_its_suite(learned_run: Path) -> None:
    run, suite = open_run(learned_run)
    best = {planned.method: each for planned, each in read_best_policies(run, suite.plan)}
    for method in ("random_policy", "other"):
        policy = Policy.load(learned_run, method=method, fold=0)
        assert policy.subpolicies
        record = best[method]["subpolicies"]
        assert [each.weight for each in policy.subpolicies] == [each["weight"] for each in record]
        if "rotate" in policy.transforms:
            assert policy.ranges["rotate"] == 45.0
            assert policy.as_module(DIGITS).bank["rotate"].strongest == 45.0


def test_what_leaves_no_choice_need_not_be_given(learned_run: Path) -> None:
    named = Policy.load(learned_run, task="digits", method="other", fold=0, seed=0)
    assert Policy.load(str(learned_run), method="other") == named


WRONG = {
    "open": ({}, "several trials fit: say which method, one of random_policy, other"),
    "model": ({"method": "augnet"}, "'augnet' of .* ends in a model, not in a policy"),
    "method": ({"method": "dada"}, "unknown method 'dada'"),
    "fold": ({"method": "other", "fold": 3}, "unknown fold '3'; .*known: 0"),
    "task": ({"task": "digit"}, "unknown task 'digit'; did you mean 'digits'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_choice_that_is_open_or_wrong_is_one_sentence(case: str, learned_run: Path) -> None:
    chosen, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint):
        Policy.load(learned_run, **chosen)  # type: ignore[arg-type]


def test_a_trial_that_has_not_finished_is_one_sentence(learned_run: Path, tmp_path: Path) -> None:
    shutil.copytree(learned_run, tmp_path / "run")
    for file in (tmp_path / "run").glob("trials/*/result.json"):
        file.unlink()
    with pytest.raises(UserError, match=r"fold 0, has no finished policy in .*augbench status"):
        Policy.load(tmp_path / "run", method="other")


def test_the_error_says_how_many_retrainings_are_to_come(tmp_path: Path) -> None:
    run = made_by_hand(tmp_path)
    with pytest.raises(UserError, match=r"yet \(2 retrainings still to come\): augbench status"):
        find_policy(run.path)
