"""What a sink is told of a trial: names, options, scores with costs, what was learned, its end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import inf, isfinite
from typing import Any, NamedTuple

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.sinks.names import metric_name
from augbench.bench.store.attempt_log import start_event
from augbench.bench.store.files import DamagedError
from augbench.bench.store.points import scored_points
from augbench.bench.store.records import Row
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials
from augbench.bench.store.unit_directory import UnitDirectory

OVER = ("done", "over budget", "diverged", "failed", "damaged")  # states that stay as they are
GOOD = ("done", "over budget")
# The numbers that every point has beside its scores, by their columns in `read_points`.
COSTS = {
    "device_hours": "hours_paper",
    "device_hours_full": "hours_full",
    "samples_forward": "forward_paper",
    "samples_backward": "backward_paper",
    "samples_forward_full": "forward_full",
    "samples_backward_full": "backward_full",
}
Parameter = str | int | float | bool


class Point(NamedTuple):
    """A scored artifact of a trial."""

    step: int
    seconds: float  # since the trial began, of the device and charged
    values: dict[str, float]  # finite numbers, by the name of the metric
    policy: str | None  # the policy's record as JSON, if it is the best so far by validation


class TrialRecord(NamedTuple):
    """A trial as far as it has come."""

    trial: str  # the digest of its spec
    suite: str
    task: str
    method: str
    fold: int
    seed: int
    parameters: dict[str, Parameter]
    began: float  # seconds since 1970
    points: list[Point]
    state: str
    reason: str

    @property
    def name(self) -> str:
        return f"{self.task} · {self.method} · fold {self.fold} · seed {self.seed}"

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_good(self) -> bool:
        return self.state in GOOD

    @property
    def status(self) -> str:
        """The state, with the reason if there is one."""
        return f"{self.state}: {self.reason}" if self.reason else self.state


def read_record(run: RunDirectory, planned: PlannedTrial, suite: str) -> TrialRecord | None:
    """A trial as it is now; None if it has not begun, or is skipped.

    A damaged trial has no points.
    """
    directory = run.unit(planned.spec.unit)
    # The state first: what it says is over has all its points by now.
    (trial,) = read_trials(run, [planned])
    state = trial["state"]
    began = _began(directory)
    if state == "skipped" or (began is None and state == "waiting"):
        return None
    try:
        points = [] if state == "damaged" else _points(run, planned, directory)
    except DamagedError as error:
        state, points = "damaged", []
        trial["reason"] = str(error)
    return TrialRecord(
        trial["trial"],
        suite,
        planned.task,
        planned.method,
        trial["fold"],
        trial["seed"],
        _parameters(planned),
        began or 0.0,
        points,
        state,
        trial["reason"],
    )


def _began(directory: UnitDirectory) -> float | None:
    """When the first attempt began; None if none has."""
    try:
        starts = map(start_event, directory.attempts())
        return next((float(start["time"]) for start in starts if start), None)
    except DamagedError:
        return None


def _points(run: RunDirectory, planned: PlannedTrial, directory: UnitDirectory) -> list[Point]:
    rows = {row["point"]: row for row in directory.points()}
    best = -inf
    points = []
    for scored in scored_points(run, planned, list(rows.values())):
        row = rows[scored["point"]]
        policy = None
        if row["kind"] == "policy" and scored["valid"] > best:
            policy = json.dumps(directory.policy(row), indent=1)
        best = max(best, scored["valid"])
        values = {"valid": scored["valid"], "test": scored["test"]}
        values |= {name: scored[column] for name, column in COSTS.items()}
        values |= dict(_learned(row["learned"]))
        finite = {name: float(value) for name, value in values.items() if isfinite(value)}
        points.append(Point(row["step"], 3600 * scored["hours_paper"], finite, policy))
    return points


def _learned(learned: Row) -> Iterator[tuple[str, float]]:
    """The loss, other numbers of the method, and the layers' weights and magnitudes in units."""
    for name, value in learned.items():
        # best_valid is -1 before the first epoch, and what `valid` shows.
        if type(value) in (int, float) and name != "best_valid":
            yield ("loss" if name == "loss" else metric_name("learned", name)), value
    for number, layer in enumerate(learned.get("layers", ()), 1):
        seen: dict[str, int] = {}
        for operation in layer:
            transform = operation["transform"]
            copies = seen[transform] = seen.get(transform, 0) + 1
            label = transform if copies == 1 else f"{transform} {copies}"
            parts = "learned", f"layer {number}", label
            yield metric_name(*parts, "weight"), operation["weight"]
            yield metric_name(*parts, "magnitude"), operation["magnitude"]
            yield metric_name(*parts, operation["unit"] or "value"), operation["value"]


def _parameters(planned: PlannedTrial) -> dict[str, Parameter]:
    """The labels, and all that the spec holds, by dotted keys."""
    spec = planned.spec
    labels: dict[str, Parameter] = {
        "task": planned.task,
        "method": planned.method,
        "fold": spec.fold,
        "seed": spec.seed,
    }
    task = asdict(spec.task)
    held = {
        "fold": spec.fold,
        "seed": spec.seed,
        "trial": spec.unit.digest,
        "method_name": spec.method,
        "options": spec.options,
        "budget": asdict(spec.budget),
        "task_name": task.pop("task"),
        "task_options": task.pop("options"),
        **task,
    }
    return {**labels, **dict(_flat(held))}


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Parameter]]:
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif value is None:
            yield name, "none"
        elif isinstance(value, str | int | float):
            yield name, value
        else:
            yield name, json.dumps(value)


def best_policy(points: Sequence[Point]) -> str | None:
    """The JSON of the best policy among some points; None if there is none."""
    return next((point.policy for point in reversed(points) if point.policy), None)
