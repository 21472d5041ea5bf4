"""Proposals are a function of the past and the seed, and the journal keeps that past."""

from math import log
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from augbench.bench.search.journal import FILE, Journal, read_journal
from augbench.bench.search.sampler import distribution, propose
from augbench.bench.search.space import Range, SamplerName, Values, read_space

SPACES = {"penalty": Range("log", 0.01, 50.0, None)}
TWO = {**SPACES, "at_eval": read_space("at_eval", "choice:blend,sample")}


def told(*values: float) -> list[FrozenTrial]:
    """Trials that are the worse the further from lambda = 1."""
    distributions = {key: distribution(space) for key, space in SPACES.items()}
    return [
        create_trial(params={"penalty": value}, distributions=distributions, value=-abs(log(value)))
        for value in values
    ]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_proposal_depends_on_the_past_and_the_seed_alone(sampler: SamplerName) -> None:
    past = told(0.02, 0.5, 1.1, 3.0, 20.0)
    first = propose(past, TWO, sampler=sampler, seed=0)
    assert propose(past, TWO, sampler=sampler, seed=0) == first
    assert propose(past, TWO, sampler=sampler, seed=1) != first
    assert propose(past[:-1], TWO, sampler=sampler, seed=0) != first
    assert 0.01 <= float(first["penalty"]) <= 50.0
    assert first["at_eval"] in ("blend", "sample")


def test_tpe_looks_where_it_was_good_and_random_does_not() -> None:
    past = told(*(0.01 * 1.23**k for k in range(41)))  # a tenth of them are TPE's good ones

    def distance(sampler: SamplerName) -> float:
        draws = [propose(past, SPACES, sampler=sampler, seed=seed) for seed in range(30)]
        return sum(abs(log(float(draw["penalty"]))) for draw in draws) / len(draws)

    assert distance("tpe") < 0.75 * distance("random")


def journal_of(folder: Path, *values: Values) -> Journal:
    journal = Journal(folder, SPACES)
    for value in values:
        journal.add(value)
    return journal


def test_optuna_opens_the_journal(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, {"penalty": 0.1}, {"penalty": 0.3}, {"penalty": 1 / 3})
    journal.report(0, 1, 0.5)
    journal.tell(0, 0.5, {"device_hours": 0.25}, pruned=True)
    journal.tell(1, 0.75, {}, pruned=False)
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / FILE))
    study = optuna.load_study(study_name=None, storage=optuna.storages.JournalStorage(backend))
    assert study.best_params == {"penalty": 0.3}
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.PRUNED, TrialState.COMPLETE, TrialState.RUNNING]
    assert study.trials[0].intermediate_values == {1: 0.5}
    assert study.trials[0].user_attrs == {"device_hours": 0.25}
    assert study.trials[2].params == {"penalty": 1 / 3}


def test_a_restored_past_gives_the_proposal_that_the_lived_one_gave(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, *({"penalty": 0.02 * 1.7**k} for k in range(8)))
    for number in range(6):
        journal.report(number, 1, number / 10)
        journal.tell(number, number / 10, {}, pruned=bool(number % 2))
    lived = propose(journal.trials(), SPACES, sampler="tpe", seed=0)
    restored = propose(Journal(tmp_path, SPACES).trials(), SPACES, sampler="tpe", seed=0)
    assert restored == lived


def test_a_torn_line_of_the_journal_is_dropped_and_the_journal_goes_on(tmp_path: Path) -> None:
    journal_of(tmp_path, {"penalty": 0.1}, {"penalty": 0.2})
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-20])
    journal = journal_of(tmp_path, {"penalty": 0.4})
    assert [trial.params["penalty"] for trial in journal.trials()] == [0.1, 0.4]
    assert [trial.params["penalty"] for trial in read_journal(tmp_path, SPACES)] == [0.1, 0.4]
