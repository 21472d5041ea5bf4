"""Weights & Biases: offline, quiet, and online only where it was asked for."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from by_hand import end, model_row

Models = Callable[..., UnitDirectory]
KEYS = ("WANDB_API_KEY", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE")


def test_online_without_a_key_waits_for_no_keyboard(models: Models, tmp_path: Path) -> None:
    models(model_row(1))
    words = ["-m", "augbench.bench", "log", str(tmp_path / "models"), "--to", "wandb", "--online"]
    environment = {k: v for k, v in os.environ.items() if k not in KEYS}
    leader, follower = os.openpty()  # a keyboard that nobody sits at
    done = subprocess.run(
        [sys.executable, *words],
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        stdin=follower,
        timeout=300,
    )
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert "W&B knows no API key: run `wandb login`, or set WANDB_API_KEY" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_leaves_out_the_machine_and_the_packages(
    models: Models, tmp_path: Path, told: Callable[..., Any]
) -> None:
    end(models(model_row(1)))
    told("wandb", tmp_path / "models")
    (files,) = (tmp_path / "models" / "logs" / "wandb" / "wandb").glob("offline-run-*/files")
    assert not {file.name for file in files.iterdir()} & {
        "requirements.txt",
        "wandb-metadata.json",
        "output.log",
    }


def test_a_mode_that_writes_nothing_is_one_sentence(
    models: Models, tmp_path: Path, told: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    models(model_row(1))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(UserError, match="WANDB_MODE is 'disabled', so W&B would write nothing"):
        told("wandb", tmp_path / "models")
