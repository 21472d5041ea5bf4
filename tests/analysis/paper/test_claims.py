from math import inf

import numpy as np
import pytest

from augbench.analysis.paper.claims import (
    ABOVE_0,
    COLUMNS,
    LEAST_SEEDS,
    SHARE,
    Claim,
    Origin,
    claim_markdown,
    claim_table,
    judged,
    judged_share,
)
from augbench.analysis.paper.intervals import Estimate, share_estimate

ORIGIN = Origin("fig0", "", "small", "cpu", "2026-11-26", "abc1234", "4 of 5")
NOTHING = Estimate(np.nan, np.nan, np.nan, 0)


def lines(*claims: Claim) -> list[str]:
    return claim_markdown(claim_table(claims, ORIGIN).to_dict("records")).splitlines()[2:]


def test_a_share_is_written_as_a_count_and_a_number_with_its_unit() -> None:
    share = Claim("it selects", "it does", share_estimate(3, 12), SHARE, False)
    number = Claim("its angle", "45", Estimate(47.42, 44.0, 48.0, 5), "degrees", True, "late")
    assert lines(share, number) == [
        "| it selects | it does | 3 of 12 \\[9% to 53%\\] | 12 | no |",
        "| its angle | 45 | 47.4 degrees \\[44 to 48\\] (late) | 5 | yes |",
    ]


def test_what_never_comes_is_said_so() -> None:
    never = Claim("epochs", "0.2", Estimate(inf, inf, inf, 3), "", None)
    some = Claim("epochs", "0.2", Estimate(inf, 4.0, inf, 3), "", None)
    assert lines(never, some) == [
        "| epochs | 0.2 | never | 3 | open |",
        "| epochs | 0.2 | never \\[4 to never\\] | 3 | open |",
    ]


def test_what_is_not_known_yet_is_neither_right_nor_wrong() -> None:
    assert judged(NOTHING) is None
    assert judged_share(NOTHING) is None
    (line,) = lines(Claim("its angle", "45", NOTHING, "degrees", judged(NOTHING)))
    assert line == "| its angle | 45 | nothing yet | 0 | open |"


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        *((40, 50, True), (44, 46, True)),
        *((39, 46, None), (44, 51, None), (30, 60, None)),
        *((30, 39, False), (51, 60, False)),
    ],
)
def test_an_interval_that_reaches_over_a_limit_decides_nothing(
    low: float, high: float, holds: bool | None
) -> None:
    assert judged(Estimate(45.0, low, high, 9), 40, 50) is holds


def test_more_than_0_is_not_0() -> None:
    assert judged(Estimate(0.1, 0.0, 0.2, 9), ABOVE_0) is None
    assert judged(Estimate(0.1, 0.01, 0.2, 9), ABOVE_0) is True
    assert judged(Estimate(-0.1, -0.2, 0.0, 9), ABOVE_0) is False


def test_few_seeds_decide_nothing_however_much_they_agree() -> None:
    for n, holds in ((LEAST_SEEDS - 1, None), (LEAST_SEEDS, True)):
        assert judged(Estimate(1.0, 1.0, 1.0, n), 0.5) is holds
        assert judged_share(share_estimate(n, n)) is holds


@pytest.mark.parametrize(
    ("count", "n", "holds"),
    [(12, 12, True), (11, 12, True), (10, 12, None), (8, 12, False), (0, 12, False)],
)
def test_a_share_agrees_from_nine_of_ten_on(count: int, n: int, holds: bool | None) -> None:
    assert judged_share(share_estimate(count, n)) is holds


def test_the_table_says_where_its_numbers_come_from() -> None:
    table = claim_table([Claim("a", "b", Estimate(1.0, 0.5, 2.0, 4), "", None)], ORIGIN)
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")
    assert (row["figure"], row["scale"], row["device"]) == ("fig0", "small", "cpu")
    assert (row["date"], row["commit"], row["holds"]) == ("2026-11-26", "abc1234", "open")
    assert row["trials"] == "4 of 5"


def test_no_claims_are_a_table_without_rows() -> None:
    assert list(claim_table([], ORIGIN).columns) == list(COLUMNS)
    assert lines() == []
