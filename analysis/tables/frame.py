"""The tables that all analysis starts from, read from a run directory and checked once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from augbench.analysis.tables.task_facts import chance_levels, known_margins, split_ratios
from augbench.bench.store.learned import read_learned, read_policies
from augbench.bench.store.open_run import open_run
from augbench.bench.store.origin import machines_by_trial
from augbench.bench.store.points import read_points
from augbench.bench.store.states import read_trials
from augbench.datasets.arguments import read_path
from augbench.datasets.errors import UserError, unknown
from augbench.datasets.options.row import Margin

POINT_COLUMNS = {  # one row per scored artifact
    "task": "str",
    "method": "str",  # the label in the suite
    "fold": "int64",
    "seed": "int64",
    "trial": "str",  # id
    "point": "int64",  # 1, 2, ... within the trial; some may be missing while retrainings run
    "step": "int64",
    "kind": "str",  # of the artifact: "model" or "policy"
    "metric": "str",
    "valid": "float64",
    "test": "float64",
    "hours_paper": "float64",  # pretraining + search so far + this point's own retraining
    "hours_full": "float64",  # pretraining + search so far + every retraining up to this point
    "forward_paper": "int64",  # samples
    "forward_full": "int64",
    "backward_paper": "int64",
    "backward_full": "int64",
    # The same without the validation that steers a method; nothing goes backward in validation.
    "hours_paper_without_validation": "float64",
    "hours_full_without_validation": "float64",
    "forward_paper_without_validation": "int64",
    "forward_full_without_validation": "int64",
    # Wall-clock time of the processes of the trial and of every retraining up to this point, one
    # after another: all phases, those too that are not charged; without what was wasted.
    "hours_wall": "float64",
    "device": "str",  # "cpu" or the GPU's name, in a merged run with its host where that is needed
    "shared": "bool",  # the GPU was shared by several trials
    # Share of the charged time (full reading) in which a processor worked for the trial, up to 1.
    # 1 also where this cannot be told: on GPUs, and for less than a second.
    "busy": "float64",
}
TRIAL_COLUMNS = {  # one row per planned trial
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "state": "str",
    "points_scored": "int64",
    "points_known": "int64",
    "wasted_seconds": "float64",
    "reason": "str",  # "" where there is none
}
LEARNED_COLUMNS = {  # one row per operation of a layer, for each point of a model that has layers
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "point": "int64",
    "step": "int64",
    "loss": "float64",  # mean over the epoch's updates, the penalty included
    "layer": "int64",  # 1, 2, ... from the input on
    "transform": "str",
    "weight": "float64",
    "magnitude": "float64",  # in [0, 1]
    "value": "float64",  # the magnitude in `unit`
    "unit": "str",
}
POLICY_COLUMNS = {  # one row per transform of a policy, for each point of a search
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "point": "int64",
    "step": "int64",
    "policy": "str",  # its digest
    "transform": "str",
    "share": "float64",  # of all operations that fire
}
COSTS = tuple(name for name in POINT_COLUMNS if name.endswith(("_paper", "_full")))
AXES = (*COSTS, "hours_wall", "step")  # what a curve can be drawn along
OPTIONAL = ("busy", "hours_wall")  # columns that may be missing or hold NaN
LEAST_BUSY = 0.9  # below it the processor was elsewhere for more than a tenth of the time
KINDS = ("model", "policy")
FINISHED = ("done", "over budget")  # ended as planned
STATES = (*FINISHED, "diverged", "running", "waiting", "failed", "damaged", "skipped")


@dataclass(frozen=True)
class Results:
    """What a run has given so far.

    ``points`` has the columns of ``POINT_COLUMNS``, ``trials`` and ``skipped`` those of
    ``TRIAL_COLUMNS``, ``learned`` those of ``LEARNED_COLUMNS`` and ``policies`` those of
    ``POLICY_COLUMNS``; all may be without rows. None is ever written to. Skipped trials are not
    among ``trials``, since nothing is expected of them.
    """

    points: pd.DataFrame
    trials: pd.DataFrame
    suite: str  # its name
    learned: pd.DataFrame
    policies: pd.DataFrame
    skipped: pd.DataFrame
    notes: tuple[str, ...] = ()  # sentences on what the numbers hold
    # The method behind each label of the suite; a label that is missing here is a method's name.
    methods: Mapping[str, str] = field(default_factory=dict)
    # By label: the device hours of the search that chose a method's options, if the suite names it.
    search_hours: Mapping[str, float] = field(default_factory=dict)
    margins: Mapping[str, Margin] = field(default_factory=dict)  # by the label of a task
    # By the label of a task: the metric of a model that says the same of all; where it is known.
    chance: Mapping[str, float] = field(default_factory=dict)
    # By the label of a task: test examples over those that methods see; where it is known.
    test_train_ratios: Mapping[str, float] = field(default_factory=dict)
    # By the id of a trial that failed: the test metric that it counts as in scores over tasks, if
    # that was asked for (`impute_failed`).
    imputed: Mapping[str, float] = field(default_factory=dict)


def load(run: Path | str) -> Results:
    """The tables of a run directory, finished or not; also called `read_results`.

    Hours are device hours, metrics and shares lie in [0, 1], ``value`` is in ``unit``; the comments
    at the columns of `Results` say the rest.

    UserError: it is not a run directory, or another version of augbench wrote it.
    """
    directory, suite = open_run(read_path("run", run))
    points = read_points(directory, suite.plan)
    machines = machines_by_trial(directory, suite.plan)
    points = [row | {"device": machines.get(row["trial"], row["device"])} for row in points]
    return results(
        points,
        read_trials(directory, suite.plan),
        suite.name,
        read_learned(directory, suite.plan),
        read_policies(directory, suite.plan),
        methods={planned.method: planned.spec.method for planned in suite.plan},
        notes=[f"{task}: {sentence}." for task, sentence in directory.splits().items()],
        search_hours={label: search.device_hours for label, search in suite.searches.items()},
        margins=known_margins(suite.plan),
        chance=chance_levels(directory, suite.plan),
        test_train_ratios=split_ratios(directory, suite.plan),
    )


read_results = load  # what the library calls it


def results(
    points: pd.DataFrame | Iterable[Mapping[str, object]],
    trials: pd.DataFrame | Iterable[Mapping[str, object]],
    suite: str,
    learned: Iterable[Mapping[str, object]] = (),
    policies: Iterable[Mapping[str, object]] = (),
    *,
    methods: Mapping[str, str] | None = None,
    notes: Iterable[str] = (),
    search_hours: Mapping[str, float] | None = None,
    margins: Mapping[str, Margin] | None = None,
    chance: Mapping[str, float] | None = None,
    test_train_ratios: Mapping[str, float] | None = None,
) -> Results:
    """Rows or frames -> checked ``Results``, columns in order, rows sorted, dtypes as declared.

    UserError: a column is missing or cannot be read, a value is outside what is allowed, a trial or
    a point occurs twice, or a point belongs to no planned trial.
    """
    typed_trials = _typed(trials, TRIAL_COLUMNS, "trials")
    typed_points = _typed(points, POINT_COLUMNS, "points")
    _check_trials(typed_trials)
    _check_points(typed_points, typed_trials)
    order = ["task", "method", "fold", "seed", "trial"]
    typed_trials = typed_trials.sort_values(order)
    skipped = typed_trials["state"] == "skipped"
    return Results(
        points=typed_points.sort_values([*order, "point"], ignore_index=True),
        trials=typed_trials[~skipped].reset_index(drop=True),
        suite=suite,
        learned=_typed(learned, LEARNED_COLUMNS, "learned magnitudes"),
        policies=_typed(policies, POLICY_COLUMNS, "policies"),
        skipped=typed_trials[skipped].reset_index(drop=True),
        notes=tuple(notes),
        methods=methods or {},
        search_hours=search_hours or {},
        margins=margins or {},
        chance=chance or {},
        test_train_ratios=test_train_ratios or {},
    )


def _typed(
    rows: pd.DataFrame | Iterable[Mapping[str, object]], columns: Mapping[str, str], table: str
) -> pd.DataFrame:
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(map(_encodable, rows)))
    if frame.empty:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})
    absent = [name for name in OPTIONAL if name in columns and name not in frame.columns]
    frame = frame.assign(**dict.fromkeys(absent, np.nan))
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise UserError(f"{table} lack the columns {', '.join(missing)}; all of them are needed")
    holes = [name for name in columns if name not in OPTIONAL and frame[name].isna().any()]
    if holes:
        raise UserError(
            f"{table} have empty cells in {', '.join(holes)}; every cell must be filled"
        )
    try:
        return frame[list(columns)].astype(dict(columns))
    except (TypeError, ValueError) as error:
        raise UserError(f"{table} cannot be read: {error}") from error


def _encodable(row: Mapping[str, object]) -> dict[str, object]:
    """The same row; in its texts, bytes of a path that are not UTF-8 become escapes."""
    return {
        name: value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
        for name, value in row.items()
    }


def _check_trials(trials: pd.DataFrame) -> None:
    for state in trials["state"].unique():
        if state not in STATES:
            raise unknown("trial state", state, STATES)
    _check_unique(trials, ["trial"], "trials")
    _check_unique(trials, ["task", "method", "fold", "seed"], "trials")


def _check_points(points: pd.DataFrame, trials: pd.DataFrame) -> None:
    for kind in points["kind"].unique():
        if kind not in KINDS:
            raise unknown("artifact kind", kind, KINDS)
    _check_unique(points, ["trial", "point"], "points")
    keys = ["task", "method", "fold", "seed", "trial"]
    planned = set(trials[keys].itertuples(index=False, name=None))
    for row in points[keys].itertuples(index=False, name=None):
        if row not in planned:
            raise UserError(f"points hold {row}, which is not among the planned trials")
    numbers = points[["valid", "test", *COSTS]].to_numpy(dtype=np.float64)  # (points, numbers)
    wrong = ~np.isfinite(numbers).all(axis=1) | (points[list(COSTS)] < 0).any(axis=1).to_numpy()
    if wrong.any():
        first = points.loc[wrong].iloc[0]
        raise UserError(
            f"point {first['point']} of trial {first['trial']} has a metric or a cost that is "
            "infinite or a negative cost; metrics must be finite and costs at least 0"
        )
    for name in OPTIONAL:
        if (points[name] < 0).any() or np.isinf(points[name]).any():
            raise UserError(
                f"points hold a negative or infinite {name}; it must be at least 0, or NaN"
            )
    for task, metrics in points.groupby("task")["metric"]:
        if metrics.nunique() > 1:
            names = ", ".join(sorted(metrics.unique()))
            raise UserError(f"task {task} is scored by {names}; a task has one metric")


def _check_unique(frame: pd.DataFrame, keys: list[str], table: str) -> None:
    twice = frame.duplicated(keys)
    if twice.any():
        first = frame.loc[twice, keys].iloc[0].to_dict()
        raise UserError(f"{table} hold {first} twice; each may occur once")


def finished(trials: pd.DataFrame) -> "pd.Series[bool]":
    """Which trials ended as planned with every point scored, and one at least: (trials,)."""
    # A budget may end before the first point.
    scored = trials["points_scored"] >= trials["points_known"].clip(lower=1)
    return trials["state"].isin(FINISHED) & scored


def ended(trials: pd.DataFrame) -> "pd.Series[bool]":
    """Which trials can bring no further point, diverged ones among them: (trials,) of bool."""
    # The point of a retraining that diverged stays missing for good, so no count is asked for here.
    return finished(trials) | (trials["state"] == "diverged")
