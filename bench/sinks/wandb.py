"""Weights & Biases: a run for each trial, offline unless it was asked for otherwise."""

import os
import shutil
from pathlib import Path
from shlex import quote
from typing import Any

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # before the import; it asks nobody
os.environ.setdefault("WANDB_SILENT", "true")

import wandb

from augbench.bench.sinks.sink import Destination
from augbench.bench.sinks.trial_record import TrialRecord, best_policy
from augbench.datasets.errors import UserError

PROJECT = "augbench"
MODES = ("offline", "online")
LONGEST_SUMMARY = 10_000  # characters of a policy; all of it is in the run's policy.json
LONGEST_NAME = 128  # characters
# No look at the machine, the packages, the code or the terminal. Not every version has all.
QUIET: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}


class WandbSink:
    """A project in which the trials of a suite are a group.

    A run that is written anew keeps its ID and takes the place of the old one. Those of trials that
    are running stay open, because an offline run cannot be added to later.
    """

    def __init__(self, destination: Destination) -> None:
        self._mode = "online" if destination.online else os.environ.get("WANDB_MODE", "offline")
        if self._mode not in MODES:
            raise UserError(
                f"WANDB_MODE is {self._mode!r}, so W&B would write nothing: set it to offline or "
                "online, or unset it"
            )
        if self._mode == "online" and not wandb.login(prompt=False, verify=False):
            raise UserError("W&B knows no API key: run `wandb login`, or set WANDB_API_KEY")
        self._folder = destination.folder("wandb")
        self._project = destination.project or os.environ.get("WANDB_PROJECT", PROJECT)
        self.place = f"{self._mode} {destination.location or ''} {self._project}"
        # W&B makes a folder of its own, by this name, in the one that it is given.
        self._runs_folder = self._folder / "wandb"
        self.to_see = (
            f"wandb sync {quote(str(self._runs_folder))}/offline-run-*"
            if self._mode == "offline"
            else f"the project {self._project} of W&B"
        )
        known = set(wandb.Settings.model_fields)
        self._settings = wandb.Settings(**{k: v for k, v in QUIET.items() if k in known})
        self._open: dict[str, Any] = {}  # runs of trials under way, by reference

    def holds(self, record: TrialRecord, reference: str) -> bool:
        """Whether its folder is there; nobody asks the server."""
        return self._mode == "online" or any(self._offline_folders(reference))

    def write(self, record: TrialRecord, reference: str, n_known: int) -> None:
        """Add to an open run, or write the run anew."""
        if not n_known or reference not in self._open:
            n_known = 0
            self._begin(record, reference)
        run = self._open[reference]
        points = record.points[n_known:]
        for point in points:
            run.log({"step": point.step, **point.values})
        policy = best_policy(points)
        if policy:
            run.summary["policy"] = policy[:LONGEST_SUMMARY]
            file = Path(run.dir) / "policy.json"
            file.write_text(policy, encoding="utf-8")
            run.save(str(file), base_path=run.dir, policy="end")
        run.summary["state"], run.summary["reason"] = record.state, record.reason
        if record.state != "running":
            self._open.pop(reference).finish(exit_code=1 if self._has_failed(record) else 0)

    def close(self) -> None:
        """End the runs that are open."""
        while self._open:
            self._open.popitem()[1].finish()

    def _begin(self, record: TrialRecord, reference: str) -> None:
        if reference in self._open:
            self._open.pop(reference).finish()
        for old in self._offline_folders(reference):
            shutil.rmtree(old)
        run = wandb.init(
            project=self._project,
            dir=str(self._folder),
            id=reference,
            name=record.name[:LONGEST_NAME],
            group=record.suite[:LONGEST_NAME],
            job_type=record.method[:LONGEST_NAME],
            config={"suite": record.suite, **record.parameters},
            mode="online" if self._mode == "online" else "offline",
            reinit="create_new",  # several at a time
            settings=self._settings,
        )
        run.define_metric("step")
        run.define_metric("*", step_metric="step")
        self._open[reference] = run

    def _offline_folders(self, reference: str) -> list[Path]:
        return list(self._runs_folder.glob(f"offline-run-*-{reference}"))

    @staticmethod
    def _has_failed(record: TrialRecord) -> bool:
        return record.is_over and not record.is_good
