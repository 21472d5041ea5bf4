"""Where a process runs, with which libraries, and from which commit of augbench."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch


@cache
def provenance(device: torch.device) -> dict[str, Any]:
    """Where and with what a process runs."""
    return {
        "host": platform.node(),
        "process": os.getpid(),
        "device": device_name(device),
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "versions": {name: _version(name) for name in ("augbench", "torch", "braindecode", "mne")},
        "commit": _commit(),
    }


def _version(package: str) -> str:
    """Its version; empty if it is not installed, as augbench where the driver sent its code."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def device_name(device: torch.device) -> str:
    """``cpu``, or the model of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _commit() -> str:
    """The commit of this code, with a mark for changes; empty if no repository tracks it.

    A virtual environment may lie in the repository of something else, whose commit says nothing.
    """
    file = Path(__file__).resolve()
    if _git(file.parent, "ls-files", "--", file.name) != file.name:
        return ""
    return _git(file.parent, "describe", "--always", "--dirty")


def _git(folder: Path, *words: str) -> str:
    """What git says about a folder; empty if it fails, as where a folder has another owner."""
    # GIT_DIR and its kin, as in a hook, would lead to another repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"  # describe must not write to the repository
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
