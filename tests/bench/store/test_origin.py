"""Where results come from, on run directories made by hand."""

from pathlib import Path

import pytest

import augbench.bench.plan.spec
from augbench.bench.store.files import append_line, write_json
from augbench.bench.store.origin import check_semantics, read_origin, units_in_view
from augbench.bench.store.points import open_run
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets.errors import UserError
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


def test_trials_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(augbench.bench.plan.spec, "SEMANTICS", 1)
        run = made_by_hand(tmp_path)
    plan = open_run(tmp_path)[1].plan
    with pytest.raises(UserError, match=r"holds trials of SEMANTICS 1, this version .* reads 3"):
        check_semantics(run, plan)
    spec = plan[0].spec
    unit = run.add_unit(spec.unit, spec.to_json())  # then the old ones are only out of view
    check_semantics(run, plan)
    unit.path.rename(tmp_path / "elsewhere")
    write_json(run.skipped_file, {spec.unit.digest: "it does not fit"})
    check_semantics(run, plan)
