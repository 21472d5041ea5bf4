"""Do one unit of work, a trial or an evaluation, from wherever it stands to its end."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from bench import checkpoint
from bench.attempt import Attempt, Wasted, device_name
from bench.ledger import HarnessPhase, Ledger
from bench.options import read_options
from bench.spec import Budget, EvaluationSpec, TaskSpec, TrialSpec
from bench.store import RunDirectory, UnitDirectory, UnitId, append_line, hold_lock, write_json
from datasets import known_tasks
from datasets.errors import UserError
from datasets.seeds import Seeds, global_seed
from datasets.task import Split, Task, TrainingSettings
from datasets.trunks import TRUNKS
from methods import known_methods
from methods.method import Method, Setup, Trained
from methods.policy import Policy, from_json, to_json
from methods.retraining import retrain
from methods.training import DivergedError, Training, score
from methods.transforms.bank import make_bank

GHOST_SECONDS = 30.0


@dataclass(frozen=True)
class Host:
    """Where a unit is done; none of it is part of what the unit is."""

    data: Path
    device: str = "cpu"
    threads: int = 1
    shared: bool = False  # whether other units use the same GPU
    checkpoint_seconds: float = 10.0  # at least between checkpoints of steps that show nothing


class Job(NamedTuple):
    """What differs between a trial and an evaluation."""

    method: Method
    phase: HarnessPhase  # that its steps are charged to
    budget: Budget


class FinalModel:
    """A training as a method that shows its best model, once, at its end."""

    def __init__(self, training: Training) -> None:
        self.training = training

    def step(self) -> bool:
        """Train one epoch."""
        self.training.step()
        return self.training.done

    def artifact(self) -> Trained | None:
        """The weights of the best epoch, when the last one is over."""
        if not self.training.done:
            return None
        return Trained(self.training.load_best(), self.training.best_valid)

    def learned(self) -> dict[str, Any]:
        """How long the training took, and how far it came."""
        return {
            "best_valid": self.training.best_valid,
            "epochs": self.training.epoch,
            "best_epoch": self.training.best_epoch,
        }

    def state_dict(self) -> dict[str, Any]:
        """The state of the training."""
        return self.training.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.training.load_state_dict(state)


def do_unit(run: RunDirectory, unit: UnitId, host: Host) -> None:
    """Work on a unit until its result is written; where it was interrupted, go on from there.

    Raises a UserError for what the user can mend; the attempt's file records any other error too.
    """
    directory = run.unit(unit)
    torch.set_num_threads(host.threads)
    device = torch.device(host.device)
    busy = f"another process works on {unit}"
    # The ghost of a killed driver's worker may live a moment longer than its driver.
    with hold_lock(directory.path / "lock", busy, wait_seconds=GHOST_SECONDS):
        if directory.result() is not None:
            return
        with Attempt(directory, device=device, shared=host.shared) as attempt:
            _Worker(directory, unit, host, device, attempt).run()


class _Worker:
    """The state of a unit while a process works on it."""

    def __init__(
        self,
        directory: UnitDirectory,
        unit: UnitId,
        host: Host,
        device: torch.device,
        attempt: Attempt,
    ) -> None:
        self.directory, self.host, self.device, self.attempt = directory, host, device, attempt
        self.ledger = Ledger(device)
        with self.ledger.phase("setup"):
            spec = directory.spec()
            make = trial_job if unit.kind == "trials" else evaluation_job
            self.job, self.setup, self.test, self.task = make(
                spec, host.data, device=device, meter=self.ledger
            )
        self.step = 0
        self.n_points = 0
        self.best_valid = -1.0
        self.state = "running"
        self.last_row: dict[str, Any] = {}
        self.weights = ""
        self.wasted = Wasted(0.0, 0)
        self._saved_at = time.monotonic()

    def run(self) -> None:
        self._resume()
        while self.state == "running":
            row = self._advance()
            due = time.monotonic() - self._saved_at > self.host.checkpoint_seconds
            # A checkpoint comes before each line that others read: no cost that a line shows is
            # ever lost, and after a crash the line that is missing stands in the checkpoint.
            if row is not None or due or self.state != "running":
                with self.ledger.phase("store"):
                    checkpoint.save(self.directory.checkpoints, self._state_dict())
                    self._saved_at = time.monotonic()
            if row is not None:
                self._publish(row)
            best_valid = self.job.method.learned().get("best_valid")
            self.attempt.progress(
                self.step, self.job.phase, self.ledger.charged_seconds, best_valid
            )
        self._finish()

    def _advance(self) -> dict[str, Any] | None:
        """One step of the method, and the row of what it shows, if anything is due."""
        try:
            with self.ledger.phase(self.job.phase):
                ended = self.job.method.step()
        except DivergedError as error:
            self.state = f"diverged: {error}"
            return None
        self.step += 1
        artifact = self.job.method.artifact()
        row = None if artifact is None else self._row(artifact)
        if ended:
            self.state = "done"
        elif self._over_budget():
            self.state = "over budget"
        return row

    def _publish(self, row: dict[str, Any]) -> None:
        """Append a row unless it stands there: rows come again from the older checkpoint."""
        if len(self.directory.points()) < row["point"]:
            append_line(self.directory.points_file, row)

    def _over_budget(self) -> bool:
        steps, hours = self.job.budget.steps, self.job.budget.device_hours
        return (steps is not None and self.step >= steps) or (
            hours is not None and self.ledger.charged_seconds >= hours * 3600
        )

    def _row(self, artifact: Policy | Trained) -> dict[str, Any]:
        """Score a model, or write down a policy for others to score."""
        self.n_points += 1
        row: dict[str, Any] = {"point": self.n_points, "step": self.step}
        if isinstance(artifact, Policy):
            record = to_json(artifact, self.setup.bank)
            write_json(self.directory.path / "policies" / f"{artifact.digest}.json", record)
            row |= {"kind": "policy", "policy": artifact.digest}
        else:
            with self.ledger.phase("evaluate"):
                test = score(
                    artifact.model,
                    self.test,
                    metric=self.task.metric,
                    n_classes=self.task.n_classes,
                    seed=self.setup.seeds.integer("score"),
                    meter=self.ledger,
                )
            self._keep_best(artifact)
            row |= {
                "kind": "model",
                "metric": self.task.metric,
                "valid": artifact.valid,
                "test": test,
            }
        self.last_row = row | {
            "learned": self.job.method.learned(),
            "costs": self.ledger.state_dict(),
        }
        return self.last_row

    def _keep_best(self, artifact: Trained) -> None:
        if artifact.valid <= self.best_valid:
            return
        self.best_valid = artifact.valid
        weights = artifact.model.state_dict()
        self.weights = checkpoint.weights_digest(weights)
        with self.ledger.phase("store"):
            draft = self.directory.model_file.with_suffix(".new")
            checkpoint.write(draft, {"weights": weights, "digest": self.weights})
            draft.replace(self.directory.model_file)

    def _state_dict(self) -> dict[str, Any]:
        return {
            "method": self.job.method.state_dict(),
            "costs": self.ledger.state_dict(),
            "step": self.step,
            "n_points": self.n_points,
            "best_valid": self.best_valid,
            "weights": self.weights,
            "state": self.state,
            "last_row": json.dumps(self.last_row),
            "fingerprint": self.task.fingerprint,
        }

    def _resume(self) -> None:
        """Load the newest checkpoint and bring the file of points to where it stands."""
        state = checkpoint.load(self.directory.checkpoints)
        if state is None:
            self.wasted = self.attempt.resumed(0, 0.0)
            return
        if state["fingerprint"] != self.task.fingerprint:
            raise UserError(
                f"the data of task {self.task.name!r} have changed since {self.directory.path} was "
                "begun: put the former data back or choose another run directory"
            )
        self.job.method.load_state_dict(state["method"])
        setup_seconds = self.ledger.costs["setup"].seconds
        self.ledger.load_state_dict(state["costs"])
        self.wasted = self.attempt.resumed(state["step"], self.ledger.seconds)
        self.ledger.costs["setup"].seconds += setup_seconds
        self.step, self.n_points = state["step"], state["n_points"]
        self.best_valid, self.weights = state["best_valid"], state["weights"]
        self.state, self.last_row = state["state"], json.loads(state["last_row"])
        if self.last_row:
            self._publish(self.last_row)

    def _finish(self) -> None:
        write_json(
            self.directory.path / "result.json",
            {
                "state": self.state,
                "steps": self.step,
                "points": self.n_points,
                "costs": self.ledger.state_dict(),
                "wasted": self.wasted._asdict(),
                "weights": self.weights,
                "device": device_name(self.device),
                "shared": self.host.shared,
                "metric": self.task.metric,
                "fingerprint": self.task.fingerprint,
            },
        )


def trial_job(
    record: dict[str, Any], data: Path, *, device: torch.device, meter: Ledger
) -> tuple[Job, Setup, Split, Task]:
    """Build a trial's method on its fold.

    Raises a UserError for data or options that do not fit.
    """
    spec = TrialSpec.from_json(record)
    setup, test, task = make_setup(
        spec.task, spec.fold, spec.seed, data, device=device, meter=meter
    )
    row = known_methods()[spec.method]
    options: Any = read_options(row.options, spec.options, f"method {spec.method!r}")
    return Job(row.build(setup, options), "search", spec.budget), setup, test, task


def evaluation_job(
    record: dict[str, Any], data: Path, *, device: torch.device, meter: Ledger
) -> tuple[Job, Setup, Split, Task]:
    """Build the retraining under a policy.

    Raises a UserError for data or a policy that do not fit.
    """
    spec = EvaluationSpec.from_json(record)
    setup, test, task = make_setup(
        spec.task, spec.fold, spec.seed, data, device=device, meter=meter
    )
    policy = from_json(spec.policy, setup.bank)
    return Job(FinalModel(retrain(setup, policy)), "retrain", Budget()), setup, test, task


def make_setup(
    spec: TaskSpec, fold: int, seed: int, data: Path, *, device: torch.device, meter: Ledger
) -> tuple[Setup, Split, Task]:
    """What a method is built from, and apart from it the test split."""
    task = load_task(spec, data)
    if fold >= task.n_folds:
        raise UserError(f"task {task.name!r} has {task.n_folds} folds; the suite asks for {fold}")
    views, test = task.fold(fold)
    seeds = Seeds((seed, spec.task, fold))
    setup = Setup(
        views=views.to(device),
        signal=task.signal,
        n_classes=task.n_classes,
        metric=task.metric,
        trunk=partial(_new_trunk, task, seeds.integer("trunk"), device),
        bank=make_bank(task.transforms, task.signal),
        training=task.training,
        seeds=seeds,
        meter=meter,
        device=device,
    )
    return setup, test.to(device), task


def load_task(spec: TaskSpec, data: Path) -> Task:
    """Build a task with the changes that the suite asks for; two are kept for the next calls."""
    return _load_task(json.dumps(asdict(spec), sort_keys=True), data)


@lru_cache(maxsize=2)
def _load_task(text: str, data: Path) -> Task:
    record = json.loads(text)
    row = known_tasks()[record["task"]]
    options: Any = read_options(row.options, record["options"], f"task {record['task']!r}")
    task: Task = row.build(options, data, record["data_seed"])
    changes: dict[str, Any] = {}
    if record["trunk"] is not None:
        changes["trunk"] = record["trunk"]
    if record["transforms"] is not None:
        changes["transforms"] = tuple(record["transforms"])
    settings = asdict(task.training) | record["training"]
    changes["training"] = read_options(TrainingSettings, settings, f"training of {task.name!r}")
    return replace(task, **changes)


def _new_trunk(task: Task, seed: int, device: torch.device) -> nn.Module:
    """The trunk at its initial weights, drawn on the CPU so that every device starts alike."""
    make: Callable[..., nn.Module] = TRUNKS[task.trunk]
    with global_seed(seed):
        return make(task.signal, task.n_classes).to(device)
