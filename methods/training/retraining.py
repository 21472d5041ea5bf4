"""Training a trunk from scratch under a policy: every evaluation, every child of a search."""

from functools import partial

import torch
from torch import Generator, Tensor

from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.training.method import Setup
from augbench.methods.training.training import Training


def retrain(
    setup: Setup,
    policy: Policy,
    *,
    seeds: Seeds | None = None,
    settings: TrainingSettings | None = None,
) -> Training:
    """A training of a new trunk, not yet begun, whose batches the policy augments.

    It stops early by ``setup.views.model_valid``. ``seeds`` and ``settings`` default to the setup's
    own, which ``none`` has too: an empty policy gives exactly its weights, and comparisons are
    paired.
    """
    table = PolicyTable(policy, setup.bank, setup.device)
    return Training(
        setup.trunk().to(setup.device),
        setup.views.train.to(setup.device),
        setup.views.model_valid.to(setup.device),
        settings=settings or setup.training,
        n_classes=setup.n_classes,
        metric=setup.metric,
        seeds=seeds or setup.seeds,
        meter=setup.meter,
        augment=partial(_augment, table),
    )


@torch.no_grad()
def _augment(table: PolicyTable, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
    return table.apply(x, y, generator)
