import tomllib
from math import inf

import pytest

from augbench.bench.plan.suite import load_suite, shipped_suites
from augbench.bench.plan.toml import toml_text


@pytest.mark.parametrize("name", shipped_suites())
def test_a_suite_is_read_as_it_was_written(name: str) -> None:
    tables = load_suite(shipped_suites()[name]).resolved
    assert tomllib.loads(toml_text(tables)) == tables


def test_any_label_and_any_value_comes_back() -> None:
    tables = {
        "a b": {"": '\x7f " \\ \n é', "x.y": [1, 2.5, True, ["s", []], {"k": "v"}]},
        "numbers": {"large": 1e300, "small": 1e-9, "endless": inf},
        "empty": {},
    }
    assert tomllib.loads(toml_text(tables)) == tables


def test_a_table_can_stand_below_a_path() -> None:
    text = toml_text({"n": 1, "training": {"epochs": 2}}, ("methods", "a b"))
    assert tomllib.loads(text) == {"methods": {"a b": {"n": 1, "training": {"epochs": 2}}}}
