"""Several runs seen as one: what it shows is what their merge would hold."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from augbench.analysis.tables.frame import load
from augbench.bench.merge.merge import merge_runs
from augbench.bench.merge.view import view_of
from augbench.bench.store.files import hold_lock, write_json
from augbench.bench.store.open_run import open_run
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from augbench.bench.store.states import read_trials
from augbench.datasets.errors import UserError
from by_hand import begin, end, finish, made_by_hand, model_row

NONE = {"name": "none", "folds": 1, "tasks": {"digits": {}}, "methods": {"none": {}}}


@pytest.fixture
def search(tmp_path: Path) -> RunDirectory:
    """A search of three points, both of whose retrainings are done."""
    (tmp_path / "a").mkdir()
    run = made_by_hand(tmp_path / "a")
    finish(run, "first")
    finish(run, "second")
    return run


@pytest.fixture
def none(tmp_path: Path) -> RunDirectory:
    """A run of the trunk alone."""
    (tmp_path / "b").mkdir()
    write_json(tmp_path / "b" / "run.json", {"schema": SCHEMA, "name": "none", "suite": NONE})
    run, suite = open_run(tmp_path / "b")
    for planned in suite.plan:
        unit = run.add_unit(planned.spec.unit, planned.spec.to_json())
        begin(unit, model_row(1))
        end(unit)
    return run


def states(path: Path) -> dict[tuple[str, int], str]:
    run, suite = open_run(path)
    return {(t["method"], t["fold"]): t["state"] for t in read_trials(run, suite.plan)}


def test_it_shows_what_the_merge_holds(
    search: RunDirectory, none: RunDirectory, tmp_path: Path
) -> None:
    merged = merge_runs([search.path, none.path], tmp_path / "m")
    held = load(merged.run.path)
    with view_of([search.path, none.path]) as view:
        shown = load(view.path)
        assert view.notes == merged.notes
        assert states(view.path) == states(merged.run.path)
    pd.testing.assert_frame_equal(shown.points, held.points)
    pd.testing.assert_frame_equal(shown.trials, held.trials)
    assert len(shown.points) > 1
    assert shown.suite == held.suite
    assert not view.path.exists()


def test_a_run_seen_with_itself_is_that_run(search: RunDirectory) -> None:
    with view_of([search.path, search.path / "." / ".." / "a"]) as view:
        pd.testing.assert_frame_equal(load(view.path).points, load(search.path).points)


def test_a_run_that_is_being_written_can_be_seen(search: RunDirectory, none: RunDirectory) -> None:
    with hold_lock(none.path / "lock", "busy"), view_of([search.path, none.path]) as view:
        assert states(view.path)["none", 0] == "done"


def test_a_damaged_unit_is_named_where_it_lies(search: RunDirectory, none: RunDirectory) -> None:
    _, suite = open_run(none.path)
    folder = none.unit(suite.plan[0].spec.unit).path
    (folder / "spec.json").write_text("{}")
    with view_of([search.path, none.path]) as view:
        trials = load(view.path).trials.set_index("method")
    assert trials.loc["none", "state"] == "damaged"
    assert str(folder) in str(trials.loc["none", "reason"])


def test_of_a_damaged_and_a_whole_unit_the_whole_one_is_shown(
    none: RunDirectory, tmp_path: Path
) -> None:
    copy = RunDirectory(Path(shutil.copytree(none.path, tmp_path / "copy")))
    _, suite = open_run(none.path)
    (none.unit(suite.plan[0].spec.unit).path / "result.json").write_text("{}")
    for order in ([none.path, copy.path], [copy.path, none.path]):
        with view_of(order) as view:
            assert states(view.path) == {("none", 0): "done"}


def test_other_data_under_one_name_are_refused(search: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = made_by_hand(tmp_path / "other")
    _, suite = open_run(other.path)
    unit = other.unit(suite.plan[0].spec.unit)
    end(unit, fingerprint="of other data")
    with (
        pytest.raises(UserError, match=r"task 'digits' has other data in .* than in .*same data"),
        view_of([search.path, other.path]),
    ):
        pass
