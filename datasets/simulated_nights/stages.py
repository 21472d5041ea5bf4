"""From the scored pages of a night to how the brain sleeps in each second."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from augbench.datasets import sleep_stages
from augbench.datasets.simulated_nights.hypnograms import STAGES, UNKNOWN
from augbench.datasets.sleep_stages import CLASS_NAMES, PAGE_SECONDS

# The class of each letter of a hypnogram; what is not scored is wake.
_CLASS = {stage: sleep_stages.STAGES[f"Sleep stage {stage}"] for stage in STAGES} | {UNKNOWN: 0}

# A page looks in part like another stage. Row: how it is scored; column: what it also looks like,
# with the chance of each. Set by hand, by which stages experts confuse: N1 with all but N3.
_ALSO = np.array(
    [
        [0.80, 0.15, 0.02, 0.00, 0.03],
        [0.20, 0.40, 0.25, 0.00, 0.15],
        [0.03, 0.10, 0.70, 0.12, 0.05],
        [0.00, 0.00, 0.30, 0.70, 0.00],
        [0.05, 0.15, 0.05, 0.00, 0.75],
    ]
)
_MOVED_SECONDS = 15  # how far from the edge of a page a stage begins, at most
_CHANGE_SECONDS = 5  # in which one stage goes over into the next


def stage_course(
    hypnogram: str, lead_seconds: float, draw: np.random.Generator
) -> NDArray[np.float64]:
    """(seconds, 5) from the start of the file: how much of each class holds; rows sum to 1.

    The first page begins after ``lead_seconds``. Pages are scored by the stage of their greater
    part, so a stage begins up to half a page before or after the edge. No page is pure: up to all
    of it looks like another stage. What is not scored is wake.
    """
    scored = np.array([_CLASS[stage] for stage in hypnogram])
    also = _pick(_ALSO[scored], draw)
    share = draw.random((len(scored), 1))
    pages = (1 - share) * np.eye(len(CLASS_NAMES))[scored] + share * np.eye(len(CLASS_NAMES))[also]
    edges = lead_seconds + PAGE_SECONDS * np.arange(1.0, len(scored))
    moved = draw.uniform(-_MOVED_SECONDS, _MOVED_SECONDS, len(edges))
    edges += moved * (scored[1:] != scored[:-1])
    n_seconds = int(np.ceil(lead_seconds)) + PAGE_SECONDS * len(scored)
    page = np.searchsorted(edges, np.arange(n_seconds) + 0.5)
    return moving_mean(pages[page], _CHANGE_SECONDS)


def moving_mean(x: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(n, K) -> the same shape: means over ``width`` rows; at the ends over those that exist."""
    total = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    centre = np.arange(len(x))
    low = np.maximum(centre - width // 2, 0)
    high = np.minimum(centre - width // 2 + width, len(x))
    mean: NDArray[np.float64] = (total[high] - total[low]) / (high - low)[:, None]
    return mean


def _pick(chances: NDArray[Any], draw: np.random.Generator) -> NDArray[np.int64]:
    """(N, K), rows that sum to 1 -> (N,) drawn columns."""
    drawn = draw.random((len(chances), 1))
    picked: NDArray[np.int64] = (np.cumsum(chances, axis=1)[:, :-1] < drawn).sum(axis=1)
    return picked
