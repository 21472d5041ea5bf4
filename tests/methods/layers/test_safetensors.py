"""safetensors hold models, layers and policies, and give the same outputs back."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.task import Signal
from augbench.methods import AugmentationLayer, AugNet, Operation, Policy, Subpolicy, make_bank
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.transform import Transform

safetensors = pytest.importorskip("safetensors.torch")
WAVES = Signal("eeg", (6, 100), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
PICTURES = Signal("image", (3, 8, 8))


def learnable(signal: Signal) -> list[Transform]:
    bank = make_bank(EEG if signal.kind == "eeg" else IMAGE, signal)
    return [each for each in bank.values() if each.gradient != "none"]


def learned(module: nn.Module) -> nn.Module:
    """The same module with parameters as a training leaves them, some out of their bounds."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, each in module.named_parameters():
            noise = torch.rand(each.shape, generator=generator)
            each.copy_(noise * (1.2 if "magnitudes" in name else 0.02))
    return module


def augnet(signal: Signal) -> nn.Module:
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(signal.shape).numel(), 3))
    rows = learnable(signal)
    return AugNet(trunk, layers=[rows[::2], rows[1::2]], signal=signal)


def policy(signal: Signal) -> nn.Module:
    name = "sign_flip" if signal.kind == "eeg" else "horizontal_flip"
    return Policy((Subpolicy((Operation(name, 0.5, None),)),)).as_module(signal)


def tied(signal: Signal) -> nn.Module:
    """A trunk whose two layers share a matrix: safetensors' own functions for modules know it."""
    first, second = nn.Linear(8, 8), nn.Linear(8, 8)
    second.weight = first.weight
    n_inputs = torch.Size(signal.shape).numel()
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 8), first, second)
    return AugNet(trunk, layers=[learnable(signal)[:2]], signal=signal)


MODULES: dict[str, Callable[[Signal], nn.Module]] = {
    "AugNet": augnet,
    "layer": lambda signal: AugmentationLayer(learnable(signal)),
    "policy": policy,
    "tied trunk": tied,
}


def by_module(module: nn.Module, again: nn.Module, file: Path) -> None:
    safetensors.save_model(module, file)
    assert safetensors.load_model(again, file) == (set(), [])


def by_state_dict(module: nn.Module, again: nn.Module, file: Path) -> None:
    safetensors.save_file(module.state_dict(), file)
    again.load_state_dict(safetensors.load_file(file))


def output(module: nn.Module, signal: Signal) -> Tensor:
    x = torch.rand(5, *signal.shape, generator=torch.Generator().manual_seed(1))
    out: Tensor = module(x, generator=torch.Generator().manual_seed(2))
    return out


# `save_file` refuses tensors that are shared, whoever shares them.
WAYS = [(by_module, kind) for kind in MODULES]
WAYS += [(by_state_dict, kind) for kind in MODULES if kind != "tied trunk"]


@pytest.mark.parametrize("signal", [WAVES, PICTURES], ids=["EEG", "images"])
@pytest.mark.parametrize(("way", "kind"), WAYS)
def test_what_is_saved_and_loaded_gives_the_same_outputs(
    way: Callable[[nn.Module, nn.Module, Path], None], kind: str, signal: Signal, tmp_path: Path
) -> None:
    module, again = learned(MODULES[kind](signal)), MODULES[kind](signal)
    way(module, again, tmp_path / "it.safetensors")
    for mode in (True, False):
        assert torch.equal(output(module.train(mode), signal), output(again.train(mode), signal))
