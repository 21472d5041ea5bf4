import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.store import (
    RunDirectory,
    UnitId,
    append_line,
    hold_lock,
    read_json,
    read_lines,
    write_json,
)
from datasets.errors import UserError

HOLDER = """
import sys, time
from pathlib import Path
from bench.store import hold_lock
with hold_lock(Path(sys.argv[1]), "taken"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_torn_line_is_skipped_by_readers_and_dropped_by_the_next_writer(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    append_line(file, {"a": 1})
    with file.open("a") as lines:
        lines.write('{"a": 2, "torn')
    assert list(read_lines(file)) == [{"a": 1}]
    append_line(file, {"a": 3})
    assert list(read_lines(file)) == [{"a": 1}, {"a": 3}]
    assert len(file.read_text().splitlines()) == 2


def test_a_file_that_is_one_torn_line_becomes_empty_first(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"torn')
    append_line(file, {"a": 1})
    assert list(read_lines(file)) == [{"a": 1}]


def test_writing_json_leaves_no_draft_behind(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    write_json(tmp_path / "a.json", {"a": 2})
    assert read_json(tmp_path / "a.json") == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_damaged_json_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_a_lock_goes_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"taken .held by process {holder.pid} on"):
            hold_lock(file, "taken").__enter__()
    finally:
        holder.kill()
        holder.wait()
    with hold_lock(file, "taken"):
        pass


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    script = HOLDER.replace("60", "0.5")
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with hold_lock(file, "taken", wait_seconds=30):
        assert holder.wait() == 0


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        (1, "schema 1, this version reads 2 only: finish it with the version .* or .* --out"),
        (99, "schema 99, this version reads up to 2: update augbench"),
    ],
)
def test_a_run_directory_of_another_schema_is_refused(
    tmp_path: Path, schema: int, complaint: str
) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"schema": schema}))
    with pytest.raises(UserError, match=complaint):
        RunDirectory(tmp_path).header()


def test_a_folder_that_is_no_run_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run directory"):
        RunDirectory(tmp_path).header()


def test_adding_a_unit_again_changes_nothing(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    unit = UnitId("trials", "abc")
    file = run.add_unit(unit, {"a": 1}).path / "spec.json"
    before = file.stat().st_mtime_ns
    time.sleep(0.01)
    run.add_unit(unit, {"a": 1})
    assert file.stat().st_mtime_ns == before
    assert run.unit(unit).spec() == {"a": 1}
