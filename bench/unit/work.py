"""Do one unit of work (a trial, a retraining, a sampling) from its last checkpoint to its end."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from augbench.bench.plan.spec import Kind, UnitId, record_digest
from augbench.bench.store import checkpoint
from augbench.bench.store.attempt import Attempt, Wasted
from augbench.bench.store.attempt_log import has_stopped, start_event
from augbench.bench.store.files import (
    BusyError,
    DamagedError,
    append_lines,
    hold_lock,
    write_json,
    write_json_once,
)
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.predictions import Predictions
from augbench.bench.store.provenance import device_name
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from augbench.bench.unit.best_model import BestModel, holds
from augbench.bench.unit.fault import Fault
from augbench.bench.unit.job import (
    Alone,
    Job,
    check_data,
    evaluation_job,
    sampling_job,
    trial_job,
    warm_up,
)
from augbench.bench.unit.pace import Pace
from augbench.bench.unit.shared_samplings import SharedSamplings
from augbench.datasets.plugins import pinned
from augbench.methods.policies.policy import Policy, operation_shares
from augbench.methods.policies.policy_json import to_json
from augbench.methods.training.method import Trained
from augbench.methods.training.sampling import Proposal, Reached, Samples
from augbench.methods.training.training import DivergedError, predict, score_predictions

GHOST_SECONDS = 30.0  # how long to wait for a process that may still work on the unit


@dataclass(frozen=True)
class Host:
    """Where and how a unit is done; nothing of it is part of what the unit is."""

    data: Path
    device: str = "cpu"
    threads: int = 1
    shared: bool = False  # whether other units use the same GPU
    score_test: bool = True  # False in a search, which must not see that split
    checkpoint_seconds: float = 10.0  # at most, between checkpoints: see `Pace`
    hands_out: bool = False  # whether other workers can do samplings of a trial


def do_unit(run: RunDirectory, unit: UnitId, host: Host) -> None:
    """Work on a unit until its result is written; if it was interrupted, go on from there.

    Raises a UserError for what the user can mend, and a SupersededError if another process has
    taken over the unit. The attempt's log records any other error too.
    """
    directory = run.unit(unit)
    torch.set_num_threads(host.threads)
    device = torch.device(host.device)
    busy = f"another process works on {unit}"
    # The worker of a killed driver may live a moment longer than its driver.
    with hold_lock(directory.path / "lock", busy, wait_seconds=GHOST_SECONDS):
        if directory.check() is not None:
            directory.points()  # raises a DamagedError if one is lost
            return
        attempts = directory.attempts()
        if attempts and not has_stopped(attempts[-1], GHOST_SECONDS):
            who = start_event(attempts[-1])
            raise BusyError(f"{busy} (process {who['process']} on {who['host']} is alive)")
        plugins, ledger = run.plugins(), Ledger(device)
        with (
            pinned(plugins),
            Attempt(
                directory, ledger, device=device, shared=host.shared, plugins=plugins
            ) as attempt,
        ):
            if directory.result() is None:  # an older process may have finished after all
                fault = Fault(attempt.directory)
                _Worker(directory, unit, host, device, attempt, run, fault).run()


class _Worker:
    """The state of a unit while a process works on it."""

    def __init__(
        self,
        directory: UnitDirectory,
        unit: UnitId,
        host: Host,
        device: torch.device,
        attempt: Attempt,
        run: RunDirectory,
        fault: Fault,
    ) -> None:
        self.run_directory, self.fault = run, fault
        self.directory, self.host, self.device, self.attempt = directory, host, device, attempt
        self.ledger = attempt.ledger
        with self.ledger.phase("setup"):
            spec = directory.spec()
            self.job = self._make_job(unit.kind, spec)
            warm_up(self.job.setup)
        self.rung = directory.rung()
        self.shared: SharedSamplings | None = None
        if unit.kind == "trials" and isinstance(self.job.method, Samples):
            hands_out = host.hands_out and self.rung is None
            self.shared = SharedSamplings(
                run, spec, self.job.method, self.job.budget, hands_out=hands_out
            )
        self.step = 0
        self.n_points = 0
        self.n_published = max((row["point"] for row in directory.points()), default=0)
        self.best = BestModel(attempt.directory)
        self.state = "running"
        self.rows: list[dict[str, Any]] = []  # since the last checkpoint
        self.wasted = Wasted(0.0, 0)
        self.pace = Pace(host.checkpoint_seconds)
        self._has_saved = False
        self._saved_seconds = 0.0

    def _make_job(self, kind: Kind, spec: dict[str, Any]) -> Job:
        data, device, meter = self.host.data, self.device, self.ledger
        if kind == "samplings":
            return sampling_job(spec, self.run_directory, data, device=device, meter=meter)
        make = trial_job if kind == "trials" else evaluation_job
        return make(spec, data, device=device, meter=meter)

    def run(self) -> None:
        self._resume()
        asks = self._asks()
        if asks:
            with self.ledger.phase("store"):
                self._save()  # samplings go on from it
        pauses = self._pauses() or asks
        while self.state == "running" and not pauses:
            self._advance()
            self._make_row()
            best_valid = self.job.method.learned().get("best_valid")
            self.attempt.progress(self.step, self.job.phase, best_valid)
            asks = self.state == "running" and self._asks()
            pauses = self._pauses() or asks
            if self.pace.due() or self.state != "running" or pauses:
                began = time.perf_counter()
                with self.ledger.phase("store"):
                    self.attempt.check_lease()
                    # A checkpoint comes before the lines that others read: so no cost in a line is
                    # ever lost, and after a crash the checkpoint holds the lines that are missing.
                    self._save()
                    self._publish()
                self.pace.saved(began)
        if pauses and self.state == "running" and self._has_saved:
            self.attempt.pauses(self._saved_seconds)
        if self.state != "running":
            self._finish()
        elif asks and self.shared is not None:
            with self.ledger.phase("store"):
                self.shared.ask()

    def _asks(self) -> bool:
        """Whether the unit pauses here until others have done a batch of its samplings."""
        if self.shared is None:
            return False
        with self.ledger.phase(self.job.phase):  # it makes proposals
            return self.shared.asks()

    def _pauses(self) -> bool:
        """Whether the unit pauses here; its results do not depend on that."""
        at_rung = self.rung is not None and self.step >= self.rung
        return at_rung or self.run_directory.halt_file.exists()

    def _advance(self) -> None:
        """One step of the method, or a sampling that another worker has done."""
        done = None if self.shared is None else self.shared.done()
        if done is not None:
            self._take_over(*done)
            return
        try:
            with self.ledger.phase(self.job.phase):
                ended = self.job.method.step()
            self.fault.after(self.step + 1)
        except DivergedError as error:
            self.state = f"diverged: {error}"
            return
        self.step += 1
        self._end_if(ended)

    def _take_over(self, proposal: Proposal, result: dict[str, Any]) -> None:
        """Tell the method what a sampling has reached, and charge what it has cost."""
        assert isinstance(self.job.method, Samples)
        self.ledger.add(result["costs"])
        self.step += result["steps"]
        self._end_if(self.job.method.tell(proposal, Reached(**result["reached"])))

    def _end_if(self, ended: bool) -> None:
        if ended:
            self.state = "done"
        elif self._over_budget():
            self.state = "over budget"

    def _make_row(self) -> None:
        """Add the row for what the method shows now, if it shows something."""
        if self.state.startswith("diverged"):
            return
        artifact = self.job.method.artifact(last=self.state != "running")
        if artifact is not None:
            self.rows.append(self._row(artifact))

    def _publish(self) -> None:
        """Append the rows, but those that an attempt published which did the same steps before."""
        new = [row for row in self.rows if row["point"] > self.n_published]
        if new:
            append_lines(self.attempt.directory.points_file, new)
            self.n_published = new[-1]["point"]
        self.rows = []

    def _over_budget(self) -> bool:
        steps, hours = self.job.budget.steps, self.job.budget.device_hours
        return (steps is not None and self.step >= steps) or (
            hours is not None and self.ledger.charged_seconds >= hours * 3600
        )

    def _row(self, artifact: Policy | Trained) -> dict[str, Any]:
        """Score a model, or write a policy that a retraining will score."""
        self.n_points += 1
        row: dict[str, Any] = {"point": self.n_points, "step": self.step}
        if isinstance(artifact, Policy):
            record = to_json(artifact, self.job.setup.bank)
            self.directory.policies.mkdir(exist_ok=True)
            write_json(self.directory.policies / f"{artifact.digest}.json", record)
            row |= {
                "kind": "policy",
                "policy": artifact.digest,
                "policy_record": record_digest(record),
                "shares": operation_shares(artifact),
            }
        else:
            row |= {"kind": "model", "metric": self.job.task.metric, "valid": artifact.valid}
            predictions = self._predict(artifact.model) if self.host.score_test else None
            if predictions is not None:
                row["test"] = self._score(predictions)
            with self.ledger.phase("store"):
                self.best.keep(artifact, predictions)
        return row | {
            "learned": self.job.method.learned(),
            "costs": self.ledger.total(),
        }

    def _predict(self, model: nn.Module) -> Predictions:
        """What a model says of the test split."""
        with self.ledger.phase("evaluate"):
            seed = self.job.setup.seeds.integer("score")
            logits = predict(model, self.job.test.x, seed=seed, meter=self.ledger).cpu()
            y = self.job.test.y.cpu()
            probabilities = logits.double().softmax(1)
            names_of = self.job.task.test_groups
            return Predictions(
                self.job.task.class_names,
                y.numpy(),
                logits.argmax(1).numpy(),
                probabilities.numpy(),
                None if names_of is None else names_of(self.job.fold),
            )

    def _score(self, predictions: Predictions) -> float:
        predicted, y = torch.from_numpy(predictions.predicted), torch.from_numpy(predictions.y)
        task = self.job.task
        return score_predictions(predicted, y, metric=task.metric, n_classes=task.n_classes)

    def _save(self) -> None:
        self.best.write()
        state = self._state_dict()
        self._saved_seconds = self.ledger.seconds
        self.attempt.beat()  # after the state: no ledger may hold more time than the pulse shows
        checkpoint.save(self.attempt.directory.path, state)
        self.best.settle()
        if not self._has_saved:
            self._has_saved = True
            self.attempt.check_lease()  # a newer attempt may be reading these files
            for attempt in self.attempt.earlier:
                attempt.drop_tensors()

    def _state_dict(self) -> dict[str, Any]:
        return {
            "method": self.job.method.state_dict(),
            "costs": self.ledger.state_dict(),
            "elsewhere": self.ledger.elsewhere_state(),
            "step": self.step,
            "n_points": self.n_points,
            **self.best.state_dict(),
            "state": self.state,
            "rows": json.dumps(self.rows),
            "fingerprint": self.job.task.fingerprint,
        }

    def _resume(self) -> None:
        """Load the newest checkpoint of earlier attempts, and publish rows that it alone holds."""
        fingerprint = self.job.task.fingerprint
        loaded = self._load()
        if loaded is None:
            self.n_published = 0  # all rows come again, with the costs of this attempt
            self.wasted = self.attempt.resumed(0, 0.0, fingerprint)
            return
        state = loaded.state
        check_data(self.job.task, state["fingerprint"], self.directory.path)
        self.job.method.load_state_dict(state["method"])
        setup = self.ledger.costs["setup"]
        self.ledger.load_state_dict(state["costs"])
        self.ledger.add(state.get("elsewhere", {}))  # older checkpoints have none
        self.wasted = self.attempt.resumed(state["step"], self.ledger.seconds, fingerprint)
        self.ledger.costs["setup"].seconds += setup.seconds
        self.ledger.costs["setup"].cpu_seconds += setup.cpu_seconds
        self.step, self.n_points = state["step"], state["n_points"]
        self.state, self.rows = state["state"], json.loads(state["rows"])
        with self.ledger.phase("store"):
            self.best.load_state_dict(state, loaded.folder)
            self._publish()

    def _load(self) -> checkpoint.Loaded | None:
        """The newest checkpoint; None if there is none, or what came before it is lost."""
        newest_first = reversed(self.attempt.earlier)
        try:
            loaded = checkpoint.load(attempt.path for attempt in newest_first)
        except DamagedError:
            return None  # what all attempts have done is wasted
        if loaded is None:
            return None
        rows = json.loads(loaded.state["rows"])
        if self.n_published < loaded.state["n_points"] - len(rows):
            return None
        return loaded if holds(loaded.folder, loaded.state) else None

    def _finish(self) -> None:
        record = {
            "state": self.state,
            "attempt": self.attempt.directory.number,
            "steps": self.step,
            "points": self.n_points,
            "points_digest": self.directory.points_digest(self.n_points),
            "costs": self.ledger.total(),
            "wasted": self.wasted._asdict(),
            **self.best.digests(),
            "device": device_name(self.device),
            "shared": self.host.shared,
            "metric": self.job.task.metric,
            "fingerprint": self.job.task.fingerprint,
            "n_examples": {
                "seen": self.job.setup.views.n_examples,
                "test": len(self.job.test.y) if self.host.score_test else 0,
            },
        }
        if self.ledger.elsewhere:
            record["elsewhere"] = self.ledger.elsewhere_state()
        if isinstance(self.job.method, Alone):
            record["reached"] = self.job.method.sampling.reached()._asdict()
        self.attempt.check_lease()
        draft = self.attempt.directory.draft_file
        if not write_json_once(self.directory.result_file, sealed(record), draft):
            raise self.attempt.superseded()
