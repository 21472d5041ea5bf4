"""Policies read from their files."""

import json
from pathlib import Path
from typing import Any

import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods import Operation, Policy, Subpolicy, make_bank
from augbench.methods.policies.policy_json import to_json

PICTURES = Signal("image", (3, 8, 8))
POLICY = Policy(
    (Subpolicy((Operation("rotate", 0.5, 0.5), Operation("invert", 0.25, None)), weight=2.0),)
)


def record(**ranges: float) -> dict[str, Any]:
    return to_json(POLICY, make_bank(["rotate", "invert"], PICTURES, ranges))


def written(folder: Path, content: Any) -> Path:
    file = folder / "policy.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_file_gives_the_policy_and_what_its_magnitudes_mean(tmp_path: Path) -> None:
    policy = Policy.load(written(tmp_path, record(rotate=45.0)))
    assert policy == POLICY
    assert policy.digest == POLICY.digest
    assert policy.ranges == {"rotate": 45.0}
    assert "rotate in 50% at 22.5 degrees" in repr(policy.as_module(PICTURES))


def changed(**parts: Any) -> dict[str, Any]:
    return record() | parts


def of_rotate(**meaning: Any) -> dict[str, Any]:
    inner = record()["transforms"]
    return changed(transforms=inner | {"rotate": inner["rotate"] | meaning})


WRONG: dict[str, tuple[Any, str]] = {
    "not JSON": ("{", "holds no policy: it is not JSON"),
    "nested": ("[" * 100_000, "holds no policy: it is not JSON"),
    "a list": ([1], "it has no table `transforms`"),
    "another table": ({"a": 1}, "it has no table `transforms`"),
    "schema": (changed(schema=9), "schema 9, this version reads 1 to 2"),
    "a million": (
        changed(subpolicies=[{}] * 1_000_000),
        "the policy holds 1000000 subpolicies; augbench takes 100000 at most",
    ),
    "unknown": (
        changed(subpolicies=[{"weight": 1.0, "operations": [["rotat", 0.5, 0.5]]}]),
        "unknown transform 'rotat'; did you mean 'rotate'",
    ),
    "probability": (
        changed(subpolicies=[{"weight": 1.0, "operations": [["rotate", 7, 0.5]]}]),
        r"policy holds 7 for 'rotate'; it has to lie in \[0, 1\]",
    ),
    "unit": (of_rotate(unit="radians"), "meant 30.0 radians; here it means 30.0 degrees"),
    "range": (of_rotate(strongest="far"), "it has to say a number above 0"),
    "a long range": (of_rotate(strongest=10**400), "it has to say a number above 0"),
    "a long weight": (
        changed(subpolicies=[{"weight": 10**400, "operations": []}]),
        r"a weight of 10*\.\.\.; it has to be a number above 0",
    ),
    "weights without a sum": (
        changed(subpolicies=[{"weight": 1e308, "operations": []}] * 2),
        "the weights of a policy add up to more than a number can hold; divide them all",
    ),
    "a long probability": (
        changed(subpolicies=[{"weight": 1.0, "operations": [["rotate", 10**400, 0.5]]}]),
        r"\.\.\. for 'rotate'; it has to lie in \[0, 1\]",
    ),
    "classes": (changed(by_class=3), "the policy has 3 as `by_class`; it has to be a list"),
    "a class": (changed(by_class=[3]), "policy is not in the form that `to_json` writes"),
    "infinite": (of_rotate(strongest=float("inf")), "it has to say a number above 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_policy_is_one_sentence_with_the_file(case: str, tmp_path: Path) -> None:
    content, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint) as error:
        Policy.load(written(tmp_path, content))
    assert str(error.value).count("policy.json") == 1


def test_a_file_that_is_not_there_and_a_choice_that_a_file_has_not(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the policy .*No such file"):
        Policy.load(tmp_path / "nothing.json")
    with pytest.raises(UserError, match="there is no method and no fold to choose"):
        Policy.load(written(tmp_path, record()), method="dada", fold=0)


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, "\ufeff" + json.dumps(record()))
    assert Policy.load(file) == POLICY


def test_a_file_without_an_end_is_read_up_to_the_limit() -> None:
    with pytest.raises(UserError, match="/dev/zero has more than 64 MB"):
        Policy.load("/dev/zero")


def test_a_folder_that_is_no_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run directory"):
        Policy.load(tmp_path)
