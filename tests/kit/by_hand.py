"""A run directory made by hand, whose costs can be worked out, as `from by_hand import ...`."""

from pathlib import Path
from typing import Any

from augbench.bench.plan.spec import EvaluationSpec
from augbench.bench.store.files import append_line, write_json
from augbench.bench.store.phases import PHASES
from augbench.bench.store.points import open_run
from augbench.bench.store.run_directory import SCHEMA, RunDirectory

SUITE = {
    "name": "hand",
    "folds": 1,
    "tasks": {"digits": {}},
    "methods": {"random_policy": {"n_policies": 3}},
}
POLICIES = ("first", "second", "first")  # the third artifact is the first policy again
SEARCH_SECONDS = (10.0, 20.0, 30.0)
LEARNED = {"transform": "t", "weight": 1.0, "magnitude": 0.5, "value": 2.5, "unit": "hertz"}
RETRAIN_SECONDS = {"first": 100.0, "second": 200.0}


def costs(phase: str, seconds: float) -> dict[str, dict[str, Any]]:
    """Costs in one phase; 7 samples forward and 3 backward a second, evaluation beside it."""
    nothing = {"seconds": 0.0, "steps": 0, "forward": 0, "backward": 0}
    made: dict[str, dict[str, Any]] = {name: dict(nothing) for name in PHASES}
    made[phase] |= {"seconds": seconds, "forward": int(7 * seconds), "backward": int(3 * seconds)}
    made["evaluate"] |= {"seconds": 1e6, "forward": 10**9}
    return made


def made_by_hand(path: Path) -> RunDirectory:
    """A trial of three points that share two evaluations, of which none is done."""
    write_json(path / "run.json", {"schema": SCHEMA, "name": "hand", "suite": SUITE})
    run, suite = open_run(path)
    spec = suite.plan[0].spec
    directory = run.add_unit(spec.unit, spec.to_json())
    attempt = directory.begin_attempt()
    append_line(
        attempt.log_file,
        {"event": "start", "time": 0.0, "device": "cpu", "shared": False},
    )
    directory.policies.mkdir()
    for name in set(POLICIES):
        write_json(directory.policies / f"{name}.json", {"policy": name})
    for number, (name, seconds) in enumerate(zip(POLICIES, SEARCH_SECONDS, strict=True), 1):
        append_line(
            attempt.points_file,
            {
                "point": number,
                "step": number,
                "kind": "policy",
                "policy": name,
                "costs": costs("search", seconds),
                "learned": {"loss": 0.5, "layers": [[LEARNED], [LEARNED, LEARNED]]}
                if number == 2
                else {},
            },
        )
    write_json(directory.path / "result.json", {"state": "done"})
    return run


def finish(run: RunDirectory, name: str, state: str = "done") -> None:
    """Put the result of a policy's evaluation into the run."""
    _, suite = open_run(run.path)
    spec = suite.plan[0].spec
    evaluation = EvaluationSpec(spec.task, {"policy": name}, spec.fold, spec.seed)
    directory = run.add_unit(evaluation.unit, evaluation.to_json())
    paid = costs("retrain", RETRAIN_SECONDS[name])
    if state == "done":
        row = {"point": 1, "metric": "accuracy", "valid": 0.5, "test": 0.4, "costs": paid}
        append_line(directory.begin_attempt().points_file, row)
    write_json(directory.path / "result.json", {"state": state, "costs": paid})
