"""`augbench merge` on real runs: folds and methods that came separately are one run."""

import shutil
from collections.abc import Callable
from pathlib import Path

from augbench.bench.store.open_run import open_run
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from runs import timeless

Answer = tuple[int, str, str]
Ask = Callable[..., Answer]


def test_parts_of_a_suite_merge_into_what_the_whole_suite_gives(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    text, out = small_suite.read_text(), tmp_path / "merged"
    part = tmp_path / "none.toml"
    part.write_text(text.partition("[methods.random_policy]")[0])
    run = ("run", "--engine", "inline")
    ask(*run, part, "--out", tmp_path / "a", "--set", "folds=[0]")
    ask(*run, small_suite, "--out", tmp_path / "b", "--set", "folds=[1]")
    code, printed, _ = ask("merge", tmp_path / "a", tmp_path / "b", "-o", out)
    assert code == 0
    assert "1 of 4 trials are in none of them, and so to do" in printed
    assert "4 trials: 3 done, 1 waiting" in printed
    assert f"do the rest: augbench run {out / 'suite.toml'} --out {out}" in printed
    assert ask("report", out)[0] == 0
    assert "3 of 4 trials done" in (out / "report" / "table.md").read_text()
    before = {file: file.read_bytes() for file in out.glob("trials/*/result.json")}
    code, printed, _ = ask(*run, out / "suite.toml", "--out", out)
    assert code == 0
    assert "4 of 4 trials done" in printed
    assert "the suite has changed" not in printed
    assert all(file.read_bytes() == content for file, content in before.items())
    assert ask("status", out)[0] == 0
    whole = tmp_path / "whole"
    ask(*run, small_suite, "--out", whole, "--set", "folds=[0,1]")
    assert timeless(out) == timeless(whole)


def test_an_interrupted_trial_goes_on_in_the_merged_run_alone(
    ask: Ask, small_suite: Path, tmp_path: Path, interrupted: Callable[..., None]
) -> None:
    a, b, out, whole = (tmp_path / name for name in ("a", "b", "merged", "whole"))
    small_suite.write_text(small_suite.read_text().partition("[methods.random_policy]")[0])
    run = ("run", "--engine", "inline")
    ask(*run, small_suite, "--out", a)
    ask(*run, small_suite, "--out", b, "--set", "folds=[1]")
    shutil.rmtree(b / "trials")
    directory, suite = open_run(b)
    spec = suite.plan[0].spec
    directory.add_unit(spec.unit, spec.to_json())
    host = Host(tmp_path, checkpoint_seconds=0.0)
    interrupted(lambda: do_unit(directory, spec.unit, host), at=3)
    before = {file: file.read_bytes() for file in b.rglob("*") if file.is_file()}
    assert "2 trials: 1 done, 1 failed" in ask("merge", a, b, "-o", out)[1]
    assert ask(*run, out / "suite.toml", "--out", out)[0] == 0
    log = (out / "trials" / spec.unit.digest / "attempts" / "0002" / "log.jsonl").read_text()
    assert '"step": 2' in log  # it went on from there
    assert {file: file.read_bytes() for file in b.rglob("*") if file.is_file()} == before
    ask(*run, small_suite, "--out", whole, "--set", "folds=[0,1]")
    assert timeless(out) == timeless(whole)


def test_a_damaged_model_is_one_sentence(ask: Ask, small_suite: Path, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    ask("run", small_suite, "--engine", "inline", "--out", a)
    shutil.copytree(a, b)
    model = next(b.glob("*/*/attempts/*/model.pt"))
    model.write_bytes(model.read_bytes()[:-9] + b"x" * 9)
    code, printed, complaint = ask("merge", a, b, "-o", tmp_path / "merged")
    assert (code, printed) == (2, "")
    assert complaint.startswith(f"augbench: {model} is damaged (its content has changed)")
    assert complaint.count("\n") == 1
    assert not (tmp_path / "merged").exists()
