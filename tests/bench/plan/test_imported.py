"""Transforms of kornia and braindecode in suites and specs."""

import json
from typing import Any

import pytest

from augbench.bench.plan.differences import differences
from augbench.bench.plan.overrides import set_value
from augbench.bench.plan.spec import TaskSpec, TrialSpec, record_digest
from augbench.bench.plan.suite import read_suite
from augbench.datasets.errors import UserError

NAME = "kornia.RandomShear"
DESCRIBED = {"parameter": "shear", "range": [0, 20], "options": {"padding_mode": "border"}}


def planned(**task: Any) -> TrialSpec:
    tables = {"name": "s", "folds": 1, "tasks": {"digits": task}, "methods": {"none": {}}}
    return read_suite(tables, "s").plan[0].spec


def test_a_description_is_part_of_what_a_trial_is() -> None:
    named = planned(transforms=["default", NAME])
    described = planned(transforms=["default", NAME], imported={NAME: DESCRIBED})
    other = planned(
        transforms=["default", NAME], imported={NAME: {**DESCRIBED, "range": [0.0, 10.0]}}
    )
    assert len({each.unit for each in (planned(), named, described, other)}) == 4
    assert differences(described, other) == {
        f"imported.{NAME}.range": ([0.0, 20.0], [0.0, 10.0]),
    }


def test_a_spec_goes_through_json_and_keeps_its_name() -> None:
    for spec in (planned(), planned(transforms=[NAME], imported={NAME: DESCRIBED})):
        record = json.loads(json.dumps(spec.to_json()))
        assert TrialSpec.from_json(record) == spec
        assert record_digest(record) == spec.unit.digest


def test_a_spec_that_imports_nothing_is_written_as_before() -> None:
    assert "imported" not in planned().to_json()["task"]
    assert TaskSpec("digits", {}).to_json().keys() == {
        *("task", "options", "data_seed", "trunk", "training", "transforms", "ranges")
    }


def test_a_key_in_quotes_may_hold_dots() -> None:
    tables: dict[str, Any] = {}
    set_value(tables, f'tasks.digits.imported."{NAME}".range=[0,1]')
    assert tables == {"tasks": {"digits": {"imported": {NAME: {"range": [0, 1]}}}}}
    for wrong in ('a."b=1', '"a".="b"', '"=1'):
        with pytest.raises(UserError, match="--set"):
            set_value({}, wrong)
