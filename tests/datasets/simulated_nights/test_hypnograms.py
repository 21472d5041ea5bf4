"""Stage sequences: shares and transitions as in the real ones."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.simulated_nights.hypnograms import (
    FOLDER,
    MARGIN,
    STAGES,
    cut_hypnogram,
    draw_hypnogram,
    read_hypnograms,
)

MERGED = str.maketrans("4", "3")  # stages 3 and 4 are N3
CLASSES = "W123R"
# In the 39 real nights from the first sleep to the last, in tenths of a percent: shares of pages,
# and of each stage the share of pages that stay in it.
REAL_SHARES = {"W": 96, "1": 75, "2": 473, "3": 152, "R": 205}
REAL_STAYS = {"W": 865, "1": 653, "2": 910, "3": 856, "R": 949}


@pytest.fixture(scope="module")
def drawn() -> list[str]:
    return [draw_hypnogram(np.random.default_rng(seed)) for seed in range(200)]


def asleep(night: str) -> str:
    """From the first sleep to the last, with 4 as 3."""
    return night.strip("W?").translate(MERGED)


def shares(nights: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    counts = np.array([sum(night.count(stage) for night in nights) for stage in CLASSES])
    return counts / counts.sum()


def transitions(nights: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    """(5, 5) the share of each next stage; rows sum to 1."""
    counts = np.zeros((5, 5))
    for night in nights:
        for now, after in pairwise(night):
            if now in CLASSES and after in CLASSES:
                counts[CLASSES.index(now), CLASSES.index(after)] += 1
    return counts / counts.sum(axis=1, keepdims=True)


def test_drawn_nights_have_the_shares_and_stays_of_real_ones(drawn: list[str]) -> None:
    nights = [asleep(night) for night in drawn]
    assert shares(nights) * 1000 == pytest.approx([*REAL_SHARES.values()], abs=20)
    stays = np.diag(transitions(nights)) * 1000
    assert stays == pytest.approx([*REAL_STAYS.values()], abs=15)


def test_deep_sleep_comes_early_and_rem_late(drawn: list[str]) -> None:
    early, late = (
        [asleep(night)[part] for night in drawn] for part in (slice(240), slice(-240, None))
    )
    deep, rem = CLASSES.index("3"), CLASSES.index("R")
    assert shares(early)[deep] > 2 * shares(late)[deep]
    assert shares(late)[rem] > 2 * shares(early)[rem]


def test_drawn_nights_are_as_close_to_the_real_ones_as_can_be(
    drawn: list[str], data_root: Path
) -> None:
    real = [asleep(night) for night in read_hypnograms(data_root)]
    assert shares(real) * 1000 == pytest.approx([*REAL_SHARES.values()], abs=1)
    assert np.diag(transitions(real)) * 1000 == pytest.approx([*REAL_STAYS.values()], abs=1)
    ours = [asleep(night) for night in drawn]
    assert abs(transitions(ours) - transitions(real)).max() < 0.02
    for part in (slice(180), slice(180, 360), slice(360, 540), slice(540, None)):
        theirs = shares([night[part] for night in real])
        assert abs(shares([night[part] for night in ours]) - theirs).max() < 0.05


def test_real_hypnograms_are_read_page_by_page(data_root: Path) -> None:
    with (data_root / "sleep" / "golden_counts_39_nights.csv").open() as file:
        golden = [int(row["pages"]) for row in csv.DictReader(file)]
    assert [len(night) for night in read_hypnograms(data_root)] == golden


def test_no_data_folder_means_no_hypnograms(tmp_path: Path) -> None:
    assert read_hypnograms(tmp_path) == ()


@pytest.mark.parametrize("content", ["", "W\r1\r5", "W,1", "é"])
def test_a_file_of_something_else_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "SC4001E0.csv").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"SC4001E0\.csv is no hypnogram: .* mend it"):
        read_hypnograms(tmp_path)


@pytest.mark.parametrize("n_pages", [1, 40, 960, 1200, 5000])
def test_a_part_lies_inside_a_longer_night_and_around_a_shorter_one(n_pages: int) -> None:
    night = "W" * 500 + "12R3" * 250 + "W" * 700
    for seed in range(50):
        part = cut_hypnogram(night, n_pages, np.random.default_rng(seed))
        assert len(part) == n_pages
        if n_pages > 1000 + 2 * MARGIN:
            assert part.strip("W") == "12R3" * 250
            assert (
                min(len(part) - len(part.lstrip("W")), len(part) - len(part.rstrip("W"))) >= MARGIN
            )
        else:
            assert part.count("W") <= MARGIN or n_pages > 1000
            assert part in night


@pytest.mark.parametrize("night", ["W" * 100, "?", "1"])
def test_an_odd_night_can_be_cut_too(night: str) -> None:
    assert len(cut_hypnogram(night, 50, np.random.default_rng(0))) == 50


def test_every_letter_is_a_stage(drawn: list[str]) -> None:
    assert set("".join(drawn)) == set(STAGES)
