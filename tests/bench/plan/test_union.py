"""Suites that are merged: what the merged one plans, and what cannot be merged."""

from pathlib import Path

import pytest

from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.plan.union import merge_suites, n_new_trials
from augbench.datasets.errors import UserError

AUGNET = "methods.augnet={}"


@pytest.fixture
def suite(small_suite: Path):
    def of(*overrides: str, without: str = "") -> Suite:
        if without:
            text = small_suite.read_text().partition(f"[methods.{without}]")
            small_suite.with_name("part.toml").write_text(text[0])
            return load_suite(small_suite.with_name("part.toml"), overrides)
        return load_suite(small_suite, overrides)

    return of


def trials(*suites: Suite) -> set[tuple[str, str, str]]:
    return {(p.task, p.method, p.spec.unit.digest) for each in suites for p in each.plan}


def test_a_suite_with_itself_is_the_same_suite(suite) -> None:
    one = suite("folds=2", "total_device_hours=5", "seeds=[3,1]")
    assert merge_suites({"a": one}).resolved == one.resolved
    both = merge_suites({"a": one, "b": one})
    assert both.plan == one.plan
    assert both.resolved | {"total_device_hours": 5} == one.resolved


@pytest.mark.parametrize(
    ("ours", "theirs", "n_new"),
    [
        (["folds=[0,1]"], ["folds=[2]"], 0),
        (["seeds=[0]"], ["seeds=[1]"], 0),
        ([], [AUGNET], 0),
        (["folds=[0]"], ["folds=[1]", AUGNET], 1),
        (["tasks.again={task='digits', data_seed=1}"], [AUGNET], 1),
        (["budget={steps=2}"], ["budget={steps=2}", AUGNET], 0),
    ],
)
def test_every_trial_of_each_is_planned_under_its_labels(suite, ours, theirs, n_new) -> None:
    suites = suite(*ours), suite(*theirs)
    merged = merge_suites({"a": suites[0], "b": suites[1]})
    assert trials(*suites) <= trials(merged)
    assert n_new_trials(merged, suites) == n_new == len(trials(merged)) - len(trials(*suites))


def test_a_budget_of_the_suite_stays_that_of_its_methods(suite) -> None:
    ours = suite("budget={steps=2}", without="random_policy")
    theirs = suite("methods.none.budget={steps=2}", "budget={device_hours=1.0}")
    merged = merge_suites({"a": ours, "b": theirs})
    assert trials(ours, theirs) == trials(merged)
    merged = merge_suites({"b": theirs, "a": ours})
    assert trials(ours, theirs) == trials(merged)


def test_what_differs_in_writing_alone_is_the_same(suite) -> None:
    assert merge_suites({"a": suite(), "b": suite("methods.none.method=none")}).plan == suite().plan


def test_limits_of_hours_add_up_and_are_none_where_one_is_none(suite) -> None:
    limited = suite("total_device_hours=2"), suite("total_device_hours=3")
    assert merge_suites(dict(zip("ab", limited, strict=True))).total_device_hours == 5
    assert merge_suites({"a": limited[0], "b": suite()}).total_device_hours is None
    assert merge_suites({"a": suite(), "b": limited[0]}).total_device_hours is None


def test_the_name_names_all_that_differ(suite) -> None:
    named = {"a": suite("name=one"), "b": suite("name=two"), "c": suite("name=one")}
    assert merge_suites(named).name == "one-and-two"


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("methods.random_policy.n_policies=5", "method.n_policies is 2 in .* and 5 in runs/b"),
        ("tasks.digits.training.epochs=5", "training.epochs is 3 in .* and 5 in runs/b"),
        ("budget={steps=4}", "budget.steps is the default in .* and 4 in runs/b"),
        ("methods.none.method=augnet", "method is none in .* and augnet in runs/b"),
        ("methods.plain={method='none'}", "'none' on 'digits' and 'plain' .* are the same trials"),
    ],
)
def test_labels_that_do_not_fit_are_one_sentence(suite, override, complaint) -> None:
    with pytest.raises(UserError, match=complaint):
        merge_suites({"runs/a": suite(), "runs/b": suite(override)})


def test_a_label_of_a_method_means_the_same_on_all_tasks(suite) -> None:
    other = suite("tasks={}", "tasks.again={task='digits', data_seed=1}", "budget={steps=4}")
    complaint = (
        r"'none' on 'again' means other options in b than in a \(budget.steps is the default in a "
        r"and 4 in b\): give the label another name"
    )
    with pytest.raises(UserError, match=complaint):
        merge_suites({"a": suite(), "b": other})


def test_two_searches_of_one_label_are_one_sentence(suite) -> None:
    search = "searches.none={{directory='d', device_hours={}, forward=1, backward=1}}"
    merged = merge_suites({"a": suite(search.format(1.0)), "b": suite()})
    assert merged.searches["none"].device_hours == 1
    with pytest.raises(UserError, match=r"\[searches.none\] of b is another search"):
        merge_suites({"a": suite(search.format(1.0)), "b": suite(search.format(2.0))})
