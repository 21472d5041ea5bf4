"""Volume conduction: near sources are seen more than far ones."""

import numpy as np
import pytest

from augbench.datasets.simulated_nights.head import REFERENCE, mixing


def test_a_source_is_seen_most_where_it_lies() -> None:
    names = ("O1", "O2", "C3", "C4", "F3", "F4")
    seen = mixing([{name: 1.0} for name in names], [{"O1": 1.0}])[:, 0]
    assert list(names[:3]) == [names[i] for i in np.argsort(-seen)[:3]]
    assert (seen > 0).all()


def test_a_difference_of_two_electrodes_is_the_difference_of_what_they_see() -> None:
    alone = mixing([{"C3": 1.0}, {"A2": 1.0}], [{"CZ": 1.0}, {"O1": 1.0}])
    both = mixing([{"C3": 1.0, "A2": -1.0}], [{"CZ": 1.0}, {"O1": 1.0}])
    np.testing.assert_allclose(both[0], alone[0] - alone[1], rtol=1e-5)


@pytest.mark.parametrize("sources", [("FZ", "CZ"), ("O1", "O2", "PZ"), ("T7",)])
def test_the_scale_is_that_of_the_reference(sources: tuple[str, ...]) -> None:
    seen = mixing([REFERENCE], [{name: 1.0} for name in sources])
    assert np.linalg.norm(seen) == pytest.approx(1, rel=1e-5)


def test_neighbours_share_more_than_the_two_ends_of_the_head() -> None:
    places = ("FP1", "FP2", "C3", "C4", "T7", "T8", "O1", "O2")
    seen = mixing([{n: 1.0} for n in ("F3", "C3", "O2")], [{place: 1.0} for place in places])
    correlations = np.corrcoef(seen)
    assert (seen @ seen.T)[0, 1] > 2 * (seen @ seen.T)[0, 2]
    assert correlations[0, 1] > correlations[0, 2]
