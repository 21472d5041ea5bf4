"""Do one unit of work, a trial or an evaluation, from wherever it stands to its end."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench import checkpoint
from bench.attempt import Attempt, Wasted, device_name
from bench.fault import Fault
from bench.job import check_data, evaluation_job, trial_job, warm_up
from bench.ledger import Ledger
from bench.store import RunDirectory, UnitDirectory, UnitId, append_line, hold_lock, write_json
from methods.method import Trained
from methods.policy import Policy, masses, to_json
from methods.training import DivergedError, score

GHOST_SECONDS = 30.0


@dataclass(frozen=True)
class Host:
    """Where a unit is done; none of it is part of what the unit is."""

    data: Path
    device: str = "cpu"
    threads: int = 1
    shared: bool = False  # whether other units use the same GPU
    score_test: bool = True  # False in a search, which is not to see that split
    checkpoint_seconds: float = 10.0  # at least between checkpoints of steps that show nothing


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
            fault = Fault(directory, len(directory.attempts()))
            _Worker(directory, unit, host, device, attempt, run.halt_file, fault).run()


class _Worker:
    """The state of a unit while a process works on it."""

    def __init__(
        self,
        directory: UnitDirectory,
        unit: UnitId,
        host: Host,
        device: torch.device,
        attempt: Attempt,
        halt_file: Path,
        fault: Fault,
    ) -> None:
        self.halt_file, self.fault = halt_file, fault
        self.directory, self.host, self.device, self.attempt = directory, host, device, attempt
        self.ledger = Ledger(device)
        with self.ledger.phase("setup"):
            spec = directory.spec()
            make = trial_job if unit.kind == "trials" else evaluation_job
            self.job = make(spec, host.data, device=device, meter=self.ledger)
            warm_up(self.job.setup)
        self.rung = directory.rung()
        self.step = 0
        self.n_points = 0
        self.n_published = len(directory.points())
        self.best_valid = -1.0
        self.state = "running"
        self.last_row: dict[str, Any] = {}
        self.weights = ""
        self.wasted = Wasted(0.0, 0)
        self._saved_at = time.monotonic()

    def run(self) -> None:
        self._resume()
        pauses = self._pauses()
        while self.state == "running" and not pauses:
            row = self._advance()
            due = time.monotonic() - self._saved_at > self.host.checkpoint_seconds
            # A checkpoint comes before each line that others read: no cost that a line shows is
            # ever lost, and after a crash the line that is missing stands in the checkpoint.
            pauses = self._pauses()
            if row is not None or due or self.state != "running" or pauses:
                with self.ledger.phase("store"):
                    checkpoint.save(self.directory.checkpoints, self._state_dict())
                    if row is not None:
                        self._publish(row)
                self._saved_at = time.monotonic()
            best_valid = self.job.method.learned().get("best_valid")
            self.attempt.progress(
                self.step, self.job.phase, self.ledger.charged_seconds, best_valid
            )
        if self.state != "running":
            self._finish()

    def _pauses(self) -> bool:
        """Whether the unit pauses here: no end, and nothing of what it is or comes to changes."""
        at_rung = self.rung is not None and self.step >= self.rung
        return at_rung or self.halt_file.exists()

    def _advance(self) -> dict[str, Any] | None:
        """One step of the method, and the row of what it shows, if anything is due."""
        try:
            with self.ledger.phase(self.job.phase):
                ended = self.job.method.step()
            self.fault.after(self.step + 1)
        except DivergedError as error:
            self.state = f"diverged: {error}"
            return None
        self.step += 1
        if ended:
            self.state = "done"
        elif self._over_budget():
            self.state = "over budget"
        artifact = self.job.method.artifact(last=self.state != "running")
        return None if artifact is None else self._row(artifact)

    def _publish(self, row: dict[str, Any]) -> None:
        """Append a row unless it stands there: rows come again from the older checkpoint."""
        if self.n_published < row["point"]:
            append_line(self.directory.points_file, row)
            self.n_published = row["point"]

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
            record = to_json(artifact, self.job.setup.bank)
            write_json(self.directory.path / "policies" / f"{artifact.digest}.json", record)
            row |= {"kind": "policy", "policy": artifact.digest, "masses": masses(artifact)}
        else:
            row |= {"kind": "model", "metric": self.job.task.metric, "valid": artifact.valid}
            if self.host.score_test:
                row["test"] = self._test(artifact.model)
            self._keep_best(artifact)
        self.last_row = row | {
            "learned": self.job.method.learned(),
            "costs": self.ledger.state_dict(),
        }
        return self.last_row

    def _test(self, model: nn.Module) -> float:
        with self.ledger.phase("evaluate"):
            return score(
                model,
                self.job.test,
                metric=self.job.task.metric,
                n_classes=self.job.task.n_classes,
                seed=self.job.setup.seeds.integer("score"),
                meter=self.ledger,
            )

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
            "fingerprint": self.job.task.fingerprint,
        }

    def _resume(self) -> None:
        """Load the newest checkpoint and bring the file of points to where it stands."""
        state = checkpoint.load(self.directory.checkpoints)
        fingerprint = self.job.task.fingerprint
        if state is None:
            self.wasted = self.attempt.resumed(0, 0.0, fingerprint)
            return
        check_data(self.job.task, state["fingerprint"], self.directory.path)
        self.job.method.load_state_dict(state["method"])
        setup_seconds = self.ledger.costs["setup"].seconds
        self.ledger.load_state_dict(state["costs"])
        self.wasted = self.attempt.resumed(state["step"], self.ledger.seconds, fingerprint)
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
                "metric": self.job.task.metric,
                "fingerprint": self.job.task.fingerprint,
            },
        )
