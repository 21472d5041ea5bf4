"""A search that has found no values says so, writes none down, and does not end as a success."""

import json
from collections.abc import Callable
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

import augbench.bench.search.drive
from augbench.analysis.command import report
from augbench.bench.plan.suite import load_suite
from augbench.bench.search.rungs import best_valid_at, ending, mean_valid
from augbench.bench.search.search_results import read_search_results
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit

Search = Callable[..., tuple[int, str, str]]

RATE = ("--method", "shift", "--param", "training.learning_rate", "--sampler", "grid", "--space")


def test_a_search_whose_trials_all_diverged_has_no_best(
    search: Search, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    out = tmp_path / "s"
    (out / "best.toml").parent.mkdir()
    code, printed, _ = search(out, *RATE, "choice:1e30,1e35")
    assert code == 1
    assert "2 of 2 trials ended" in printed
    assert "take the best over" not in printed
    assert "there are no values to take over: each of the 2 trials that ran to their end" in printed
    assert "(diverged); lower the learning rate" in printed
    assert "done, no metric in 2 of 2 units (diverged)" in " ".join(printed.split())
    assert not (out / "best.toml").exists()
    results = read_search_results(out)
    assert results.best is None
    assert [trial.valid for trial in results.trials] == [None, None]
    (out / "best.toml").write_text("# of a version that took 0 for a metric")
    assert search(out, *RATE, "choice:1e30,1e35")[0] == 1
    assert not (out / "best.toml").exists()
    shown = augbench("status", out)
    assert "there are no values to take over" in shown.stdout
    report([out])
    assert (out / "report" / "search.png").stat().st_size > 0


def test_a_trial_that_diverged_on_one_fold_is_never_the_best(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = augbench.bench.search.drive.best_valid_at

    def diverges(run: Any, spec: Any, step: int | None) -> float | None:
        value = read(run, spec, step)
        if value is None:
            return None
        if spec.options["penalty"] == 0.1:
            return [1.0, nan][spec.fold]  # a mean of .5, above that of the others
        return 0.0  # a metric like any other

    monkeypatch.setattr(augbench.bench.search.drive, "best_valid_at", diverges)
    words = ("--method", "shift", "--param", "lambda", "--sampler", "grid")
    code, printed, _ = search(tmp_path / "s", *words, "--space", "choice:0.1,0.2")
    assert code == 0
    results = read_search_results(tmp_path / "s")
    partly, zero = results.trials
    assert (partly.valid, zero.valid) == (None, 0.0)
    assert results.best is zero
    assert "no metric in 1 of 2 units" in " ".join(printed.split())
    assert "penalty = 0.2" in (tmp_path / "s" / "best.toml").read_text()


def test_some_trials_that_diverged_do_not_hide_the_best(search: Search, tmp_path: Path) -> None:
    code, _, _ = search(tmp_path / "s", *RATE, "choice:1e30,1e-3")
    assert code == 0
    results = read_search_results(tmp_path / "s")
    assert results.best is results.trials[1]
    assert results.trials[0].valid is None


def test_a_budget_that_ends_before_the_first_metric_is_named(
    search: Search, tmp_path: Path
) -> None:
    words = ("--method", "augnet", "--param", "lambda", "--sampler", "grid", "--space", "paper")
    code, printed, _ = search(tmp_path / "s", *words, "--set", "budget.device_hours=1e-12")
    results = read_search_results(tmp_path / "s")
    if results.best is None:  # a method may show a model when its budget ends
        assert code == 1
        assert "(over budget)" in printed
    else:
        assert code == 0


def test_an_unfinished_search_has_no_best_and_says_why(
    search: Search, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    words = ("--method", "shift", "--param", "lambda", "--space", "paper", "--sampler", "grid")
    code, printed, _ = search(tmp_path / "s", *words, "--stop-after", "1e-9")
    assert code == 1
    assert "take the best over" not in printed
    assert not (tmp_path / "s" / "best.toml").exists()
    shown = augbench("status", tmp_path / "s")
    assert shown.returncode == 0
    assert "0 of 4 trials ended" in shown.stdout


def test_a_unit_that_diverged_at_once_has_no_metric_and_counts_as_0(
    tiny: Path, tmp_path: Path
) -> None:
    words = ["folds=1", "tasks.sinusoids.training.learning_rate=1e30"]
    spec = next(each.spec for each in load_suite(tiny, words).plan if each.method == "shift")
    (tmp_path / "run").mkdir()
    run = RunDirectory(tmp_path / "run")
    run.add_unit(spec.unit, spec.to_json())
    do_unit(run, spec.unit, Host(run.path, score_test=False))
    for step in (1, None):
        value = best_valid_at(run, spec, step)
        assert value is not None
        assert isnan(value)
    assert ending(run, spec) == "diverged"
    assert mean_valid([nan, 0.5]).value == 0.25


@pytest.mark.parametrize("journal", [None, b"", b'{"op_code": 0, "worker'])
def test_between_search_json_and_the_study_there_are_no_trials_yet(
    journal: bytes | None, search: Search, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    out = tmp_path / "s"
    words = ("--method", "shift", "--param", "lambda", "--space", "log:0.1:1", "--trials", "1")
    assert search(out, *words)[0] == 0
    (out / "journal.log").unlink()
    if journal is not None:
        (out / "journal.log").write_bytes(journal)
    before = sorted(out.rglob("*"))
    shown = augbench("status", out)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "0 of 1 trials ended" in shown.stdout
    assert sorted(out.rglob("*")) == before  # to look at a search changes nothing
    report([out])
    assert search(out, *words)[0] == 0
    assert read_search_results(out).best is not None


@pytest.mark.parametrize("name", ["journal.log", "search.json"])
def test_a_folder_in_a_files_place_is_named(
    name: str, search: Search, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    out = tmp_path / "s"
    words = ("--method", "shift", "--param", "lambda", "--space", "log:0.1:1", "--trials", "1")
    assert search(out, *words)[0] == 0
    (out / name).unlink()
    (out / name).mkdir()
    for code, complaint in (
        (lambda done: (done.returncode, done.stderr))(augbench("status", out)),
        (lambda done: (done[0], done[2]))(search(out, *words)),
    ):
        assert code == 2
        assert complaint.startswith(f"augbench: {out / name} is damaged (a folder")
        assert ("move it away" if name == "journal.log" else "another --out") in complaint


def test_labels_and_values_of_a_search_are_no_markup(
    tiny: Path, search: Search, tmp_path: Path
) -> None:
    text = tiny.read_text(encoding="utf-8")
    tiny.write_text(text.replace("[methods.shift]", '[methods."shift [/x]"]'), encoding="utf-8")
    out = tmp_path / "[bold] run"
    words = ("--method", "shift [/x]", "--param", "at_eval", "--space", "choice:blend,sample")
    code, printed, _ = search(out, *words, "--sampler", "grid", "--set", "folds=1")
    assert code == 0
    assert str(out / "best.toml") in printed
    report([out])
    assert "shift [/x]" in json.dumps(read_search_results(out).search.method)
