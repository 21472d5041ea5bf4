"""The record of a search's trials: an Optuna study in a file, which optuna-dashboard reads too."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from augbench.bench.search.sampler import distribution
from augbench.bench.search.space import Space, Values
from augbench.bench.store.files import drop_torn_line

FILE = "journal.log"
STUDY = "search"


class Journal:
    """A study that one process writes: the driver that holds its directory.

    A trial is added in one line, with all its values, and told once: whatever moment a driver is
    killed at, a trial is there as a whole or not at all, and one that is not told is still running.
    """

    def __init__(self, folder: Path, spaces: Mapping[str, Space]) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: distribution(space) for key, space in spaces.items()}
        file = folder / FILE
        with file.open("ab+") as lines:
            drop_torn_line(lines)  # Optuna would append to it, and read the file no more
        self._storage = JournalStorage(JournalFileBackend(str(file)))
        self._study = optuna.create_study(
            storage=self._storage, study_name=STUDY, direction="maximize", load_if_exists=True
        )

    def trials(self) -> list[FrozenTrial]:
        """All of them, by number."""
        return self._study.get_trials(deepcopy=False)

    def add(self, values: Values) -> None:
        """Begin the next trial."""
        self._study.add_trial(self.running(values))

    def running(self, values: Mapping[str, Any]) -> FrozenTrial:
        """A trial of which nothing is known but its values."""
        return create_trial(
            state=TrialState.RUNNING, params=dict(values), distributions=self._distributions
        )

    def report(self, number: int, rung: int, value: float) -> None:
        """Note what a running trial has reached at a rung."""
        self._storage.set_trial_intermediate_value(self._id(number), rung, value)

    def tell(self, number: int, value: float, record: Mapping[str, Any], *, pruned: bool) -> None:
        """End a trial; before that, keep what else there is to know of it."""
        for key, each in record.items():
            self._storage.set_trial_user_attr(self._id(number), key, each)
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        self._storage.set_trial_state_values(self._id(number), state, [value])

    def _id(self, number: int) -> int:
        study = self._storage.get_study_id_from_name(STUDY)
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)


def read_journal(folder: Path) -> Sequence[FrozenTrial]:
    """The trials of a search, by number, without writing anything."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / FILE)))
    return optuna.load_study(study_name=STUDY, storage=storage).get_trials(deepcopy=False)
