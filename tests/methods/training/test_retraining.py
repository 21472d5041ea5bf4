"""The training of a trunk from scratch under a policy."""

from dataclasses import replace
from typing import Any

import torch

from augbench.methods import none, random_policy
from augbench.methods.options.search_free import NoneOptions, RandomPolicyOptions
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.training.method import Setup, Trained
from augbench.methods.training.retraining import retrain

ALWAYS_BLUR = Policy((Subpolicy((Operation("blur", 1.0, 0.5),)),))


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([t.double().flatten() for t in model.state_dict().values()])


def test_an_empty_policy_gives_the_very_weights_of_no_augmentation(setup: Setup) -> None:
    plain = none.build(setup, NoneOptions())
    under_nothing = retrain(setup, Policy())
    for _ in range(3):
        plain.step()
        under_nothing.step()
    artifact = plain.artifact()
    assert isinstance(artifact, Trained)
    assert torch.equal(weights(artifact.model), weights(under_nothing.model))
    assert artifact.valid == under_nothing.last_valid


def test_a_policy_that_never_fires_gives_the_very_weights_of_no_augmentation(setup: Setup) -> None:
    """Only possible because batches, dropout and augmentation draw from streams of their own."""
    never = Policy((Subpolicy((Operation("blur", 0.0, 0.5),)),))
    trainings = [retrain(setup, never), retrain(setup, Policy())]
    for training in trainings:
        training.step()
    assert torch.equal(weights(trainings[0].model), weights(trainings[1].model))


def test_a_policy_changes_the_weights(setup: Setup) -> None:
    trainings = [retrain(setup, ALWAYS_BLUR), retrain(setup, Policy())]
    for training in trainings:
        training.step()
    assert not torch.equal(weights(trainings[0].model), weights(trainings[1].model))


def test_augmentation_noise_is_new_in_every_epoch(setup: Setup) -> None:
    seen: list[torch.Tensor] = []

    def spy(x: torch.Tensor, generator: Any) -> torch.Tensor:
        noise = torch.randn(x.shape, generator=generator)
        seen.append(noise)
        return noise

    bank = {**setup.bank, "blur": replace(setup.bank["blur"], draw=spy)}
    training = retrain(replace(setup, bank=bank), ALWAYS_BLUR)
    training.step()
    n_batches = len(seen)
    training.step()
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[n_batches])


def test_validation_is_not_augmented(setup: Setup) -> None:
    """The model is scored on the views as they are: a policy acts on training batches alone."""
    n_drawn = []

    def spy(x: torch.Tensor, generator: Any) -> torch.Tensor:
        n_drawn.append(len(x))
        return torch.randn(x.shape, generator=generator)

    bank = {**setup.bank, "blur": replace(setup.bank["blur"], draw=spy)}
    retrain(replace(setup, bank=bank), ALWAYS_BLUR).step()
    assert sum(n_drawn) == len(setup.views.train.y)


def test_random_policies_differ_and_depend_on_the_seed_alone(make_setup: Any) -> None:
    def digests(seed: int) -> list[str]:
        method = random_policy.build(make_setup(seed), RandomPolicyOptions(4))
        found = []
        for _ in range(4):
            method.step()
            policy = method.artifact()
            assert policy is not None
            found.append(policy.digest)
        return found

    assert digests(1) == digests(1)
    assert len({*digests(1), *digests(2)}) == 8
