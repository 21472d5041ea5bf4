import json
import time
from pathlib import Path

import pytest

from augbench.bench.plan.spec import UnitId, record_digest
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets.errors import UserError


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
