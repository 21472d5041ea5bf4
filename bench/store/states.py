"""What became of each trial of a plan: its state and why, how much is scored, what was wasted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.accounts import wasted
from augbench.bench.store.attempt_log import end_event, is_alive
from augbench.bench.store.driver_lock import has_driver
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError
from augbench.bench.store.points import identity_columns, valid_metrics
from augbench.bench.store.records import Row
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import sampling_units, wasted_on_samplings
from augbench.bench.store.unit_directory import UnitDirectory

# A trial and its evaluations show the first of these states that one of them has.
_URGENCY = ("damaged", "failed", "running", "waiting", "diverged", "over budget", "done")

FINISHED = ("done", "over budget", "diverged")  # states of a unit that has a result


def read_trials(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per planned trial: its state, what is scored and how well, what was wasted."""
    skipped = {
        digest: {"state": "skipped", "reason": reason} for digest, reason in run.skipped().items()
    }
    return [
        {
            **identity_columns(planned),
            **_trial(run, planned),
            **skipped.get(planned.spec.unit.digest, {}),
        }
        for planned in plan
    ]


def trials_now(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """The records of `read_trials`, with a state more while a driver works on the run.

    A trial is "starting" while the process that is to do it gets ready.
    """
    trials = read_trials(run, plan)
    waiting = [trial for trial in trials if trial["state"] == "waiting" and not trial["reason"]]
    if waiting and has_driver(run.path):
        units = {planned.spec.unit.digest: planned.spec.unit for planned in plan}
        for trial in waiting:
            directory = run.unit(units[trial["trial"]])
            if directory.path.exists() and not directory.attempts():  # it is handed to an engine
                trial["state"] = "starting"
    return trials


def is_damaged(trials: Iterable[Mapping[Any, Any]]) -> bool:
    """Whether a file of any trial is damaged, so that a command must not end well."""
    return any(trial["state"] == "damaged" for trial in trials)


def skip_lines(trials: Iterable[Mapping[Any, Any]]) -> list[str]:
    """A line for each reason for which trials are skipped: how many, which, and the reason."""
    names: dict[str, list[str]] = {}
    for trial in trials:
        if trial["state"] == "skipped":
            names.setdefault(trial["reason"], []).append(f"{trial['method']} on {trial['task']}")
    return [
        f"{len(each)} skipped ({', '.join(dict.fromkeys(each))}): {reason}"
        for reason, each in names.items()
    ]


_NOT_BEGUN = {
    "state": "waiting",
    "points_scored": 0,
    "points_known": 0,
    "valid": None,  # the best so far
    "retrainings_left": 0,  # of those that it has asked for so far
    "wasted_seconds": 0.0,
    "reason": "",
}


def _trial(run: RunDirectory, planned: PlannedTrial) -> dict[str, Any]:
    directory = run.unit(planned.spec.unit)
    if not directory.path.exists():  # one look: a plan can be long
        return _NOT_BEGUN
    try:
        rows = directory.points()
        units = _involved(run, planned.spec, rows)
        states = [unit_state(directory, rows), *map(unit_state, units[1:])]
        damages = [state for state in states if state[0] == "damaged"]
        valid = [] if damages else valid_metrics(run, planned.spec, rows)
        sampled = sampling_units(run, planned.spec)
        if states[0][0] == "waiting" and any(unit_state(u)[0] == "running" for u in sampled):
            states[0] = ("running", "")
        n_left = sum(state[0] not in FINISHED for state in states[1:])
        n_known = len(rows)
        wasted_seconds = 0.0
        if not damages:
            wasted_seconds = sum(map(wasted, units)) + wasted_on_samplings(run, planned.spec)
    except DamagedError as error:
        states, valid, n_left, n_known = [("damaged", str(error))], [], 0, 0
        wasted_seconds = 0.0
    # A trial that is over shows the state of its evaluations.
    state, reason = min(states, key=lambda s: _URGENCY.index(s[0]))
    return {
        "state": state,
        "points_scored": len(valid),
        "points_known": n_known,
        "valid": max(valid, default=None),
        "retrainings_left": n_left,
        "wasted_seconds": wasted_seconds,
        "reason": reason,
    }


def involved(run: RunDirectory, spec: TrialSpec) -> list[UnitDirectory]:
    """The folders of a trial and of the evaluations that it has asked for."""
    return _involved(run, spec, run.unit(spec.unit).points())


def _involved(run: RunDirectory, spec: TrialSpec, rows: Sequence[Row]) -> list[UnitDirectory]:
    asked = dict.fromkeys(each.unit for each in evaluations(run, spec, rows))
    return [run.unit(spec.unit), *map(run.unit, asked)]


def unit_state(directory: UnitDirectory, rows: Sequence[Row] | None = None) -> tuple[str, str]:
    """A state of `_URGENCY`, and why, if there is a reason.

    The unit's ``rows`` are read, and so checked, if they are not given.
    """
    try:
        if rows is None:
            directory.points()
        return _checked_state(directory)
    except DamagedError as error:
        return "damaged", str(error)


def _checked_state(directory: UnitDirectory) -> tuple[str, str]:
    result = directory.check()
    if result is not None:
        state, _, reason = str(result["state"]).partition(": ")
        return state, reason
    given_up = directory.failure()
    if given_up is not None:
        return "failed", given_up
    attempts = directory.attempts()
    if not attempts:
        return "waiting", ""
    ending = end_event(attempts[-1])
    if ending and "error" in ending:
        return "failed", str(ending.get("reason", ""))
    if not ending and is_alive(attempts[-1]):
        return "running", ""
    return "waiting", "interrupted"
