"""Runs whose searches have let others do their samplings, merged: what is done stays done."""

from pathlib import Path

import pytest

from augbench.bench.driver.backlog import pending
from augbench.bench.merge.merge import merge_runs
from augbench.bench.merge.view import view_of
from augbench.bench.plan.spec import SamplingSpec
from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from augbench.datasets.errors import UserError
from by_hand import end, opened, search_run


def left_of(path: Path) -> set[int]:
    """The numbers of the samplings that are still to be done, over all trials."""
    units = pending(*opened(path)).units
    return {each.proposal["number"] for each in units if isinstance(each, SamplingSpec)}


def test_a_merged_search_keeps_the_samplings_that_are_done(tmp_path: Path) -> None:
    a = search_run(tmp_path / "a", done=(0, 2))
    b = search_run(tmp_path / "b", fold=1, done=(0, 1, 2))
    merged = merge_runs([a, b], tmp_path / "m")
    assert left_of(tmp_path / "m") == left_of(a) == {1}
    assert merged.notes[:2] == (f"{a}: 3 units", f"{b}: 4 units")
    with view_of([a, b]) as view:
        assert left_of(view.path) == {1}


def test_the_samplings_of_two_copies_of_a_search_come_together(tmp_path: Path) -> None:
    a, b = search_run(tmp_path / "a", done=(0,)), search_run(tmp_path / "b", done=(0, 2))
    merge_runs([a, b], tmp_path / "m")
    assert left_of(tmp_path / "m") == {1}


def test_a_sampling_with_two_results_is_refused(tmp_path: Path) -> None:
    a = search_run(tmp_path / "a", done=(0,))
    b = search_run(tmp_path / "b", done=(0,), value=0.75)
    with pytest.raises(UserError, match="their rewards differ"):
        merge_runs([a, b], tmp_path / "m")


def test_a_damaged_sampling_is_left_to_its_search(tmp_path: Path) -> None:
    a, b = search_run(tmp_path / "a", done=(0, 2)), search_run(tmp_path / "b", fold=1)
    next(a.glob("samplings/*/result.json")).write_text("{}")
    merge_runs([a, b], tmp_path / "m")
    assert len(left_of(tmp_path / "m")) == 3
    run, suite = open_run(tmp_path / "m")
    assert {each["state"] for each in read_trials(run, suite.plan)} == {"waiting"}


def test_what_only_the_other_copy_of_a_search_asked_for_is_left_out(tmp_path: Path) -> None:
    """The copy that is further needs nobody."""
    a, b = search_run(tmp_path / "a", done=(0, 1, 2)), search_run(tmp_path / "b")
    run, (spec,) = opened(b)
    run.unit(spec.unit).samplings_file.unlink()
    end(run.unit(spec.unit))
    merge_runs([a, b], tmp_path / "m")
    assert not (tmp_path / "m" / "samplings").exists()


def test_samplings_of_a_trial_that_cannot_be_read_are_not_called_unplanned(
    tmp_path: Path,
) -> None:
    a, b = search_run(tmp_path / "a", done=(0, 1, 2)), search_run(tmp_path / "b", fold=1)
    run, (spec,) = opened(a)
    run.unit(spec.unit).samplings_file.write_text("{}\n")
    with view_of([a, b]) as view:
        assert view.notes[:2] == (f"{a}: 1 unit", f"{b}: 1 unit")
