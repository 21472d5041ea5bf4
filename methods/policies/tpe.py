"""The next policy to try, by Optuna's tree-structured Parzen estimator."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from augbench.datasets.seeds import Seeds
from augbench.methods.policies.search_space import N_SLOTS
from augbench.methods.policies.slot import Slot, read_slots


class Scored(NamedTuple):
    """A point of the space and its value; larger is better."""

    slots: tuple[Slot, ...]
    value: float


def propose(
    past: Sequence[Scored],
    names: Sequence[str],
    *,
    seed: int,
    n_startup: int,
    n_candidates: int,
    running: Sequence[tuple[Slot, ...]] = (),
) -> tuple[Slot, ...]:
    """The next point, given the values of the earlier ones; it depends on the arguments alone.

    Points that are ``running`` have no value yet. They count as bad ones (the constant liar), so
    that the points of a batch are not all alike. The first ``n_startup`` are drawn uniformly.
    Source: Bergstra et al. 2011; AugNet, appendix A.4; for running points Ginsbourger et al. 2010.
    """
    import optuna  # only here: the other methods do not need it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space: dict[str, optuna.distributions.BaseDistribution] = {}
    for slot in range(N_SLOTS):
        space[f"transform {slot}"] = optuna.distributions.CategoricalDistribution(list(names))
        space[f"probability {slot}"] = optuna.distributions.FloatDistribution(0.0, 1.0)
        space[f"magnitude {slot}"] = optuna.distributions.FloatDistribution(0.0, 1.0)
    # Optuna 5 changed the defaults of multivariate and constant_liar; these are the classic ones.
    # The settings that it deprecates (prior_weight, gamma, weights, ...) keep their defaults.
    with warnings.catch_warnings():  # Optuna 4 calls the constant liar experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=n_startup,
            n_ei_candidates=n_candidates,
            multivariate=False,
            group=False,
            constant_liar=bool(running),
            constraints_func=None,
            seed=seed % 2**32,
        )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    points = [(scored.slots, scored.value) for scored in past]
    for slots, value in [*points, *((each, None) for each in running)]:
        numbers = [number for slot in slots for number in slot]
        done = optuna.trial.TrialState.COMPLETE
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING if value is None else done,
                params=dict(zip(space, numbers, strict=True)),
                distributions=space,
                value=value,
            )
        )
    drawn = list(study.ask(space).params.values())
    return read_slots([drawn[3 * slot : 3 * slot + 3] for slot in range(N_SLOTS)])


def _draw(
    past: Sequence[Scored],
    number: int,
    running: Sequence[tuple[Slot, ...]],
    *,
    names: Sequence[str],
    seeds: Seeds,
    n_startup: int,
    n_candidates: int,
) -> tuple[Slot, ...]:
    return propose(
        past,
        names,
        seed=seeds.integer("tpe", number),
        n_startup=n_startup,
        n_candidates=n_candidates,
        running=running,
    )


class Batches:
    """The proposals of a search, in batches of ``size`` points that do not know their values.

    ``draw(past, number, running)`` is one proposal. What is at a number depends on the values of
    the batches before, and on the points before it in its own batch.
    """

    def __init__(self, size: int, draw: Callable[..., tuple[Slot, ...]]) -> None:
        self.size, self._draw = size, draw
        self._made: dict[int, tuple[Slot, ...]] = {}

    @classmethod
    def of_tpe(
        cls, size: int, names: Sequence[str], seeds: Seeds, *, n_startup: int, n_candidates: int
    ) -> "Batches":
        """Batches of what `propose` proposes, each with a random stream of its own."""
        draw = partial(
            _draw, names=names, seeds=seeds, n_startup=n_startup, n_candidates=n_candidates
        )
        return cls(size, draw)

    def at(self, number: int, past: Sequence[Scored]) -> tuple[Slot, ...]:
        """The proposal with a number; ``past`` holds all of the batches before, in order."""
        first = number - number % self.size
        running = [each.slots for each in past[first:number]]
        for k in range(first + len(running), number + 1):
            if k not in self._made:
                self._made[k] = self._draw(past[:first], k, tuple(running))
            running.append(self._made[k])
        return running[-1]

    def left(self, past: Sequence[Scored], n_samplings: int) -> list[tuple[Slot, ...]]:
        """The proposals of the batch that ``past`` has not."""
        number = len(past)
        end = min(number - number % self.size + self.size, n_samplings)
        return [self.at(k, past) for k in range(number, end)]

    def forget(self) -> None:
        """Forget what was made: the past is another one."""
        self._made.clear()


def import_sampler() -> None:
    """Import Optuna by a draw that is thrown away, so that no search is charged for the import."""
    propose([], ["any"], seed=0, n_startup=1, n_candidates=1)
