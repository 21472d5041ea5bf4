"""MLflow: where it writes, and what it tells nobody."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.sinks.mlflow import MlflowClient
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from by_hand import end, model_row

Models = Callable[..., UnitDirectory]


def test_it_makes_its_database_asks_nobody_and_leaves_nothing_elsewhere(
    models: Models, tmp_path: Path
) -> None:
    """In a process of its own, whose home and current folder are empty."""
    end(models(model_row(1)))
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    words = ["-m", "augbench.bench", "log", str(tmp_path / "models"), "--to", "mlflow"]
    unset = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "XDG_CONFIG_HOME", "CI", "PYTEST_VERSION")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=away,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.startswith("mlflow: 1 trial written, 1 point;")
    assert not done.stderr
    assert not list(home.rglob("telemetry*"))
    assert not list(away.iterdir())
    files = {file.name for file in (tmp_path / "models" / "logs" / "mlflow").iterdir()}
    assert files == {"mlflow.db"}


def test_the_store_of_the_environment_is_used(
    models: Models,
    tmp_path: Path,
    told: Callable[..., Any],
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models(model_row(1))
    address = f"sqlite:///{tmp_path}/other.db"
    (tmp_path / "other.db").write_bytes(empty_database.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    monkeypatch.chdir(tmp_path)
    told("mlflow", tmp_path / "models")
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("mine")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.tags["augbench.task"] == "digits"
    assert run.info.status == "SCHEDULED"


def test_a_run_that_is_in_the_waste_is_written_again(
    models: Models, tmp_path: Path, told: Callable[..., Any]
) -> None:
    end(models(model_row(1)))
    told("mlflow", tmp_path / "models")
    address = f"sqlite:///{tmp_path}/models/logs/mlflow/mlflow.db"
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("hand")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    client.delete_run(run.info.run_id)
    assert told("mlflow", tmp_path / "models").n_points == 1
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(UserError, match="experiment 'hand' of MLflow was deleted"):
        told("mlflow", tmp_path / "models")


def test_a_folder_that_cannot_be_in_an_address_is_one_sentence(
    models: Models, tmp_path: Path, told: Callable[..., Any]
) -> None:
    models(model_row(1))
    with pytest.raises(UserError, match=r"no folder with a \? in its name"):
        told("mlflow", tmp_path / "models", tmp_path / "what?")


def test_a_folder_with_odd_letters_is_taken(
    models: Models, tmp_path: Path, told: Callable[..., Any]
) -> None:
    models(model_row(1))
    folder = tmp_path / "50% of é #1"
    assert told("mlflow", tmp_path / "models", folder).n_points == 1
    assert told("mlflow", tmp_path / "models", folder).n_points == 0
    assert (folder / "mlflow.db").exists()
