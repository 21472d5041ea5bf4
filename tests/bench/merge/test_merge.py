"""Merging run directories made by hand: what comes out, what is refused, what a crash leaves."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import augbench.bench.plan.spec
from augbench.analysis.tables.frame import load
from augbench.bench.merge import write
from augbench.bench.merge.merge import merge_runs
from augbench.bench.plan.suite import load_suite, read_suite
from augbench.bench.store.files import (
    append_line,
    file_digest,
    hold_lock,
    read_lines,
    write_json,
)
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from augbench.bench.store.states import read_trials
from augbench.datasets.errors import UserError
from by_hand import SUITE, begin, costs, end, evaluation_of, finish, made_by_hand, model_row

NONE = {"name": "none", "folds": 1, "tasks": {"digits": {}}, "methods": {"none": {}}}


@pytest.fixture
def a(tmp_path: Path) -> RunDirectory:
    """A search of three points, both of whose retrainings are done."""
    run = search_run(tmp_path / "a")
    finish(run, "first")
    finish(run, "second")
    append_line(run.events_file, {"event": "created", "commit": "abc"})
    return run


def search_run(path: Path) -> RunDirectory:
    """A search of three points, none of which is retrained."""
    path.mkdir()
    return made_by_hand(path)


def model_run(path: Path, changes: dict[str, Any] | None = None, **row: Any) -> RunDirectory:
    """A run of one method that ends in models, on the folds of its suite; a point each."""
    path.mkdir()
    write_json(
        path / "run.json", {"schema": SCHEMA, "name": "none", "suite": NONE | (changes or {})}
    )
    run, suite = open_run(path)
    for planned in suite.plan:
        unit = run.add_unit(planned.spec.unit, planned.spec.to_json())
        begin(unit, model_row(1, **row))
        end(unit)
    return run


def states(path: Path) -> list[str]:
    run, suite = open_run(path)
    return [trial["state"] for trial in read_trials(run, suite.plan)]


def points(path: Path) -> list[dict[str, Any]]:
    run, suite = open_run(path)
    return read_points(run, suite.plan)


def files(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def test_the_units_of_all_are_in_one_run_and_the_runs_stay(a: RunDirectory, tmp_path: Path) -> None:
    b = model_run(tmp_path / "b")
    before = files(a.path), files(b.path)
    write_json(a.splits_file, {"digits": "how it is split"})
    before = files(a.path), files(b.path)
    merged = merge_runs([a.path, b.path], tmp_path / "new" / "m")
    assert (files(a.path), files(b.path)) == before
    out = merged.run.path
    assert states(out) == ["done", "done"]
    assert points(out) == points(a.path) + points(b.path)
    assert merged.run.splits() == {"digits": "how it is split"}
    events = list(read_lines(merged.run.events_file))
    assert [event["event"] for event in events] == ["merged", "created"]
    assert sorted(entry.name for entry in out.parent.iterdir()) == ["m"]


def test_the_suite_is_read_from_its_file_and_from_the_run_alike(
    a: RunDirectory, tmp_path: Path
) -> None:
    merged = merge_runs([a.path, model_run(tmp_path / "b").path], tmp_path / "m")
    header = json.loads((tmp_path / "m" / "run.json").read_text())["suite"]
    assert load_suite(tmp_path / "m" / "suite.toml").resolved == header
    assert read_suite(header, "run.json").plan == merged.suite.plan


@pytest.mark.parametrize("copies", [False, True])
def test_a_run_merged_with_itself_is_the_same_run(
    a: RunDirectory, tmp_path: Path, copies: bool
) -> None:
    other = shutil.copytree(a.path, tmp_path / "copy") if copies else a.path
    merge_runs([a.path, other], tmp_path / "m")
    ours, theirs = vars(load(tmp_path / "m")), vars(load(a.path))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        equal = getattr(value, "equals", value.__eq__)  # of a table, or of another value
        assert equal(theirs[name]), name
    assert open_run(tmp_path / "m")[1].plan == open_run(a.path)[1].plan
    units = {name: content for name, content in files(a.path).items() if "/" in name}
    assert {name: c for name, c in files(tmp_path / "m").items() if "/" in name} == units


def test_what_none_of_them_has_is_to_do_and_said(a: RunDirectory, tmp_path: Path) -> None:
    b = model_run(tmp_path / "b", {"folds": [1, 2]})
    merged = merge_runs([a.path, b.path], tmp_path / "m")
    assert sorted(states(tmp_path / "m")) == ["done"] * 3 + ["waiting"] * 3
    assert any("3 of 6 trials are in none of them" in note for note in merged.notes)


def test_of_an_unfinished_and_a_finished_unit_the_finished_one_is_taken(
    a: RunDirectory, tmp_path: Path
) -> None:
    b = shutil.copytree(a.path, tmp_path / "b")
    for result in [*b.glob("evaluations/*/result.json")][:1]:
        result.unlink()
    assert states(b) == ["waiting"]
    for number, paths in enumerate(([a.path, b], [b, a.path])):
        merge_runs(paths, tmp_path / f"m{number}")
        assert points(tmp_path / f"m{number}") == points(a.path)


def test_of_two_unfinished_units_the_one_that_is_further_is_taken(tmp_path: Path) -> None:
    short, long = search_run(tmp_path / "a"), search_run(tmp_path / "b")
    for run, n_points in ((short, 1), (long, 3)):
        (next(run.path.glob("trials/*")) / "result.json").unlink()
        file = next(run.path.glob("trials/*/attempts/*/points.jsonl"))
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:n_points]))
    for number, paths in enumerate(([short.path, long.path], [long.path, short.path])):
        merged = merge_runs(paths, tmp_path / f"m{number}")
        assert len(merged.run.unit(merged.suite.plan[0].spec.unit).points()) == 3


def test_results_that_only_clocks_tell_apart_are_the_same(tmp_path: Path) -> None:
    a = model_run(tmp_path / "a", costs=costs(search=1.0))
    b = model_run(tmp_path / "b", costs=costs(search=2.0))
    merged = merge_runs([a.path, b.path], tmp_path / "m")
    assert points(tmp_path / "m") == points(a.path)
    assert any("hold 1 finished unit, with the same results" in note for note in merged.notes)


@pytest.mark.parametrize(("ours", "is_same"), [(None, True), (b"x", True), (b"y", False)])
def test_predictions_are_compared_where_both_kept_them(
    tmp_path: Path, ours: bytes | None, is_same: bool
) -> None:
    runs = model_run(tmp_path / "a"), model_run(tmp_path / "b")
    for run, content in zip(runs, (ours, b"x"), strict=True):
        unit = run.unit(open_run(run.path)[1].plan[0].spec.unit)
        if content is not None:
            file = unit.attempts()[0].predictions_file("")
            file.write_bytes(content)
            end(unit, predictions_digest=file_digest(file))
    paths = [run.path for run in runs]
    if is_same:
        merge_runs(paths, tmp_path / "m")
    else:
        with pytest.raises(UserError, match="their predictions differ"):
            merge_runs(paths, tmp_path / "m")


def test_locks_and_what_was_set_aside_are_not_copied(a: RunDirectory, tmp_path: Path) -> None:
    unit = next(a.path.glob("trials/*"))
    (unit / "lock").touch()
    (unit / "attempts" / "0007.damaged").mkdir()
    (unit / ".pulse.json.here.1").touch()
    merge_runs([a.path, model_run(tmp_path / "b").path], tmp_path / "m")
    copy = tmp_path / "m" / "trials" / unit.name
    assert sorted(entry.name for entry in copy.iterdir()) == [
        "attempts",
        "policies",
        "result.json",
        "spec.json",
    ]
    assert [entry.name for entry in (copy / "attempts").iterdir()] == ["0001"]


def test_units_that_no_suite_plans_are_left_out_and_counted(
    a: RunDirectory, tmp_path: Path
) -> None:
    b = model_run(tmp_path / "b", {"folds": 2})
    suite = NONE | {"folds": [1]}
    write_json(b.header_file, {"schema": SCHEMA, "name": "none", "suite": suite})
    merged = merge_runs([a.path, b.path], tmp_path / "m")
    assert f"{b.path}: 1 unit (1 more left out: not planned, or of a damaged trial)" in merged.notes
    assert len([*(tmp_path / "m").glob("trials/*")]) == 2


def test_skipped_trials_stay_skipped_unless_another_run_has_done_them(
    a: RunDirectory, tmp_path: Path
) -> None:
    spec = open_run(a.path)[1].plan[0].spec
    copy = RunDirectory(shutil.copytree(a.path, tmp_path / "copy"))
    shutil.rmtree(copy.path / "trials")
    shutil.rmtree(copy.path / "evaluations")
    write_json(copy.skipped_file, {spec.unit.digest: "it does not fit"})
    merge_runs([copy.path, model_run(tmp_path / "b").path], tmp_path / "m")
    assert sorted(states(tmp_path / "m")) == ["done", "skipped"]
    merge_runs([copy.path, a.path], tmp_path / "n")
    assert states(tmp_path / "n") == ["done"]


def on_host(run: RunDirectory, host: str, device: str = "cpu") -> RunDirectory:
    """The same run, as if its attempts had run there."""
    for file in run.path.glob("*/*/attempts/*/log.jsonl"):
        text = file.read_text().replace('"host": "here"', f'"host": "{host}"')
        file.write_text(text.replace('"device": "cpu"', f'"device": "{device}"'))
    return run


def test_hours_of_two_machines_name_them_though_both_are_a_cpu(
    a: RunDirectory, tmp_path: Path
) -> None:
    b = on_host(model_run(tmp_path / "b"), "there")
    merged = merge_runs([a.path, b.path], tmp_path / "m")
    devices = load(tmp_path / "m").points.set_index("method")["device"]
    assert set(devices["random_policy"]) == {"cpu of here"}
    assert devices["none"] == "cpu of there"
    assert any("several machines: cpu of here; cpu of there" in note for note in merged.notes)


@pytest.mark.parametrize(("host", "device"), [("here", "cpu"), ("there", "gpu")])
def test_one_machine_of_a_device_needs_no_host(
    a: RunDirectory, tmp_path: Path, host: str, device: str
) -> None:
    b = on_host(model_run(tmp_path / "b"), host, device)
    merge_runs([a.path, b.path], tmp_path / "m")
    assert set(load(tmp_path / "m").points["device"]) == {"cpu", device}
    assert set(load(b.path).points["device"]) == {device}


# What does not fit. Each case prepares two runs and says of what the sentence speaks.


def other_schema(a: RunDirectory, b: RunDirectory) -> str:
    write_json(b.header_file, {"schema": 2, "name": "none", "suite": NONE})
    return f"{b.path} has schema 2"


def other_semantics(a: RunDirectory, b: RunDirectory) -> str:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(augbench.bench.plan.spec, "SEMANTICS", 2)
        shutil.rmtree(b.path)
        model_run(b.path)
    return f"{b.path} holds trials of SEMANTICS 2"


def other_data(a: RunDirectory, b: RunDirectory) -> str:
    shutil.rmtree(b.path)
    model_run(b.path)
    unit = b.unit(open_run(b.path)[1].plan[0].spec.unit)
    end(unit, fingerprint="g")
    return r"task 'digits' has other data in .*a/trials/.* \(fingerprint f\) than in .*b/trials/"


def other_options(a: RunDirectory, b: RunDirectory) -> str:
    suite = SUITE | {"methods": {"random_policy": {"n_policies": 4}}}
    write_json(b.header_file, {"schema": SCHEMA, "name": "hand", "suite": suite})
    return f"method.n_policies is 3 in {a.path} and 4 in {b.path}"


def two_results(a: RunDirectory, b: RunDirectory) -> str:
    for run, test in ((a, 0.5), (b, 0.6)):
        shutil.rmtree(run.path)
        model_run(run.path, test=test)
    return "one unit has two results, .*a/trials/.* and .*b/trials/.*: their points differ"


def two_ends(a: RunDirectory, b: RunDirectory) -> str:
    for run, state in ((a, "done"), (b, "over budget")):
        shutil.rmtree(run.path)
        model_run(run.path)
        end(run.unit(open_run(run.path)[1].plan[0].spec.unit), state)
    return "one unit has two results, .*: their ends differ"


def damaged_result(a: RunDirectory, b: RunDirectory) -> str:
    file = next(b.path.glob("trials/*/result.json"))
    file.write_text(file.read_text().replace('"steps": 1', '"steps": 2'))
    return "result.json is damaged"


def damaged_policy(a: RunDirectory, b: RunDirectory) -> str:
    next(a.path.glob("trials/*/policies/*.json")).write_text("{}")
    return "policies/.* is damaged"


def damaged_retraining(a: RunDirectory, b: RunDirectory) -> str:
    next(a.path.glob("evaluations/*/attempts/*/points.jsonl")).unlink()
    return "evaluations/.* is damaged"


def no_run(a: RunDirectory, b: RunDirectory) -> str:
    shutil.rmtree(b.path)
    return f"{b.path} is no run directory"


@pytest.mark.parametrize(
    "spoil",
    [
        other_schema,
        other_semantics,
        other_data,
        other_options,
        two_results,
        two_ends,
        damaged_result,
        damaged_policy,
        damaged_retraining,
        no_run,
    ],
)
def test_what_does_not_fit_is_one_sentence_and_makes_nothing(
    spoil: Any, a: RunDirectory, tmp_path: Path
) -> None:
    b = model_run(tmp_path / "b")
    complaint = spoil(a, b)
    with pytest.raises(UserError, match=complaint) as raised:
        merge_runs([a.path, b.path], tmp_path / "m")
    assert "\n" not in str(raised.value)
    assert {entry.name for entry in tmp_path.iterdir()} <= {"a", "b"}


def test_a_run_that_is_being_written_is_refused(a: RunDirectory, tmp_path: Path) -> None:
    b = model_run(tmp_path / "b")
    with (
        hold_lock(b.path / "lock", "not ours"),
        pytest.raises(UserError, match=f"{b.path} is being written .*process"),
    ):
        merge_runs([a.path, b.path], tmp_path / "m")
    assert merge_runs([a.path, b.path], tmp_path / "m").run.exists()


def test_a_unit_whose_process_is_alive_is_refused(
    a: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = evaluation_of(a, "first")
    unit.result_file.unlink()
    write_json(unit.attempts()[0].pulse_file, {"time": 100.0, "lived": 1.0})
    monkeypatch.setattr("augbench.bench.store.attempt_log.time.time", lambda: 101.0)
    with pytest.raises(UserError, match=f"a process works on {unit.path}"):
        merge_runs([a.path, model_run(tmp_path / "b").path], tmp_path / "m")


def test_a_place_that_cannot_be_is_one_sentence(a: RunDirectory, tmp_path: Path) -> None:
    b = model_run(tmp_path / "b").path
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "empty").mkdir()
    for out, complaint in (
        (a.path / "trials" / "m", "lies in the run"),
        (tmp_path / "b" / ".." / "a" / "m", "lies in the run"),
        (b, "is one of the runs"),
        (tmp_path / "file", "is a file"),
        (tmp_path / "full", "holds files, and is no merge"),
        (tmp_path, "holds files, and is no merge"),
        (tmp_path / "file" / "m", "cannot make .*: Not a directory; choose another folder"),
    ):
        with pytest.raises(UserError, match=complaint):
            merge_runs([a.path, b], out)
    assert merge_runs([a.path, b], tmp_path / "empty").run.exists()
    with pytest.raises(UserError, match="two run directories or more"):
        merge_runs([a.path], tmp_path / "m")


def test_the_same_merge_again_changes_nothing_and_another_is_refused(
    a: RunDirectory, tmp_path: Path
) -> None:
    b, c = model_run(tmp_path / "b"), model_run(tmp_path / "c", {"folds": [1]})
    out = tmp_path / "m"
    merge_runs([a.path, b.path], out)
    before = files(out)
    again = merge_runs([b.path, a.path, b.path], out)
    assert "already holds" in again.notes[0]
    assert files(out) == before
    with pytest.raises(UserError, match="is a merge of other runs"):
        merge_runs([a.path, c.path], out)
    (next(b.path.glob("trials/*")) / "result.json").unlink()
    with pytest.raises(UserError, match="or of these as they were before"):
        merge_runs([a.path, b.path], out)


@pytest.mark.parametrize("stops_at", [0, 2, "records"])
def test_a_merge_that_is_cut_off_leaves_no_run_and_the_next_one_is_whole(
    a: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops_at: int | str
) -> None:
    b, out = model_run(tmp_path / "b"), tmp_path / "m"
    copy, n_copied = write._copy_unit, 0

    def killed(*_: Any) -> None:
        raise SystemExit(9)

    def copies(*arguments: Any) -> None:
        nonlocal n_copied
        if n_copied == stops_at:
            killed()
        n_copied += 1
        copy(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)  # as after a kill
        patched.setattr(write, "_copy_unit", copies)
        if stops_at == "records":
            patched.setattr(write, "write_json", killed)
        with pytest.raises(SystemExit):
            merge_runs([a.path, b.path], out)
    assert not out.exists()
    (tmp_path / ".m.merging" / "leftover").touch()
    merge_runs([a.path, b.path], out)
    assert points(out) == points(a.path) + points(b.path)
    assert not (out / "leftover").exists()
    assert not (tmp_path / ".m.merging").exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    a: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    b = model_run(tmp_path / "b")
    monkeypatch.setattr(write, "_copy_file", full)
    with pytest.raises(UserError, match=r"cannot copy .*: .*No space left"):
        merge_runs([a.path, b.path], tmp_path / "m")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


def test_two_merges_into_one_place_do_not_mix(a: RunDirectory, tmp_path: Path) -> None:
    b, draft = model_run(tmp_path / "b"), tmp_path / ".m.merging"
    draft.mkdir()
    with (
        hold_lock(draft / "lock", "not ours"),
        pytest.raises(UserError, match="another process merges runs into"),
    ):
        merge_runs([a.path, b.path], tmp_path / "m")
    assert draft.exists()
