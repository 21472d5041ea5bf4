"""Runs made by hand whose trials grow, and a replay of them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.sinks.replay import Told, replay
from augbench.bench.sinks.sink import Destination
from augbench.bench.store.files import write_json
from augbench.bench.store.open_run import open_run
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from by_hand import begin

MODELS = {
    "name": "models",
    "folds": 2,
    "tasks": {"digits": {"training": {"epochs": 7}}},
    "methods": {"none": {}},
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whoever runs the tests."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow's; to make one takes seconds."""
    from augbench.bench.sinks.mlflow import make_database

    file = tmp_path_factory.mktemp("database") / "mlflow.db"
    make_database(file)
    return file


@pytest.fixture
def told(empty_database: Path) -> Callable[..., Told]:
    """Replays a run, once if no other end is given."""

    def tell(kind: str, run: Path, location: Path | None = None, **ending: Any) -> Told:
        database = run / "logs" / "mlflow" / "mlflow.db"
        if kind == "mlflow" and location is None and not database.exists():
            database.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(empty_database, database)
        where = None if location is None else str(location)
        return replay(kind, Destination(run, "hand", where), **ending)

    return tell


@pytest.fixture
def models(tmp_path: Path) -> Callable[..., UnitDirectory]:
    """The first of two trials that show models; it has published some rows."""

    def make(*rows: dict[str, Any]) -> UnitDirectory:
        path = tmp_path / "models"
        path.mkdir()
        write_json(path / "run.json", {"schema": SCHEMA, "name": "models", "suite": MODELS})
        spec = open_run(path)[1].plan[0].spec
        unit = RunDirectory(path).add_unit(spec.unit, spec.to_json())
        begin(unit, *rows)
        return unit

    return make
