from dataclasses import replace

import pytest

from augbench.analysis.paper.hours import SEARCHES, hour_claims, in_processor_time
from augbench.analysis.tables.panels import HOUR_AXES, panel_table


@pytest.fixture
def claims_of(trial, gather):
    def claims(augnet, rival):
        """Of curves given as (validation, test, hours, hours); all searches have the same."""
        rows = [trial("augnet", fold, augnet) for fold in range(5)]
        rows += [trial(name, fold, rival) for name in SEARCHES for fold in range(5)]
        return hour_claims(panel_table(gather(*rows), "toy", HOUR_AXES))

    return claims


def test_a_search_is_beaten_in_accuracy_and_in_time(claims_of):
    claim = claims_of([(0.8, 0.8, 1.0, 1.0)], [(0.7, 0.7, 2.0, 2.0)])[-1]
    assert (claim.got.value, claim.got.n, claim.holds) == (5, 5, True)


@pytest.mark.parametrize(
    "augnet", [[(0.8, 0.8, 3.0, 3.0)], [(0.8, 0.7, 1.0, 1.0)]], ids=["later", "as accurate"]
)
def test_a_search_that_is_faster_or_as_accurate_is_not_beaten(claims_of, augnet):
    claim = claims_of(augnet, [(0.7, 0.7, 2.0, 2.0)])[-1]
    assert (claim.got.value, claim.holds) == (0, False)


def test_a_search_that_is_there_first_and_then_learns_no_more_is_not_beaten_in_time(claims_of):
    rival = [(0.7, 0.7, 2.0, 2.0), (0.6, 0.6, 9.0, 9.0)]
    assert claims_of([(0.8, 0.8, 3.0, 3.0)], rival)[-1].got.value == 0
    assert claims_of([(0.8, 0.8, 1.0, 1.0)], rival)[-1].got.value == 5


def test_final_values_are_medians_with_quartiles(claims_of):
    claims = {each.measured: each for each in claims_of([(0.8, 0.8, 1, 1)], [(0.7, 0.7, 2, 2)])}
    assert claims["Final test metric of augnet"].got == (0.8, 0.8, 0.8, 5)
    assert "Final test metric of none" not in claims  # it was not planned


def test_hours_of_trials_that_waited_are_processor_time_for_all(trial, gather):
    run = gather(
        trial("none", 0, [(0.5, 0.5, 1.0, 2.0), (0.6, 0.6, 1.5, 3.0)]),
        trial("augnet", 0, [(0.7, 0.7, 4.0, 4.0)]),
    )
    assert in_processor_time(run) is run
    waited = replace(run, points=run.points.assign(busy=[0.5, 0.95, 0.5]))  # augnet is the first
    points = in_processor_time(waited).points
    assert points["hours_full"].tolist() == pytest.approx([2.0, 0.95 * 2.0, 1.5])
    assert points["hours_paper"].tolist() == pytest.approx([2.0, 0.95, 0.75])
    assert set(points["device"]) == {"cpu, processor time"}
    assert set(points["busy"]) == {1.0}
    assert run.points["hours_full"].tolist() == [4.0, 2.0, 3.0]
    table = panel_table(in_processor_time(waited), "toy", HOUR_AXES)
    assert not table["contended"].any()
