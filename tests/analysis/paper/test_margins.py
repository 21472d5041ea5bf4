import pandas as pd
import pytest

from augbench.analysis.paper.margins import RANGE_TABLE, draw_ranges, range_claims


def table(law):
    rows = [
        (data, share * meet, meet, unit, fold, 0, law(share * meet, meet))
        for data, meet, unit in (("sinusoids", 1.0, "hertz"), ("mario_iggy", 90.0, "degrees"))
        for share in (0.25, 0.5, 0.75)
        for fold in range(3)
    ]
    return pd.DataFrame(rows, columns=list(RANGE_TABLE))


@pytest.mark.parametrize(
    ("law", "from_range", "from_margin", "holds"),
    [
        (lambda half, meet: meet - half, 0.5, 0.0, False),
        (lambda half, meet: half, 0.0, 0.5, True),
    ],
)
def test_the_nearer_line_is_found(law, from_range, from_margin, holds):
    claims = range_claims(table(law))
    for (of_range, of_margin), meet in ((claims[:2], 1.0), (claims[2:], 90.0)):
        assert of_range.got.value == pytest.approx(from_range * meet)
        assert of_margin.got.value == pytest.approx(from_margin * meet)
        assert of_range.holds is holds
        assert of_range.got.n == 6  # not those where range and margin are equal


def test_three_seeds_of_one_range_decide_nothing():
    rows = table(lambda half, meet: meet - half)
    claims = range_claims(rows[rows["half_range"] <= 0.3 * rows["meet"]])
    assert {claim.got.n for claim in claims} == {3}
    assert {claim.holds for claim in claims} == {None}


def test_both_lines_and_all_seeds_are_drawn():
    for panel, meet in zip(draw_ranges(table(lambda h, m: m - h)).axes, (1.0, 90.0), strict=True):
        margin, half_range, seeds, medians = panel.get_lines()
        assert margin.get_xydata().tolist() == [[0, meet], [meet, 0]]
        assert half_range.get_xydata().tolist() == [[0, 0], [meet, meet]]
        assert len(seeds.get_xydata()) == 9
        assert len(medians.get_xydata()) == 3
        assert panel.get_xlim() == (0, meet)


def test_nothing_yet_can_be_drawn():
    empty = table(lambda h, m: h).iloc[:0]
    assert len(draw_ranges(empty).axes) == 2
    assert {claim.holds for claim in range_claims(empty)} == {None}
