"""The record of a search's trials: an Optuna study in a file, which optuna-dashboard reads too."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from augbench.bench.plan.options import read_options
from augbench.bench.search.sampler import distribution
from augbench.bench.search.space import Space, Values
from augbench.bench.search.trial_record import TrialRecord
from augbench.bench.store.files import DamagedError, append_line, drop_torn_line
from augbench.datasets.errors import UserError

FILE = "journal.log"
STUDY = "search"
# Digests beside a trial: of its number and values, and of all that it had come to when it ended.
BEGUN, TOLD = "digest_begun", "digest_told"


class Journal:
    """A study that one process writes: the driver that holds its directory.

    A trial is added in one line, with all its values, and ended in one line. Whenever a driver is
    killed, a trial is there as a whole or not at all, and one that has not ended is still running.
    Raises a UserError for a journal that is damaged.
    """

    def __init__(self, folder: Path, spaces: Mapping[str, Space]) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: distribution(space) for key, space in spaces.items()}
        file = folder / FILE
        _check_place(file)
        with file.open("ab+") as lines:
            drop_torn_line(lines)  # otherwise the next line would be appended to it
        self._storage, trials = _open(file)
        _check_trials(trials, spaces, file)
        self._study = optuna.create_study(
            storage=self._storage, study_name=STUDY, direction="maximize", load_if_exists=True
        )

    def trials(self) -> list[FrozenTrial]:
        """All of them, by number."""
        return self._study.get_trials(deepcopy=False)

    def add(self, values: Values) -> None:
        """Begin the next trial."""
        begun = {BEGUN: _digest([len(self.trials()), values])}
        self._study.add_trial(self.running(values, attributes=begun))

    def running(
        self, values: Mapping[str, Any], attributes: Mapping[str, Any] | None = None
    ) -> FrozenTrial:
        """A trial of which nothing is known but its values."""
        return create_trial(
            state=TrialState.RUNNING,
            params=dict(values),
            distributions=self._distributions,
            system_attrs=dict(attributes or {}),
        )

    def report(self, number: int, rung: int, value: float) -> None:
        """Note what a running trial has reached at a rung."""
        self._storage.set_trial_intermediate_value(self._id(number), rung, value)

    def tell(self, number: int, value: float, record: Mapping[str, Any], *, pruned: bool) -> None:
        """End a trial; before that, keep everything else that is known of it."""
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        for key, each in record.items():
            self._storage.set_trial_user_attr(self._id(number), key, each)
        trial = self._storage.get_trial(self._id(number))
        content = _content(trial, state, value)
        self._storage.set_trial_system_attr(self._id(number), TOLD, _digest(content))
        self._storage.set_trial_state_values(self._id(number), state, [value])

    def _id(self, number: int) -> int:
        study = self._storage.get_study_id_from_name(STUDY)
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)


def read_journal(folder: Path, spaces: Mapping[str, Space]) -> Sequence[FrozenTrial]:
    """The trials of a search, by number, without writing anything; none before it has begun.

    Raises a UserError for a journal that is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = folder / FILE
    _check_place(file)
    _, trials = _open(file)
    _check_trials(trials, spaces, file)
    return trials


class _Lines(BaseJournalBackend):
    """A file of JSON lines, as Optuna's own backend writes it.

    It takes no lock: a single process writes, and a lock left by a killed one would be waited for.
    Lines that were read once are not read again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offsets = [0]  # bytes before each line, and before the one that comes next

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        if not self._file.exists():
            return []
        number = min(log_number_from, len(self._offsets) - 1)
        found = []
        with self._file.open("rb") as lines:
            lines.seek(self._offsets[number])
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # it is being written, or was torn by a crash
                number += 1
                if number == len(self._offsets):
                    self._offsets.append(self._offsets[-1] + len(line))
                if number > log_number_from:
                    found.append(_parse(line, self._file, number))
        return found

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:  # what is noted of a trial goes to the disk with the line that ends it
            append_line(self._file, log, sync="user_attr" not in log and "system_attr" not in log)


def _parse(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        log = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise damaged(file, f"line {number}: {error}") from None
    if not isinstance(log, dict):
        raise damaged(file, f"line {number} is not a table")
    return log


def _open(file: Path) -> tuple[JournalStorage, list[FrozenTrial]]:
    """The storage over a file, and the trials of its study; none where it has not begun."""
    try:
        storage = JournalStorage(_Lines(file))
        names = [study.study_name for study in storage.get_all_studies()]
        if not names:
            return storage, []
        if names != [STUDY]:
            raise damaged(file, f"it holds the studies {names} and not {STUDY!r} alone")
        study = storage.get_study_id_from_name(STUDY)
        return storage, storage.get_all_trials(study, deepcopy=False)
    except UserError:
        raise
    except Exception as error:  # Optuna goes through the lines without checking what they hold
        what = f"Optuna cannot read it: {type(error).__name__}: {error}"
        raise damaged(file, what) from None


def _check_place(file: Path) -> None:
    if file.exists() and not file.is_file():
        raise damaged(file, "a folder or a device is in the place of the file")


def damaged(file: Path, what: str) -> DamagedError:
    """The error for a journal, which can always be made anew from the units."""
    return DamagedError(
        f"{file} is damaged ({what}): move it away and run the same augbench search again, which "
        "makes it anew from what its trials have finished"
    )


def _check_trials(trials: Sequence[FrozenTrial], spaces: Mapping[str, Space], file: Path) -> None:
    """Hold each trial against its spaces and against its digest."""
    distributions = {key: distribution(space) for key, space in spaces.items()}
    for number, trial in enumerate(trials):
        name = f"trial {number}"
        if trial.number != number or trial.state not in (
            TrialState.RUNNING,
            TrialState.PRUNED,
            TrialState.COMPLETE,
        ):
            raise damaged(file, f"{name} has number {trial.number} and state {trial.state.name}")
        if trial.distributions != distributions or set(trial.params) != set(distributions):
            raise damaged(file, f"{name} is over other parameters than the search")
        if not all(map(_is_number, [*(trial.values or []), *trial.intermediate_values.values()])):
            raise damaged(file, f"{name} has a metric that is not a finite number")
        ended = trial.state.is_finished()
        if ended and (trial.values is None or len(trial.values) != 1):
            raise damaged(file, f"{name} has ended without a metric")
        read_record(trial, file)
        begun, told = trial.system_attrs.get(BEGUN), trial.system_attrs.get(TOLD)
        if begun != _digest([number, trial.params]):
            raise damaged(file, f"{name} does not have the values that were written")
        if not ended:
            continue
        if told != _digest(_content(trial, trial.state, trial.values[0])):
            raise damaged(file, f"{name} does not have the results that were written")


def read_record(trial: FrozenTrial, file: Path) -> TrialRecord:
    """What the driver kept of a trial when it ended; raises a UserError if that is damaged."""
    try:
        return read_options(TrialRecord, trial.user_attrs, f"trial {trial.number}")
    except (UserError, RecursionError) as error:
        raise damaged(file, str(error)) from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _content(trial: FrozenTrial, state: TrialState, value: float | None) -> list[object]:
    """All that is known of a trial that has ended, but for when it did."""
    rungs = sorted(trial.intermediate_values.items())
    return [trial.number, state.name, value, trial.params, rungs, trial.user_attrs]


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
