"""Updates as CUDA graphs do what updates one by one do."""

import random
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserNotice
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split
from augbench.methods.layers.augnet import AugNet
from augbench.methods.training.graphed_update import (
    VARIABLE,
    _cpu_generators,
    _own_buffers,
    put_back_buffers,
    shape_of,
    warn_not_recorded,
)
from augbench.methods.training.training import Training

from ..conftest import CountingMeter, TinyTrunk

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

N = 44  # two batches of 16, and one of 12
SETTINGS = TrainingSettings(epochs=6, patience=6, schedule="cosine", weight_decay=1e-4)
TRANSFORMS = ["time_mask", "gaussian_noise", "frequency_shift", "sign_flip", "channel_dropout"]


class Counts(nn.Module):
    """A trunk that puts a new tensor in the place of a buffer."""

    level: Tensor

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        self.register_buffer("level", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.level = 0.9 * self.level + 1.0
        logits: Tensor = self.trunk(x)
        return logits


class DropsByChance(nn.Module):
    """A trunk that decides in Python what it does."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.trunk(x)
        return logits if random.random() < 0.5 else -logits


class Waits(nn.Module):
    """A trunk that looks at numbers, as no graph can."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.trunk(x)
        return logits if float(logits.detach().sum()) < 1e9 else -logits


def split(seed: int, device: str) -> Split:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(N, 2, 16, generator=generator)
    return Split(x.to(device), (x[:, 0].mean(1) > 0).long().to(device))


def make_trunk() -> nn.Module:
    with global_seed(3):
        return TinyTrunk().cuda()


def make_augnet(**named: Any) -> AugNet:
    signal = Signal("eeg", (2, 16), ("C3", "C4"), sampling_rate=32.0)
    return AugNet(make_trunk(), layers=[TRANSFORMS, TRANSFORMS], signal=signal, **named).cuda()


def training(
    model: nn.Module, meter: CountingMeter | None = None, *, device: str = "cuda", **named: Any
) -> Training:
    return Training(
        model,
        split(0, device),
        split(1, device),
        settings=SETTINGS,
        n_classes=3,
        metric="accuracy",
        seeds=Seeds(("graphs",)),
        meter=meter or CountingMeter(),
        **named,
    )


def trained(model: nn.Module, n_epochs: int = 3, **named: Any) -> Training:
    if isinstance(model, AugNet) and "penalty" not in named:
        named["penalty"] = model.penalty
    run = training(model, **named)
    for _ in range(n_epochs):
        run.step()
    return run


def weights(run: Training) -> dict[str, Tensor]:
    return {name: tensor.cpu().float() for name, tensor in run.model.state_dict().items()}


@on_gpu
@pytest.mark.parametrize("make", [make_trunk, make_augnet])
def test_a_graph_trains_as_updates_one_by_one_do(make: Any, monkeypatch: Any) -> None:
    graphed = trained(make())
    assert graphed.graphed is not None
    monkeypatch.setenv(VARIABLE, "0")
    plain = trained(make())
    assert plain.graphed is None
    torch.testing.assert_close(weights(graphed), weights(plain), rtol=1e-4, atol=1e-5)
    assert graphed.last_loss == pytest.approx(plain.last_loss, rel=1e-4)
    assert graphed.train_accuracy == plain.train_accuracy


@on_gpu
@pytest.mark.parametrize("make", [make_trunk, make_augnet])
def test_training_goes_on_bit_for_bit_where_it_stopped(make: Any) -> None:
    whole = trained(make(), 4)
    stopped = trained(make(), 2)
    state = deepcopy(stopped.state_dict())
    model = make()
    resumed = training(model, penalty=model.penalty if isinstance(model, AugNet) else None)
    resumed.load_state_dict(state)
    resumed.step()
    resumed.step()
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


@on_gpu
def test_each_update_draws_noise_of_its_own() -> None:
    class Noise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.scale + torch.randn(len(x), 3, device=x.device)

    run = training(Noise().cuda())
    run._set_rates()
    x, y = run.train.x[:16], run.train.y[:16]
    run.model.train()
    run._record(x, y)
    assert run.graphed is not None
    before = torch.cuda.get_rng_state()
    losses = [run.graphed(x, y)[0].item() for _ in range(3)]
    assert len(set(losses)) == 3
    torch.cuda.set_rng_state(before)
    assert run.graphed(x, y)[0].item() != losses[1]


@on_gpu
def test_to_record_changes_nothing_and_is_charged_to_setup() -> None:
    meter = CountingMeter()
    run = training(make_augnet(), meter)
    run.epoch = 1
    run._set_rates()
    run.model.train()
    before, noise = deepcopy(run.model.state_dict()), torch.cuda.get_rng_state()
    run._record(run.train.x[:16], run.train.y[:16])
    assert run.graphed is not None
    assert meter.opened == ["setup"]
    assert not meter.told
    assert torch.equal(torch.cuda.get_rng_state(), noise)
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    state = run.optimizer.state_dict()["state"]
    assert all(not each.any() for parameter in state.values() for each in parameter.values())


@on_gpu
@pytest.mark.parametrize("kind", [Waits, Counts, DropsByChance])
def test_a_trunk_that_cannot_be_recorded_trains_without_and_says_so(
    kind: type[nn.Module], monkeypatch: Any
) -> None:
    random.seed(0)
    with pytest.warns(UserNotice, match="cannot be recorded"):
        run = trained(kind(make_trunk()))
    assert run.graphed is None
    monkeypatch.setenv(VARIABLE, "0")
    random.seed(0)
    if kind is DropsByChance:  # the first attempt to record draws too
        return
    plain = trained(kind(make_trunk()))
    torch.testing.assert_close(weights(run), weights(plain), rtol=1e-4, atol=1e-5)


def test_a_buffer_that_forward_replaces_is_put_back_and_named() -> None:
    model = nn.Sequential(Counts(nn.Flatten()), nn.BatchNorm1d(32))
    before = _own_buffers(model)
    level = model[0].level
    assert put_back_buffers(model, before) == []
    model(torch.randn(4, 2, 16))  # batch norm writes into its buffers
    assert put_back_buffers(model, before) == ["level"]
    assert model[0].level is level
    assert level == 0


def test_numbers_that_are_drawn_on_the_cpu_are_seen() -> None:
    before = _cpu_generators()
    assert _cpu_generators() == before
    for draw in (random.random, np.random.rand, lambda: torch.rand(1)):
        known = _cpu_generators()
        draw()
        assert _cpu_generators() != known


def test_what_python_decides_tells_one_graph_from_another() -> None:
    signal = Signal("eeg", (2, 16), ("C3", "C4"), sampling_rate=32.0)
    model = AugNet(nn.Flatten(), layers=[TRANSFORMS], signal=signal, temperature=1.0)
    x = torch.zeros(4, 2, 16)
    shape = shape_of(model, x)
    assert shape_of(model, x) == shape
    assert shape_of(model, x[:3]) != shape
    model.layers.requires_grad_(False)
    assert shape_of(model, x) != shape
    model.layers.requires_grad_(True)
    with torch.no_grad():
        model.layers[0].hidden_weights[0] = -100.0
    model.train()
    assert shape_of(model, x) != shape


@pytest.mark.parametrize("message", ["", "why\nand where"])
def test_the_reason_is_one_line_whatever_the_error_says(message: str) -> None:
    with pytest.warns(UserNotice, match=r"\((why|NotImplementedError)\)"):
        warn_not_recorded(NotImplementedError(message))


def test_a_checkpoint_that_a_gpu_wrote_goes_on_on_a_cpu() -> None:
    def on_cpu() -> Training:
        with global_seed(3):
            return training(TinyTrunk(), device="cpu")

    whole, stopped, resumed = on_cpu(), on_cpu(), on_cpu()
    whole.step()
    whole.step()
    stopped.step()
    state = deepcopy(stopped.state_dict())
    for group in state["optimizer"]["param_groups"]:
        group |= {"capturable": True, "fused": True, "lr": torch.tensor(group["lr"])}
    resumed.load_state_dict(state)
    resumed.step()
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


@on_gpu
def test_it_is_recorded_anew_when_layers_begin_to_learn_or_lose_a_transform() -> None:
    def learn_from_2(epoch: int) -> None:
        model.layers.requires_grad_(epoch > 1)

    model = make_augnet(temperature=1.0)
    run = training(model, penalty=model.penalty, before_epoch=learn_from_2)
    start = model.layers[0].magnitudes.detach().clone()
    run.step()
    first = run.graphed
    assert torch.equal(model.layers[0].magnitudes, start)
    run.step()
    second = run.graphed
    assert second is not first
    assert not torch.equal(model.layers[0].magnitudes, start)
    run.step()
    assert run.graphed is second
    with torch.no_grad():
        model.layers[0].hidden_weights[0] = -100.0
    run.step()
    assert run.graphed is not second
    assert model.layers[0].used == [1, 2, 3, 4]
    assert model.layers[0].weights[0] == 0


@on_gpu
def test_magnitudes_stay_within_their_bounds(monkeypatch: Any) -> None:
    model = make_augnet(penalty=1000.0, initial_magnitude=0.99)
    run = trained(model, 3)
    assert run.graphed is not None
    for layer in model.layers:
        raw = dict(layer.named_parameters())["magnitudes"]
        assert float(raw.detach().max()) <= 1.0
        assert float(layer.magnitudes.detach().max()) <= 1.0
