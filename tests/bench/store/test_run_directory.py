import json
import time
from pathlib import Path

import pytest

from augbench.bench.plan.spec import UnitId, record_digest
from augbench.bench.store.files import write_json
from augbench.bench.store.run_directory import RunDirectory, plugin_record
from augbench.datasets.errors import UserError
from augbench.datasets.plugins import Plugin


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        (2, "schema 2, this version reads 3 only: finish it with the version .* or .* --out"),
        (99, "schema 99, this version reads up to 3: update augbench"),
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
    unit = UnitId("trials", record_digest({"a": 1}))
    file = run.add_unit(unit, {"a": 1}).spec_file
    before = file.stat().st_mtime_ns
    time.sleep(0.01)
    run.add_unit(unit, {"a": 1})
    assert file.stat().st_mtime_ns == before
    assert run.unit(unit).spec() == {"a": 1}


def test_plug_ins_are_read_as_they_were_written_and_a_damaged_file_holds_none(
    tmp_path: Path,
) -> None:
    run = RunDirectory(tmp_path)
    assert run.plugins() == []
    kept = [Plugin("augbench.methods", "mine", "theirs:ROW", "theirs", "1.0", "0123456789ab")]
    write_json(run.plugins_file, plugin_record(kept))
    assert run.plugins() == kept
    for text in ("{", '{"plugins": 3}', '{"plugins": [{"group": "x"}]}'):
        run.plugins_file.write_text(text)
        assert run.plugins() == []
