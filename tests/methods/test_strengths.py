"""The strength that acts, over the whole table of transforms, under the policies by hand."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from augbench.methods import randaugment, trivialaugment, uniformaugment
from augbench.methods.options.search_free import (
    RandAugmentOptions,
    TrivialAugmentOptions,
    UniformAugmentOptions,
)
from augbench.methods.policies.policy import Policy, Subpolicy
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.training import retraining
from augbench.methods.training.method import Setup
from augbench.methods.transforms import EEG, TRANSFORMS
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import Transform
from strengths import MEASURES, N


def graded_names() -> list[str]:
    signals = [MEASURES["rotation_x"].signal, MEASURES["hue"].signal]
    return [
        name
        for name, build in TRANSFORMS.items()
        if build(signals[0] if name in EEG else signals[1]).graded
    ]


every = pytest.mark.parametrize("name", graded_names())


def policy_of(monkeypatch: pytest.MonkeyPatch, method: str, setup: Setup) -> Policy:
    """The policy that a method trains under."""
    taken: list[Policy] = []
    real = retraining.retrain
    module, options = {
        "trivialaugment": (trivialaugment, TrivialAugmentOptions()),
        "uniformaugment": (uniformaugment, UniformAugmentOptions(n_operations=1)),
        "randaugment": (randaugment, RandAugmentOptions(n_operations=1, magnitude=0.5)),
    }[method]

    def keep(setup: Setup, policy: Policy) -> object:
        taken.append(policy)
        return real(setup, policy)

    monkeypatch.setattr(module, "retrain", keep)
    module.build(setup, options)  # type: ignore[attr-defined]
    return taken[0]


def strengths(
    monkeypatch: pytest.MonkeyPatch, method: str, name: str, setup: Setup
) -> tuple[Transform, Tensor]:
    """What acted, in shares of the strongest, where the transform was applied."""
    measure = MEASURES[name]
    bank = make_bank([name], measure.signal)
    policy = policy_of(monkeypatch, method, replace(setup, bank=bank))
    (operation,) = {o for s in policy.subpolicies for o in s.operations}
    always = replace(policy, subpolicies=(Subpolicy((replace(operation, probability=1.0),)),))
    table = PolicyTable(always, bank, torch.device("cpu"))
    y = torch.zeros(N, dtype=torch.int64)
    out = table.apply(measure.x, y, torch.Generator().manual_seed(3))
    return bank[name], measure.strength(bank[name], measure.x, out) / bank[name].strongest


def distance_to_uniform(strengths: Tensor, most: float) -> float:
    """The largest difference of distribution functions from that of [0, most]."""
    ordered = strengths.double().sort().values / most
    return float((ordered - (torch.arange(N) + 0.5) / N).abs().max())


def test_every_graded_transform_of_the_table_has_a_measure() -> None:
    assert set(MEASURES) == set(graded_names())


@every
@pytest.mark.parametrize("method", ["trivialaugment", "uniformaugment"])
def test_the_strength_that_acts_is_uniform_up_to_the_strongest(
    method: str, name: str, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = strengths(monkeypatch, method, name, setup)
    assert distance_to_uniform(found, 1.0) < MEASURES[name].tolerance


@every
def test_randaugment_acts_at_the_magnitude_or_uniformly_up_to_it_as_the_transform_says(
    name: str, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transform, found = strengths(monkeypatch, "randaugment", name, setup)
    if transform.draws_strength:
        assert distance_to_uniform(found, 0.5) < 2 * MEASURES[name].tolerance
    else:
        assert float(found.mean()) == pytest.approx(0.5, abs=0.02)
        assert float(found.std()) < 0.03


def test_trivialaugment_hardly_ever_silences_every_channel(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At full strength it did in each window that drew the dropout, 7.9 % of those of ssvep."""
    signal = replace(MEASURES["rotation_x"].signal, shape=(8, 64), channels=())
    names = [name for name in EEG if name not in ("channel_symmetry",) and "rotation" not in name]
    bank = make_bank(names, signal)
    policy = policy_of(monkeypatch, "trivialaugment", replace(setup, bank=bank))
    x = torch.ones(20_000, *signal.shape)
    table = PolicyTable(policy, bank, torch.device("cpu"))
    out = table.apply(x, torch.zeros(20_000, dtype=torch.int64), torch.Generator().manual_seed(0))
    silent = (out.abs() < 0.01).flatten(1).all(1)
    # One window of 10 draws it, and then all 8 are silent with the mean of p ** 8, one ninth.
    assert float(silent.double().mean()) < 0.015
