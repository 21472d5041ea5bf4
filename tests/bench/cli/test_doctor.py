"""What `augbench doctor` finds on a machine, and what it says to do."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import typer

from augbench.bench.cli import doctor as module
from augbench.bench.cli.doctor import Finding, findings
from augbench.bench.cli.doctor_command import doctor
from installed import add_package

Usage = namedtuple("Usage", "total used free")


def about(data: Path, runs: Path) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings(data, runs):
        found.setdefault(finding.about, []).append(finding)
    return found


def test_it_looks_at_all_that_a_run_needs(tmp_path: Path) -> None:
    found = about(tmp_path, tmp_path / "runs")
    parts = {"Python", "augbench", "torch", "GPU", "Ray", "processors", "data", "runs", "cache"}
    assert parts <= set(found)
    assert not (tmp_path / "runs").exists()  # it only looks
    assert not list(tmp_path.iterdir())


def test_data_that_are_there_are_named_by_their_tasks(tmp_path: Path) -> None:
    (tmp_path / "ssvep_exo").mkdir()
    (tmp_path / "mass").mkdir()
    (finding,) = about(tmp_path, tmp_path)["data"]
    assert finding == Finding("good", "data", f"{tmp_path} has data of ssvep, mass")


def test_missing_data_are_a_note_and_no_problem(tmp_path: Path) -> None:
    (finding,) = about(tmp_path / "none", tmp_path)["data"]
    assert finding.state == "note"
    assert "AUGBENCH_DATA" in finding.text


def test_a_folder_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AUGBENCH_CACHE", "/proc/cache")
    found = about(tmp_path, tmp_path / "file" / "runs")
    for name, option in (("runs", "--out"), ("cache", "AUGBENCH_CACHE")):
        (finding,) = found[name]
        assert finding.state == "problem"
        assert option in finding.text
    with pytest.raises(typer.Exit) as caught:
        doctor(tmp_path, tmp_path / "file" / "runs")
    assert caught.value.exit_code == 1
    assert "PROBLEM cache: /proc/cache cannot be written" in capsys.readouterr().out


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 2**40, 2**20))
    assert about(tmp_path, tmp_path)["runs"][0].state == "problem"


def test_a_driver_without_a_gpu_in_torch_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU here")
    (tmp_path / "version").write_text("NVRM version: 550")
    monkeypatch.setattr(module, "NVIDIA", tmp_path / "version")
    (finding,) = about(tmp_path, tmp_path)["GPU"]
    assert finding.state == "problem"
    assert "install the build" in finding.text


def test_other_programs_on_the_processors_are_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0))
    assert about(tmp_path, tmp_path)["load"][0].state == "note"
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert "load" not in about(tmp_path, tmp_path)


def test_plug_ins_are_named_and_bad_ones_with_their_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    rows = {
        "augbench.methods": {"quiet": "theirs_doctor:ROW", "none": "theirs_doctor:ROW"},
        "augbench.tasks": {"broken": "theirs_doctor:NOTHING"},
        "augbench.commands": {"run": "theirs_doctor:ROW", "odd": "theirs_doctor:ROW"},
    }
    text = "from augbench.methods import METHODS\nROW = METHODS['none']\n"
    add_package(site, "mine", rows, theirs_doctor=text)
    (site / "torn-1.0.dist-info").mkdir()
    (site / "torn-1.0.dist-info" / "METADATA").write_text("Name: torn\n")
    (site / "torn-1.0.dist-info" / "entry_points.txt").write_text("[augbench.tasks]\nno value\n")
    found = [each for each in about(tmp_path, tmp_path)["plug-ins"] if "torch" not in each.text]
    texts = "\n".join(f"{each.state} {each.text}" for each in found)
    assert "good method 'quiet' of package mine 1.0" in texts
    assert "note 'theirs_doctor:ROW' of the entry point 'none'" in texts
    assert "note 'theirs_doctor:NOTHING' of the entry point 'broken'" in texts
    assert "note the command 'run' of package mine 1.0 ('theirs_doctor:ROW') takes a name" in texts
    assert "note the command 'odd' of package mine 1.0 ('theirs_doctor:ROW') cannot be" in texts
    assert "note the entry points of torn cannot be read" in texts
