"""How checks are run, and what is said of a fault."""

from augbench.datasets.errors import UserError
from augbench.methods.conformance.finding import BrokenError, failures, run_checks


def holds(case: int) -> str:
    return f"{case} is fine"


def broken(case: int) -> str:
    raise BrokenError(f"{case} is\n  too large")


def refused(case: int) -> str:
    raise UserError("give another")


def faulty(case: int) -> str:
    return str([][case])


def test_each_check_has_one_line_whatever_is_raised() -> None:
    checks = {"a": holds, "b": broken, "c": refused, "d": faulty}
    found = list(run_checks(checks, 3))
    assert [(each.about, each.kept) for each in found] == [
        *(("a", True), ("b", False), ("c", False), ("d", False))
    ]
    assert [each.text for each in found[:3]] == [
        "3 is fine",
        "3 is too large",
        "it refuses what it is given: give another",
    ]
    assert found[3].text.startswith(
        "it raises IndexError: list index out of range (test_finding.py, line "
    )


def test_what_others_need_ends_the_checks() -> None:
    checks = {"a": broken, "b": holds}
    assert failures(run_checks(checks, 1, needed=("a",))) == [
        "a: 1 is too large",
        "the others: not checked, for they need 'a'",
    ]
    assert failures(run_checks(checks, 1)) == ["a: 1 is too large"]


def test_the_line_is_that_of_the_author_and_not_of_a_library() -> None:
    def deep(case: int) -> str:
        import json

        return str(json.loads("{"))

    (found,) = run_checks({"a": deep}, 1)
    assert "(test_finding.py, line " in found.text
