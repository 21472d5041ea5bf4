"""A unit while a process works on it: its steps, rows, checkpoints and result."""

import json
import time
from typing import Any

import torch

from augbench.bench.plan.spec import Kind, UnitId
from augbench.bench.store import checkpoint
from augbench.bench.store.attempt import Attempt, Wasted
from augbench.bench.store.files import (
    DamagedError,
    append_lines,
    write_json_once,
)
from augbench.bench.store.provenance import device_name
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from augbench.bench.unit.best_model import BestModel, holds
from augbench.bench.unit.fault import Fault
from augbench.bench.unit.host import Host
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
from augbench.bench.unit.scores import predict_test, test_score, write_policy
from augbench.bench.unit.shared_samplings import SharedSamplings
from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import Trained
from augbench.methods.training.sampling import Proposal, Reached, Samples
from augbench.methods.training.training import DivergedError


class Worker:
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
            warm_up(self.job.setup, for_plugins=bool(run.plugins()))
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
        done = None
        if self.shared is not None:
            with self.ledger.phase(self.job.phase):  # it may make proposals
                done = self.shared.done()
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
        assert self.shared is not None
        self.ledger.add(result["costs"])
        self.shared.take(proposal.number)
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
            row |= write_policy(artifact, self.job.setup.bank, self.directory)
        else:
            row |= {"kind": "model", "metric": self.job.task.metric, "valid": artifact.valid}
            predictions = None
            if self.host.score_test:
                with self.ledger.phase("evaluate"):
                    predictions = predict_test(self.job, artifact.model, self.ledger)
                    row["test"] = test_score(self.job, predictions)
            with self.ledger.phase("store"):
                self.best.keep(artifact, predictions)
        return row | {
            "learned": self.job.method.learned(),
            "costs": self.ledger.total(),
        }

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
            "taken": self.shared.taken if self.shared is not None else [],
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
        self.state, self.rows = state["state"], _unpublished(state)
        if self.shared is not None:
            with self.ledger.phase(self.job.phase):  # it may make proposals
                self.shared.restore(state.get("taken"))
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
        if self.n_published < loaded.state["n_points"] - len(_unpublished(loaded.state)):
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
        if self.shared is not None and self.shared.others_worked:
            record["taken"] = self.shared.taken
        if isinstance(self.job.method, Alone):
            record["reached"] = self.job.method.sampling.reached()._asdict()
        self.attempt.check_lease()
        draft = self.attempt.directory.draft_file
        if not write_json_once(self.directory.result_file, sealed(record), draft):
            raise self.attempt.superseded()


def _unpublished(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows since the checkpoint before; an older one holds the last row, published or not."""
    if "rows" in state:
        rows: list[dict[str, Any]] = json.loads(state["rows"])
        return rows
    last = json.loads(state["last_row"])
    return [last] if last else []
