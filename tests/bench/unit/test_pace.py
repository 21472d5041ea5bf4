"""Checkpoints take half a percent of a unit's time, and none comes later than asked."""

from itertools import pairwise

from augbench.bench.unit.pace import SHARE, Pace


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def saves(step_seconds: float, save_seconds: float, n_steps: int, longest: float) -> list[float]:
    """When checkpoints were written, in seconds since the start."""
    clock = Clock()
    pace, found = Pace(longest, clock=clock), []
    for _ in range(n_steps):
        clock.now += step_seconds
        if pace.due():
            began = clock.now
            clock.now += save_seconds
            pace.saved(began)
            found.append(clock.now - 100.0)
    return found


def test_the_first_step_is_kept() -> None:
    assert len(saves(0.05, 0.01, 1, 10.0)) == 1


def test_short_steps_share_a_checkpoint() -> None:
    found = saves(0.05, 0.01, 2000, 1000.0)
    share = 0.01 * len(found) / found[-1]
    assert 0.9 * SHARE < share <= 1.1 * SHARE


def test_long_steps_have_one_each() -> None:
    assert len(saves(10.0, 0.01, 50, 10.0)) == 50


def test_a_slow_disk_holds_no_step_back_for_longer_than_asked() -> None:
    found = saves(1.0, 1.0, 100, 10.0)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert max(gaps) <= 12.0  # ten seconds, the step that was under way, and the checkpoint


def test_zero_seconds_mean_one_after_each_step() -> None:
    assert len(saves(0.001, 0.01, 20, 0.0)) == 20
