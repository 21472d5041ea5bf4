"""What is refused when a run directory is opened."""

from pathlib import Path

import pytest

import augbench.bench.plan.spec
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.files import write_json
from augbench.bench.store.open_run import check_semantics, open_run
from augbench.datasets.errors import UserError
from by_hand import made_by_hand

OTHER = r"holds trials of SEMANTICS 1, this version .* reads 3"


def test_trials_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(augbench.bench.plan.spec, "SEMANTICS", 1)
        run = made_by_hand(tmp_path)
    with pytest.raises(UserError, match=OTHER):
        open_run(tmp_path)
    plan = read_suite(run.header()["suite"], "run.json").plan
    spec = plan[0].spec
    unit = run.add_unit(spec.unit, spec.to_json())  # then the old ones are only out of view
    assert [each.spec for each in open_run(tmp_path)[1].plan] == [each.spec for each in plan]
    check_semantics(run, plan)
    unit.path.rename(tmp_path / "elsewhere")
    write_json(run.skipped_file, {spec.unit.digest: "it does not fit"})
    check_semantics(run, plan)


def test_a_run_without_any_trial_is_opened(tmp_path: Path) -> None:
    run = made_by_hand(tmp_path)
    for folder in (run.path / "trials").glob("*"):
        folder.rename(tmp_path / f"elsewhere-{folder.name}")
    assert open_run(tmp_path)[1].plan
