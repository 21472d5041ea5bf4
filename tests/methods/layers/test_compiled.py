"""torch.compile with generated code, for which a C++ compiler is needed."""

import shutil
from collections.abc import Iterator

import pytest
import torch
import torch._inductor.config
from torch import nn

from augbench.datasets.task import Signal
from augbench.methods import AugNet

SIGNAL = Signal("eeg", (2, 20), ("C3", "C4"), 100.0)


def new_model() -> AugNet:
    torch.manual_seed(1)
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(40, 3))
    return AugNet(trunk, layers=[["time_mask", "gaussian_noise", "sign_flip"]], signal=SIGNAL)


@pytest.fixture
def _compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if shutil.which("g++") is None:
        pytest.skip("no g++, with which torch.compile builds its code")
    # Else compiled code draws other random numbers than eager code.
    monkeypatch.setattr(torch._inductor.config, "fallback_random", True)
    torch.compiler.reset()
    with torch.random.fork_rng():
        yield
    torch.compiler.reset()


@pytest.mark.usefixtures("_compiler")
def test_compiled_by_inductor_it_trains_to_the_losses_of_the_eager_model() -> None:
    plain, model = new_model(), new_model()
    compiled = torch.compile(model)
    losses: list[list[float]] = []
    for each, run in ((plain, plain), (model, compiled)):
        optimizer = torch.optim.Adam(each.parameters(), lr=0.3)  # magnitudes leave their bounds
        losses.append([])
        for step, n in enumerate((16, 16, 16, 5)):  # the last batch of an epoch is smaller
            torch.manual_seed(step)
            loss = each.loss(run(torch.randn(n, *SIGNAL.shape)), torch.arange(n) % 3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    for theirs, ours in zip(plain.describe()[0], model.describe()[0], strict=True):
        assert ours["magnitude"] == pytest.approx(theirs["magnitude"], abs=1e-4)


def test_each_layer_breaks_the_graph_once() -> None:
    torch.compiler.reset()
    explained = torch._dynamo.explain(new_model())(torch.randn(4, *SIGNAL.shape))
    assert explained.graph_break_count == 1
