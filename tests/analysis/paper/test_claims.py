import numpy as np

from augbench.analysis.paper.claims import (
    COLUMNS,
    SHARE,
    Claim,
    Origin,
    claim_markdown,
    claim_table,
    judged,
)
from augbench.analysis.paper.intervals import Estimate, share_estimate

ORIGIN = Origin("fig0", "small", "cpu", "2026-11-26", "abc1234")
NOTHING = Estimate(np.nan, np.nan, np.nan, 0)


def lines(*claims: Claim) -> list[str]:
    return claim_markdown(claim_table(claims, ORIGIN)).splitlines()[2:]


def test_a_share_is_written_as_a_count_and_a_number_with_its_unit() -> None:
    share = Claim("it selects", "it does", share_estimate(3, 12), SHARE, False)
    number = Claim("its angle", "45", Estimate(47.42, 44.0, 48.0, 5), "degrees", True, "late")
    assert lines(share, number) == [
        "| it selects | it does | 3 of 12 \\[9% to 53%\\] | 12 | no |",
        "| its angle | 45 | 47.4 degrees \\[44 to 48\\] (late) | 5 | yes |",
    ]


def test_what_is_not_known_yet_is_neither_right_nor_wrong() -> None:
    assert judged(NOTHING, True) is None
    assert judged(Estimate(1.0, 1.0, 1.0, 2), True) is None
    assert judged(Estimate(1.0, 1.0, 1.0, 3), True) is True
    (line,) = lines(Claim("its angle", "45", NOTHING, "degrees", judged(NOTHING, True)))
    assert line == "| its angle | 45 | nothing yet | 0 | open |"


def test_the_table_says_where_its_numbers_come_from() -> None:
    table = claim_table([Claim("a", "b", Estimate(1.0, 0.5, 2.0, 4), "", None)], ORIGIN)
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")
    assert (row["figure"], row["scale"], row["device"]) == ("fig0", "small", "cpu")
    assert (row["date"], row["commit"], row["holds"]) == ("2026-11-26", "abc1234", "open")


def test_no_claims_are_a_table_without_rows() -> None:
    assert list(claim_table([], ORIGIN).columns) == list(COLUMNS)
    assert lines() == []
