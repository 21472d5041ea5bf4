"""Spindles, K-complexes and the like: how many, how long, and where they are added."""

import numpy as np
import pytest

from augbench.datasets.simulated_nights.events import KINDS, Events, Kind, add_events, draw_events
from augbench.datasets.sleep_stages import CLASS_NAMES

NAMES = {kind.name: kind for kind in KINDS}
RATE = 100
ONE = np.ones((1, 1), dtype=np.float32)


def night(class_name: str, seconds: int = 36_000) -> np.ndarray:  # type: ignore[type-arg]
    shares = np.zeros((seconds, len(CLASS_NAMES)))
    shares[:, CLASS_NAMES.index(class_name)] = 1
    return shares


def one_event(kind: Kind, onset: float) -> Events:
    numbers = (onset, kind.seconds[1], np.mean(kind.hertz), kind.microvolts, 0)
    return Events(*(np.array([number]) for number in numbers))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@pytest.mark.parametrize("class_name", CLASS_NAMES)
def test_a_stage_has_as_many_events_as_the_table_says(kind: Kind, class_name: str) -> None:
    events = draw_events(kind, night(class_name), 1.0, np.random.default_rng(0))
    expected = kind.per_minute[CLASS_NAMES.index(class_name)] * 600
    assert len(events.onset) == pytest.approx(expected, abs=4 * np.sqrt(expected) + 1e-9)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_events_are_within_the_ranges_of_their_kind(kind: Kind) -> None:
    classes = np.full((36_000, len(CLASS_NAMES)), 1 / len(CLASS_NAMES))
    events = draw_events(kind, classes, 2.0, np.random.default_rng(0))
    assert (np.diff(events.onset) >= 0).all()
    for found, (low, high) in ((events.seconds, kind.seconds), (events.hertz, kind.hertz)):
        assert low <= found.min() <= found.max() <= high
    assert np.median(events.microvolts) == pytest.approx(2 * kind.microvolts, rel=0.2)
    assert set(events.source) <= set(range(len(kind.sources)))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_an_event_is_about_as_large_as_it_says_and_ends_at_0(kind: Kind) -> None:
    out = np.zeros((1, 12 * RATE), dtype=np.float32)
    add_events(out, 0, RATE, kind, one_event(kind, 1.0), ONE)
    assert 0.5 * kind.microvolts < abs(out).max() < 1.1 * kind.microvolts
    last = RATE + round(kind.seconds[1] * RATE)
    assert not out[0, :RATE].any()
    assert not out[0, last + 1 :].any()
    assert abs(out[0, [RATE, last - 1]]).max() < 0.1 * kind.microvolts


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_an_event_goes_on_in_the_next_block(kind: Kind) -> None:
    events = one_event(kind, 0.513)
    whole = np.zeros((1, 10 * RATE), dtype=np.float32)
    add_events(whole, 0, RATE, kind, events, ONE)
    for cut in (40, 55, 100, 333):
        parts = [np.zeros((1, n), dtype=np.float32) for n in (cut, 10 * RATE - cut)]
        add_events(parts[0], 0, RATE, kind, events, ONE)
        add_events(parts[1], cut, RATE, kind, events, ONE)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_a_spindle_has_the_frequency_of_the_table() -> None:
    out = np.zeros((1, 4 * RATE), dtype=np.float32)
    add_events(out, 0, RATE, NAMES["spindle"], one_event(NAMES["spindle"], 1.0), ONE)
    power = abs(np.fft.rfft(out[0]))
    assert 11 <= np.fft.rfftfreq(4 * RATE, 1 / RATE)[power.argmax()] <= 16


def test_eye_movements_differ_in_sign_between_the_eyes() -> None:
    kind = NAMES["rapid eye movement"]
    left, right = kind.sources
    assert left == {name: -weight for name, weight in right.items()}
    assert sum(left.values()) == 0
