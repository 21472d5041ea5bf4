"""MLflow: a run for each trial, on a server or in a database below the run directory."""

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar
from urllib.parse import urlsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before the import; it asks nobody
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # 7 take minutes

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from augbench.bench.sinks.sink import Destination
from augbench.bench.sinks.trial_record import TrialRecord, best_policy
from augbench.datasets.errors import UserError

Item = TypeVar("Item")

TAG = "augbench.record"  # names the trial and the run directory that it is read from
MOST_METRICS, MOST_PARAMS = 500, 100  # in one call
LONGEST_TAG, LONGEST_PARAM = 4000, 5000  # characters
STATUS = {"running": "RUNNING", "waiting": "SCHEDULED"}  # of trials that are not over


class MlflowSink:
    """An experiment whose runs are the trials of a suite.

    The time of a metric is the start of the trial and the device time that it was charged since
    then, so MLflow's relative axis shows device time.
    """

    def __init__(self, destination: Destination) -> None:
        where, artifacts = _store(destination)
        self.to_see = f"mlflow ui --backend-store-uri {quote(where)} (pip install mlflow)"
        self._run = str(destination.run.absolute())
        self._client = MlflowClient(tracking_uri=where)
        name = destination.project or os.environ.get("MLFLOW_EXPERIMENT_NAME") or destination.suite
        is_ours = artifacts is not None and destination.location is None
        self.place = name if is_ours else f"{where} {name}"
        experiment = self._client.get_experiment_by_name(name)
        if experiment is not None and experiment.lifecycle_stage == "deleted":
            raise UserError(
                f"the experiment {name!r} of MLflow was deleted: give another one by --project"
            )
        self._experiment = (
            experiment.experiment_id
            if experiment is not None
            else self._client.create_experiment(name, artifact_location=artifacts)
        )
        self._runs: dict[str, str] = {}  # MLflow's own names of runs, by reference
        for run in self._search(f"tags.`{TAG}` LIKE '%'"):
            self._runs[run.data.tags[TAG]] = run.info.run_id

    def holds(self, record: TrialRecord, reference: str) -> bool:
        """Whether its run is there and not deleted."""
        return reference in self._runs

    def write(self, record: TrialRecord, reference: str, n_known: int) -> None:
        """Add to the run, or delete it and make another one."""
        if not n_known:
            self._begin(record, reference)
        run = self._runs[reference]
        points = record.points[n_known:]
        metrics = [
            Metric(name, value, _milliseconds(record.began + point.seconds), point.step)
            for point in points
            for name, value in point.values.items()
        ]
        for some in _parts(metrics, MOST_METRICS):
            self._client.log_batch(run, metrics=some)
        policy = best_policy(points)
        if policy:
            self._client.log_text(run, policy, "policy.json")
        state = RunTag("augbench.state", record.state)
        reason = RunTag("augbench.reason", record.reason[:LONGEST_TAG])
        self._client.log_batch(run, tags=[state, reason])
        if record.is_over:
            seconds = record.points[-1].seconds if record.points else 0.0
            end = _milliseconds(record.began + seconds)
            status = "FINISHED" if record.is_good else "FAILED"
            self._client.set_terminated(run, status, end_time=end)
        elif n_known or STATUS[record.state] != "RUNNING":
            self._client.update_run(run, status=STATUS[record.state])

    def close(self) -> None:
        """Every call has written what it was given."""

    def _begin(self, record: TrialRecord, reference: str) -> None:
        # Not only the one that is known: a process may have been killed when it had made one.
        for old in self._search(f"tags.`{TAG}` = '{reference}'"):
            self._client.delete_run(old.info.run_id)
        names = ("suite", "task", "method", "fold", "seed", "trial")
        tags = {f"augbench.{name}": str(getattr(record, name)) for name in names}
        run = self._client.create_run(
            self._experiment,
            start_time=_milliseconds(record.began),
            tags={TAG: reference, "augbench.run": self._run, **tags},
            run_name=record.name,
        ).info.run_id
        params = [
            Param(key, str(value)[:LONGEST_PARAM]) for key, value in record.parameters.items()
        ]
        for some in _parts(params, MOST_PARAMS):
            self._client.log_batch(run, params=some)
        self._runs[reference] = run

    def _search(self, words: str) -> Iterator[Any]:
        """The runs of the experiment that are not deleted and fit."""
        page: str | None = None
        while True:
            found = self._client.search_runs(
                [self._experiment], words, max_results=1000, page_token=page
            )
            yield from found
            page = found.token
            if not page:
                return


def _store(destination: Destination) -> tuple[str, str | None]:
    """The address of MLflow's store, and of the folder for files if the store does not choose it.

    MLflow 3 takes no plain folders any more, so a folder gets a database.
    """
    where, asked = destination.location, os.environ.get("MLFLOW_TRACKING_URI")
    if where and (urlsplit(where).scheme or where == "databricks"):
        return where, None
    if asked and not where:
        return asked, None
    folder = destination.folder("mlflow")
    if "?" in str(folder):
        raise UserError(
            f"MLflow takes no folder with a ? in its name, as {folder}: give another by --location"
        )
    file = folder / "mlflow.db"
    make_database(file)
    return f"sqlite:///{file}", (folder / "artifacts").as_uri()


def make_database(file: Path) -> None:
    """Make a database of MLflow's, unless there is one.

    It takes a while, and MLflow never completes one that a killed process has left half made. So it
    gets its name when it is complete.
    """
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{platform.node()}.{os.getpid()}")
    MlflowClient(tracking_uri=f"sqlite:///{draft}")
    with suppress(FileExistsError):  # another process was faster
        os.link(draft, file)
    draft.unlink()


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)


def _parts(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    for first in range(0, len(items), most):
        yield items[first : first + most]
