"""The folders for Ray's own files, of which killed drivers leave some behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augbench.bench.engines import ray


def test_what_dead_drivers_left_is_swept_away_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = [f"augbench-ray-{process}-abc_12xy" for process in (dead.pid, os.getpid())]
    foreign = ["augbench-ray-x-y", "augbench-ray-1-", f"augbench-ray-{dead.pid}-notes", "ray-1-a"]
    beyond = f"augbench-ray-{10**30}-abc_12xy"  # no number of a process
    for name in (*ours, *foreign, beyond):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(ray, "PARENT", tmp_path)
    new = ray._new_folder()
    assert new.is_dir()
    assert {folder.name for folder in tmp_path.iterdir()} == {ours[1], *foreign, beyond, new.name}
    again = ray._new_folder()  # the folder of this process is one that the next sweep spares
    assert new.is_dir()
    assert again != new
