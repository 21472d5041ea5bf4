import numpy as np
import pytest

from augbench.datasets.recording.windows import (
    Event,
    Grid,
    Windows,
    drop_clashes,
    inside,
    place,
    tile,
    trim_wake,
)

GRID = Grid(rate=10.0, n_times=300, n_samples=3000)


def windows(*pairs: tuple[int, int]) -> Windows:
    first, label = zip(*pairs, strict=True)
    return Windows(np.array(first), np.array(label))


def pairs(found: Windows) -> list[tuple[int, int]]:
    return list(zip(found.first.tolist(), found.label.tolist(), strict=True))


@pytest.mark.parametrize(
    ("onset", "seconds", "first"),
    [
        (0.0, 90.0, [0, 300, 600]),
        (0.0, 89.96, [0, 300, 600]),  # rounded in the file: half a sample is missing
        (0.0, 89.9, [0, 300]),
        (0.0, 29.0, []),
        (0.0, 0.0, []),
        (12.34, 60.0, [123, 423]),
        (12.35, 30.0, [124]),  # in the middle between two samples: the later one
        (-15.0, 60.0, [-150, 150]),
    ],
)
def test_an_event_is_filled_from_its_onset_on(
    onset: float, seconds: float, first: list[int]
) -> None:
    assert tile(onset, seconds, 30.0, GRID).tolist() == first


def test_beginnings_are_rounded_each_for_itself_and_do_not_drift() -> None:
    grid = Grid(rate=128.0, n_times=13, n_samples=10_000)
    assert tile(0.0, 100.0, 0.1, grid)[-1] == round(99.9 * 128)


def test_events_of_any_order_give_ascending_windows() -> None:
    events = [(Event(60, 30, "N1"), 1), (Event(0, 60, "W"), 0)]
    assert pairs(place(events, 30.0, None, GRID)) == [(0, 0), (300, 0), (600, 1)]


def test_with_an_offset_each_event_has_one_window() -> None:
    events = [(Event(10, 0, "left"), 0), (Event(11, 90, "right"), 1)]
    assert pairs(place(events, 30.0, 0.5, GRID)) == [(105, 0), (115, 1)]
    assert pairs(place(events, 30.0, -2.0, GRID)) == [(80, 0), (90, 1)]


def test_only_whole_windows_lie_inside() -> None:
    found = inside(windows((-1, 0), (0, 0), (2700, 1), (2701, 1)), GRID)
    assert pairs(found) == [(0, 0), (2700, 1)]


@pytest.mark.parametrize(
    ("given", "kept", "n_unclear"),
    [
        ([(0, 0), (300, 1)], [(0, 0), (300, 1)], 0),
        ([(0, 0), (299, 1)], [(0, 0), (299, 1)], 0),  # beginnings are rounded
        ([(0, 0), (0, 0)], [(0, 0)], 0),
        ([(0, 0), (150, 0), (300, 0)], [(0, 0), (300, 0)], 0),
        ([(0, 0), (150, 1)], [], 2),
        ([(0, 0), (150, 1), (300, 0)], [], 3),
        ([(0, 0), (150, 1), (450, 1)], [(450, 1)], 2),
        ([(0, 0), (0, 0), (0, 1)], [], 2),
        ([(0, 0), (0, 1), (0, 0)], [], 3),
    ],
)
def test_windows_that_contradict_each_other_are_dropped(
    given: list[tuple[int, int]], kept: list[tuple[int, int]], n_unclear: int
) -> None:
    found, n = drop_clashes(windows(*given), 299)
    assert pairs(found) == kept
    assert n == n_unclear


def test_the_margin_counts_from_the_start_of_sleep_and_from_its_end() -> None:
    """A public loader counts it from the start of the last page, and loses a page of wake."""
    night = [(300 * k, 1 if k in (4, 5, 7) else 0) for k in range(12)]
    found = trim_wake(windows(*night), 1.0, GRID)  # two pages
    assert pairs(found) == night[2:10]


def test_a_night_without_sleep_is_not_trimmed() -> None:
    assert len(trim_wake(windows((0, 0), (300, 0)), 0.0, GRID).first) == 2
