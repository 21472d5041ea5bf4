"""Derivatives that are taken forward, through whole models that augment."""

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, jvp, vjp

from augbench.datasets.task import Signal
from augbench.methods.layers.augnet import AugNet
from augbench.methods.layers.lie_layer import GENERATORS, LieLayer
from augbench.methods.transforms import EEG, IMAGE

CAP = Signal("eeg", (6, 200), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
PICTURE = Signal("image", (3, 12, 12))


def augnet(signal: Signal) -> nn.Module:
    """Two layers that mix all transforms with a gradient."""
    names = [name for name in (EEG if signal.kind == "eeg" else IMAGE) if name != "crop"]
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(signal.shape).numel(), 3))
    return AugNet(trunk, layers=[names, names], signal=signal, temperature=1.0)


def lie_layer(signal: Signal) -> nn.Module:
    return LieLayer(tuple(GENERATORS), initial_width=0.3)


@pytest.mark.parametrize(
    ("make", "signal"), [(augnet, CAP), (augnet, PICTURE), (lie_layer, PICTURE)]
)
def test_forward_mode_gives_the_products_of_reverse_mode(make, signal):  # type: ignore[no-untyped-def]
    model = make(signal).double()
    stream = Generator().manual_seed(0)
    x = torch.rand(4, *signal.shape, generator=stream, dtype=torch.float64)
    weights = {name: each.detach() for name, each in model.named_parameters()}
    tangents = {
        name: torch.randn(w.shape, generator=stream).double() for name, w in weights.items()
    }

    def outputs(given: dict[str, Tensor]) -> Tensor:
        out: Tensor = functional_call(model, given, (x, Generator().manual_seed(1)))
        return out

    out, moved = jvp(outputs, (weights,), (tangents,))
    same, back = vjp(outputs, weights)
    torch.testing.assert_close(out, same)
    slope = torch.randn(out.shape, generator=stream).double()
    (slopes,) = back(slope)
    product = torch.stack([(slopes[name] * tangents[name]).sum() for name in weights]).sum()
    torch.testing.assert_close((slope * moved).sum(), product)


def test_a_lie_layer_leaves_an_empty_batch_empty() -> None:
    assert lie_layer(PICTURE)(torch.rand(0, 3, 12, 12)).shape == (0, 3, 12, 12)
