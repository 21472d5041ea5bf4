"""The trials of a suite as tables, few or very many."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from augbench.bench.cli.trial_tables import MAX_LINES, plan_text, status_text
from augbench.bench.plan.spec import SEMANTICS
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials


def suite_of(n_seeds: int) -> Any:
    tables = {
        "name": "many",
        "folds": 1,
        "seeds": list(range(n_seeds)),
        "tasks": {"digits": {}},
        "methods": {"none": {}, "augnet": {}},
    }
    return read_suite(tables, "here")


def test_few_trials_have_a_line_each(tmp_path: Path) -> None:
    suite = suite_of(3)
    trials = read_trials(RunDirectory(tmp_path), suite.plan)
    for shown in (plan_text("many", trials), status_text(trials)):
        assert shown.count("none") == 3
    assert suite.plan[0].spec.unit.digest in plan_text("many", trials)


def test_columns_are_as_wide_as_their_widest_cell(tmp_path: Path) -> None:
    suite = suite_of(1)
    wide = {"task": "数字", "method": "a [/x] method", "reason": "no\nroom"}
    trials = [{**trial, **wide} for trial in read_trials(RunDirectory(tmp_path), suite.plan)[:1]]
    header, row, summary = status_text(trials).splitlines()
    assert row.startswith("数字  a [/x] method  0     0     waiting")
    assert row.endswith("no\\nroom")
    assert header.index("method") == 6
    assert header.index("fold") == 6 + len("a [/x] method") + 2
    assert summary == "1 trial: 1 waiting"


def test_many_trials_are_counted(tmp_path: Path) -> None:
    suite = suite_of(MAX_LINES)
    trials = read_trials(RunDirectory(tmp_path), suite.plan)
    shown = plan_text("many", trials)
    assert f"{2 * MAX_LINES:,} trials" in shown
    assert shown.count("none") == shown.count("augnet") == 1
    assert f"none    {MAX_LINES}" in shown


def test_of_many_what_went_wrong_still_has_a_line_each(tmp_path: Path) -> None:
    suite = suite_of(MAX_LINES)
    trials = read_trials(RunDirectory(tmp_path), suite.plan)
    trials[7] = {**trials[7], "state": "failed", "reason": "the disk [sda] is full"}
    shown = status_text(trials)
    assert shown.count("the disk [sda] is full") == 1
    assert "waiting" in shown


def test_a_trial_is_named_by_all_that_it_is() -> None:
    """The quick way to its name is the plain one: runs of former versions are found again."""
    for planned in suite_of(2).plan:
        record = {"semantics": SEMANTICS, **asdict(planned.spec)}
        assert record["task"].pop("imported") == {}  # of other libraries: only what there is
        digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:12]
        assert planned.spec.unit.digest == digest
