import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from augbench.methods.training.adam import Adam

TRAIN = """
import sys
import torch
from augbench.datasets.task import Signal
from augbench.methods import AugNet
from augbench.methods.training.adam import Adam

trunk = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 3))
signal = Signal("eeg", (2, 20), ("C3", "C4"), 100.0)
model = AugNet(trunk, layers=[["time_mask", "gaussian_noise"]], signal=signal)
optimizer = Adam(model.parameters())
model.loss(model(torch.randn(4, 2, 20)), torch.arange(4) % 3).backward()
optimizer.step()
optimizer.load_state_dict(optimizer.state_dict())
optimizer.zero_grad()
assert "torch._dynamo" not in sys.modules
"""


def trained(kind: type[torch.optim.Adam], **options: Any) -> list[torch.Tensor]:
    """The weights after ten updates, half of them by an optimizer that goes on from the first."""
    random = torch.Generator().manual_seed(0)
    weights = [torch.randn(3, 5, generator=random).requires_grad_() for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": 0.1, "weight_decay": 0.3}]
    optimizer = kind(groups, lr=0.02, betas=(0.5, 0.9), **options)
    for update in range(10):
        if update == 5:
            state = optimizer.state_dict()
            optimizer = kind(groups, **options)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        for each in weights:
            nn.functional.mse_loss(each.exp(), torch.ones(3, 5)).backward()
        optimizer.step()
    return weights


@pytest.mark.parametrize("fused", [None, True])
def test_the_weights_are_those_of_torchs_adam(fused: bool | None) -> None:
    ours, theirs = (trained(kind, fused=fused) for kind in (Adam, torch.optim.Adam))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not torch.equal(ours[0], ours[1])


def test_an_update_is_not_part_of_the_gradient() -> None:
    weight = torch.ones(2, requires_grad=True)
    optimizer = Adam([weight])
    weight.sum().backward()
    optimizer.step()
    assert weight.requires_grad
    assert weight.is_leaf
    assert weight.grad_fn is None


def test_a_training_does_not_import_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
