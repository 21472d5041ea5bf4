"""Sequences of sleep stages: real ones where they are at hand, else drawn from a Markov chain.

A hypnogram is a text with a letter for each page of 30 s: W, 1, 2, 3, 4, R, or ? for a page without
a stage. Stages 3 and 4 are both N3.
"""

from pathlib import Path

import numpy as np

from augbench.datasets.errors import UserError, system_error

STAGES = "W1234R"
UNKNOWN = "?"
FOLDER = "sleep/hypnograms_sleepedf20"  # of the data folder
MARGIN = 60  # pages of wake before the first and after the last sleep
_PERIOD = 180  # pages of a period of the chain: one and a half hours

# How often a stage (row) was followed by another (column) on the next page, both in the order of
# STAGES, in the 39 nights of Sleep-EDF from the first sleep to the last. Periods of an hour and a
# half after falling asleep differ: N3 comes early in the night and REM late. The fourth period is
# all the rest.
_FOLLOWED = (
    (
        "841 81 6 2 0 1",
        "51 598 141 2 0 1",
        "33 60 2649 216 5 25",
        "5 11 188 628 150 2",
        "3 1 7 143 660 0",
        "4 6 12 1 0 448",
    ),
    (
        "670 51 8 2 0 4",
        "12 225 96 0 0 8",
        "33 44 2600 200 3 42",
        "8 4 187 660 140 0",
        "2 1 4 135 658 0",
        "8 16 26 0 0 1173",
    ),
    (
        "625 61 20 0 0 3",
        "24 207 113 0 0 9",
        "40 56 3184 145 4 50",
        "5 5 133 383 62 0",
        "1 2 8 57 246 0",
        "14 28 25 0 0 1510",
    ),
    (
        "982 211 13 0 0 24",
        "76 791 338 0 0 98",
        "96 184 7742 241 2 128",
        "10 4 222 474 87 2",
        "2 2 3 81 316 0",
        "60 117 73 0 0 4189",
    ),
)
# Pages from the first sleep to the last: half of the real nights have 830 to 1,010, all at least
# 552. A few have 1,400 and more, because of naps by day, which the chain leaves out.
_PAGES_ASLEEP = (930, 110)  # mean and deviation
_LEAST_ASLEEP = 550


def read_hypnograms(data: Path) -> tuple[str, ...]:
    """The real hypnograms under the data folder, in the order of their names; () if there are none.

    Raises UserError for a file that holds something else.
    """
    return tuple(_read(path) for path in sorted((data / FOLDER).glob("*.csv")))


def draw_hypnogram(draw: np.random.Generator) -> str:
    """A whole night from the chain, with half an hour of wake before and after it."""
    counts = np.array([[row.split() for row in period] for period in _FOLLOWED], dtype=float)
    edges = np.cumsum(counts / counts.sum(axis=2, keepdims=True), axis=2)
    n_pages = max(_LEAST_ASLEEP, round(draw.normal(*_PAGES_ASLEEP)))
    now = STAGES.index("1")  # 38 of the 39 nights begin so
    pages = [now]
    for page, chance in enumerate(draw.random(n_pages - 1), start=1):
        period = min(page // _PERIOD, len(edges) - 1)
        now = min(int(np.searchsorted(edges[period, now], chance, "right")), len(STAGES) - 1)
        pages.append(now)
    return "W" * MARGIN + "".join(STAGES[stage] for stage in pages) + "W" * MARGIN


def cut_hypnogram(hypnogram: str, n_pages: int, draw: np.random.Generator) -> str:
    """So many pages in a row, from a random page on.

    Where the night is longer, with half an hour of wake around its sleep, they lie inside it; where
    it is shorter, around it. What the hypnogram lacks at its ends is wake.
    """
    asleep = [page for page, stage in enumerate(hypnogram) if stage in STAGES[1:]]
    first, last = (asleep[0], asleep[-1]) if asleep else (0, len(hypnogram) - 1)
    first, last = first - MARGIN, last + MARGIN
    earliest, latest = sorted((first, last + 1 - n_pages))
    start = int(draw.integers(earliest, latest + 1))
    padded = "W" * n_pages + hypnogram + "W" * n_pages
    start = min(max(start + n_pages, 0), len(padded) - n_pages)
    return padded[start : start + n_pages]


def _read(path: Path) -> str:
    try:
        pages = path.read_text(encoding="ascii").split()
    except OSError as error:
        raise UserError(f"cannot read the hypnogram {path} ({system_error(error)})") from error
    except UnicodeDecodeError:
        pages = []
    if not pages or not set(pages) <= {*STAGES, UNKNOWN}:
        raise UserError(
            f"{path} is no hypnogram: it has to hold one of {', '.join(STAGES)} and {UNKNOWN} for "
            "each page, each on a line; mend it, or take it away"
        )
    return "".join(pages)
