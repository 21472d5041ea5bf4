from pathlib import Path

import pytest

from augbench.bench.plan.differences import difference_text, differences
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import load_suite


@pytest.fixture
def spec(small_suite: Path):
    def of(*overrides: str) -> TrialSpec:
        plan = load_suite(small_suite, overrides).plan
        return next(planned.spec for planned in plan if planned.method == "random_policy")

    return of


@pytest.mark.parametrize(
    ("override", "name", "values"),
    [
        ("methods.random_policy.n_policies=5", "method.n_policies", (2, 5)),
        ("methods.random_policy.training={epochs=9}", "training.epochs", (3, 9)),
        ("tasks.digits.valid_share=0.5", "task.valid_share", (0.8, 0.5)),
        ("tasks.digits.trunk=mlp", "task.trunk", ("the default", "mlp")),
        ("tasks.digits.data_seed=3", "task.data_seed", (0, 3)),
        ("tasks.digits.transforms=['rotate']", "task.transforms", ("the default", ["rotate"])),
        ("tasks.digits.ranges={rotate=3.0}", "ranges.rotate", ("the default", 3.0)),
        ("budget={steps=7}", "budget.steps", ("the default", 7)),
    ],
)
def test_each_option_is_named_as_its_table_has_it(spec, override, name, values) -> None:
    assert differences(spec(), spec(override)) == {name: values}
    assert differences(spec(override), spec()) == {name: values[::-1]}


def test_fold_and_seed_are_no_options(spec) -> None:
    assert differences(spec(), spec("folds=[3]", "seeds=[9]")) == {}


def test_differences_are_said_in_one_line(spec) -> None:
    found = differences(spec(), spec("tasks.digits.trunk=mlp", "budget={steps=7}"))
    assert difference_text(found, "A", "B") == (
        "task.trunk is the default in A and mlp in B; budget.steps is the default in A and 7 in B"
    )
