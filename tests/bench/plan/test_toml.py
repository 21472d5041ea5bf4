import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augbench.bench.plan.suite import load_suite, shipped_suites
from augbench.bench.plan.toml import toml

texts = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_written_reads_as_it_was(tables):
    assert tomllib.loads(toml(tables)) == tables


def test_a_table_stands_under_its_path():
    assert toml({"a b": 1, "c": {}}, ("x", "y.z")) == '[x."y.z"]\n"a b" = 1\n[x."y.z".c]\n'


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_a_suite_is_the_same_after_it_was_written(name, tmp_path):
    suite = load_suite(shipped_suites()[name])
    (tmp_path / "again.toml").write_text(toml(suite.resolved), encoding="utf-8")
    assert load_suite(tmp_path / "again.toml") == suite
