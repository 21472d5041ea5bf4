"""Where results come from, on run directories made by hand."""

from pathlib import Path

import pytest

from augbench.bench.store.files import append_line
from augbench.bench.store.open_run import open_run
from augbench.bench.store.origin import read_origin, units_in_view
from augbench.bench.store.run_directory import RunDirectory
from by_hand import START, evaluation_of, finish, made_by_hand

BEGAN = START | {
    "commit": "abc",
    "versions": {"augbench": "1.0", "torch": "2.0", "mne": "1"},
    "device": "gpu",
    "host": "there",
}
RESUMED = {"event": "resume", "step": 0, "kept": 0.0, "seconds": 0.0, "attempts": 0}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return made_by_hand(tmp_path)


def test_units_in_view_are_the_trials_and_the_retrainings_that_they_ask_for(
    run: RunDirectory,
) -> None:
    plan = open_run(run.path)[1].plan
    assert [unit.path.parent.name for _, unit in units_in_view(run, plan)] == ["trials"]
    finish(run, "first")
    run.path.joinpath("trials", "0123456789ab").mkdir()  # of a former suite
    found = list(units_in_view(run, plan))
    assert [label for label, _ in found] == ["digits", "digits"]
    assert [unit.path.parent.name for _, unit in found] == ["trials", "evaluations"]


def test_data_code_and_machines_are_those_of_all_units(run: RunDirectory) -> None:
    unit = evaluation_of(run, "first")
    attempt = unit.begin_attempt()
    append_line(attempt.log_file, BEGAN)
    append_line(attempt.log_file, RESUMED | {"fingerprint": "g"})
    trial = next(run.path.glob("trials/*"))
    origin = read_origin(run, open_run(run.path)[1].plan)
    assert origin.data == {"digits": {"f": str(trial), "g": str(unit.path)}}
    assert origin.code == ("augbench 1.0, commit abc, torch 2.0",)
    assert origin.machines == ("cpu of here", "gpu of there")


def test_what_is_damaged_is_left_out(run: RunDirectory) -> None:
    next(run.path.glob("trials/*/attempts/*/points.jsonl")).write_text("{}\n")
    assert read_origin(run, open_run(run.path)[1].plan).data == {}
