"""Which values a search tries next: a function of its seed and of its trials so far."""

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from augbench.bench.search.space import Choice, SamplerName, Space, Value, Values
from augbench.datasets.seeds import Seeds

N_STARTUP = 4  # drawn at random for each parameter, before TPE has enough to model


def propose(
    past: Sequence[FrozenTrial],
    spaces: Mapping[str, Space],
    *,
    sampler: SamplerName,
    seed: int,
) -> Values:
    """The values of the next trial; some of the trials in ``past`` may still run.

    Each draw has a new sampler, made from the seed and the number of the draw. So no sampler has to
    be saved, and a search that is resumed makes the same draws.
    """
    drawn = Seeds((seed, "search")).integer("draw", len(past)) % 2**32
    study = optuna.create_study(
        direction="maximize", sampler=_new_sampler(sampler, drawn, len(spaces))
    )
    study.add_trials(past)
    trial = study.ask({key: distribution(space) for key, space in spaces.items()})
    values: dict[str, Value] = trial.params
    return values


def _new_sampler(sampler: SamplerName, seed: int, n_parameters: int) -> BaseSampler:
    if sampler == "random":
        return RandomSampler(seed=seed)
    assert sampler == "tpe", "a grid proposes nothing"
    with warnings.catch_warnings():  # Optuna 4 calls two of these settings experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Optuna 5 changed defaults: every setting that it does not deprecate is named.
        return TPESampler(
            n_startup_trials=N_STARTUP * n_parameters,
            n_ei_candidates=24,
            multivariate=True,
            group=False,
            constant_liar=True,  # keeps the trials that are proposed together apart
            constraints_func=None,
            seed=seed,
        )


def distribution(space: Space) -> BaseDistribution:
    """The same space as one of Optuna's distributions."""
    if isinstance(space, Choice):
        return CategoricalDistribution(space.values)
    if space.kind == "int":
        return IntDistribution(int(space.low), int(space.high))
    return FloatDistribution(space.low, space.high, log=space.kind == "log")
