"""A run directory made by hand, whose costs can be worked out, as `from by_hand import ...`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augbench.bench.plan.spec import EvaluationSpec, TrialSpec, record_digest
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.files import append_line, write_json
from augbench.bench.store.open_run import open_run
from augbench.bench.store.phases import PHASES
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from augbench.bench.store.samplings import ask_for, samplings
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from augbench.methods.policies.policy import Policy, Subpolicy, digest_in
from augbench.methods.policies.policy_json import to_json
from augbench.methods.policies.slot import Slot
from augbench.methods.training.sampling import Proposal

SUITE = {
    "name": "hand",
    "folds": 1,
    "tasks": {"digits": {}},
    "methods": {"random_policy": {"n_policies": 3}},
}
POLICIES = {
    "first": to_json(Policy((Subpolicy((), weight=1.0),)), {}),
    "second": to_json(Policy((Subpolicy((), weight=2.0),)), {}),
}
SHOWN = ("first", "second", "first")  # the third artifact is the first policy again
SEARCH_SECONDS = (10.0, 20.0, 30.0)
RETRAIN_SECONDS = {"first": 100.0, "second": 200.0}
BUSY = 0.75  # CPU seconds a second
BATCH = [Proposal(number, (Slot("shift", 0.5, 0.1 * number),)) for number in range(3)]
LEARNED = {"transform": "t", "weight": 1.0, "magnitude": 0.5, "value": 2.5, "unit": "hertz"}
START = {"event": "start", "time": 0.0, "device": "cpu", "shared": False}
START |= {"threads": 1, "host": "here", "process": 1}


def costs(**seconds: float) -> dict[str, dict[str, Any]]:
    """Costs by phase; 7 samples forward and 3 backward a second, none of these in validation.

    Beside them stands an evaluation that took a million seconds.
    """
    nothing = {"seconds": 0.0, "cpu_seconds": 0.0, "steps": 0, "forward": 0, "backward": 0}
    made: dict[str, dict[str, Any]] = {name: dict(nothing) for name in PHASES}
    for phase, value in {"evaluate": 1e6, **seconds}.items():
        made[phase] |= {"seconds": value, "cpu_seconds": BUSY * value, "forward": int(7 * value)}
        learns = phase not in ("validate", "evaluate")
        made[phase] |= {"backward": int(3 * value) if learns else 0}
    return made


def model_row(point: int, **changes: Any) -> dict[str, Any]:
    """A line of points.jsonl for a model."""
    row = {"point": point, "step": point, "kind": "model", "metric": "accuracy"}
    return {**row, "valid": 0.5, "test": 0.4, "learned": {}, "costs": costs()} | changes


def policy_row(
    unit: UnitDirectory, point: int, record: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    """A line of points.jsonl for a policy, whose file is written."""
    unit.policies.mkdir(exist_ok=True)
    digest = digest_in(record)
    write_json(unit.policies / f"{digest}.json", record)
    row = {"point": point, "step": point, "kind": "policy", "policy": digest, "shares": {}}
    row["policy_record"] = record_digest(record)
    return {**row, "learned": {}, "costs": costs()} | changes


def begin(unit: UnitDirectory, *rows: dict[str, Any]) -> AttemptDirectory:
    """An attempt that has published some rows."""
    attempt = unit.begin_attempt()
    append_line(attempt.log_file, START)
    for row in rows:
        append_line(attempt.points_file, row)
    return attempt


def end(unit: UnitDirectory, state: str = "done", **changes: Any) -> None:
    """The result of a unit, after its last attempt."""
    if not unit.attempts():
        begin(unit)
    n_points = len(unit.points())
    record = {
        "state": state,
        "attempt": unit.attempts()[-1].number,
        "steps": n_points,
        "points": n_points,
        "points_digest": unit.points_digest(n_points),
        "costs": costs(),
        "wasted": {"seconds": 0.0, "attempts": 0},
        "weights": "",
        "model_digest": "",
        "device": "cpu",
        "shared": False,
        "metric": "accuracy",
        "fingerprint": "f",
    }
    write_json(unit.result_file, sealed(record | changes))


def made_by_hand(path: Path) -> RunDirectory:
    """A trial of three points that share two evaluations, neither of which is done."""
    write_json(path / "run.json", {"schema": SCHEMA, "name": "hand", "suite": SUITE})
    run, suite = open_run(path)
    spec = suite.plan[0].spec
    directory = run.add_unit(spec.unit, spec.to_json())
    layers = {"loss": 0.5, "layers": [[LEARNED], [LEARNED, LEARNED]]}
    begin(
        directory,
        *(
            policy_row(
                directory,
                number,
                POLICIES[name],
                costs=costs(search=0.8 * seconds, validate=0.2 * seconds),
                learned=layers if number == 2 else {},
            )
            for number, (name, seconds) in enumerate(zip(SHOWN, SEARCH_SECONDS, strict=True), 1)
        ),
    )
    end(directory)
    return run


def evaluation_of(run: RunDirectory, name: str) -> UnitDirectory:
    """The unit that evaluates a policy."""
    spec = open_run(run.path)[1].plan[0].spec
    evaluation = EvaluationSpec(spec.task, POLICIES[name], spec.fold, spec.seed)
    return run.add_unit(evaluation.unit, evaluation.to_json())


def finish(run: RunDirectory, name: str, state: str = "done") -> None:
    """Put the result of a policy's evaluation into the run."""
    unit = evaluation_of(run, name)
    paid = costs(retrain=0.9 * RETRAIN_SECONDS[name], validate=0.1 * RETRAIN_SECONDS[name])
    begin(unit, *([model_row(1, costs=paid)] if state == "done" else []))
    end(unit, state, costs=paid)


def search_run(path: Path, *, fold: int = 0, done: Sequence[int] = (), value: float = 0.5) -> Path:
    """A search that waits for three samplings, some of which are done."""
    path.mkdir()
    method = {"n_samplings": 3, "parallel": 3}
    tables = {"name": "s", "folds": [fold], "tasks": {"digits": {}}}
    suite = {**tables, "methods": {"autoaugment": method}}
    write_json(path / "run.json", {"schema": SCHEMA, "name": "s", "suite": suite})
    run, (planned,) = opened(path)
    trial = run.add_unit(planned.unit, planned.to_json())
    begin(trial)
    ask_for(trial, BATCH)
    for each in samplings(run, planned):
        if each.proposal["number"] in done:
            reached = {"value": value, "n_epochs": 1, "diverged": False}
            end(run.add_unit(each.unit, each.to_json()), reached=reached)
    return path


def opened(path: Path) -> tuple[RunDirectory, list[TrialSpec]]:
    """A run directory, and the trials that it plans."""
    run, suite = open_run(path)
    return run, [planned.spec for planned in suite.plan]
