"""The next policy to try, by Optuna's tree-structured Parzen estimator."""

from collections.abc import Sequence
from typing import NamedTuple

from augbench.methods.policies.search_space import N_SLOTS, Slot, read_slots


class Scored(NamedTuple):
    """A point of the space and its value; larger is better."""

    slots: tuple[Slot, ...]
    value: float


def propose(
    past: Sequence[Scored], names: Sequence[str], *, seed: int, n_startup: int, n_candidates: int
) -> tuple[Slot, ...]:
    """The next point, given the values of the earlier ones; it depends on the arguments alone.

    The first ``n_startup`` are drawn uniformly. Source: Bergstra et al. 2011; AugNet, appendix A.4.
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
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=n_startup,
        n_ei_candidates=n_candidates,
        multivariate=False,
        group=False,
        constant_liar=False,
        constraints_func=None,
        seed=seed % 2**32,
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for scored in past:
        numbers = [number for slot in scored.slots for number in slot]
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(zip(space, numbers, strict=True)),
                distributions=space,
                value=scored.value,
            )
        )
    drawn = list(study.ask(space).params.values())
    return read_slots([drawn[3 * slot : 3 * slot + 3] for slot in range(N_SLOTS)])


def import_sampler() -> None:
    """Import Optuna by a draw that is thrown away, so that no search is charged for the import."""
    propose([], ["any"], seed=0, n_startup=1, n_candidates=1)
