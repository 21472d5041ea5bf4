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
