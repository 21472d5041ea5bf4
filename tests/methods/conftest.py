"""A tiny setup that every method runs on in milliseconds, and a meter that can be checked."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split, Views
from augbench.methods.conformance.counting_meter import CountingMeter
from augbench.methods.training.method import Setup
from augbench.methods.transforms.transform import Transform, per_sample

N_CHANNELS, N_TIMES, N_CLASSES = 2, 16, 3


class TinyTrunk(nn.Module):
    """Has all that makes resuming hard: batch-norm statistics and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(N_CHANNELS, 4, 3)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.dense = nn.Linear(4, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        features = self.norm(self.conv(x)).relu().mean(2)
        logits: Tensor = self.dense(self.drop(features))
        return logits


def tiny_bank() -> dict[str, Transform]:
    """By hand, so that these tests depend on no real transform: graded, ungraded, gradient-free."""

    def one_each(x: Tensor, generator: torch.Generator | None) -> Tensor:
        return torch.rand(len(x), generator=generator, device=x.device)

    def per_entry(x: Tensor, generator: torch.Generator | None) -> Tensor:
        return torch.randn(x.shape, generator=generator, device=x.device)

    def offset(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + per_sample(2 * magnitude * noise, x)

    def blur(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + 0.5 * per_sample(magnitude, x) * noise

    def negate(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        odds = torch.logit(magnitude) + torch.logit(noise, eps=1e-6)
        share = per_sample(torch.sigmoid(odds / 0.05), x)
        return torch.lerp(x, -x, share)

    def quantize(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return torch.where(per_sample(noise, x) < per_sample(magnitude, x), x.detach().round(), x)

    rows = [
        Transform("offset", True, "path", 2.0, "units", "here", one_each, offset),
        Transform("blur", True, "path", 0.5, "units", "here", per_entry, blur),
        Transform("negate", False, "relaxed", 1.0, "probability", "here", one_each, negate),
        Transform("quantize", True, "none", 1.0, "units", "here", one_each, quantize),
    ]
    return {row.name: row for row in rows}


def planted(n: int, stream: int) -> Split:
    """Three uneven classes that differ in the first channel's mean, with noise."""
    generator = torch.Generator().manual_seed(stream)
    y = torch.arange(n) % 4 % N_CLASSES  # class 0 twice as often
    x = torch.randn(n, N_CHANNELS, N_TIMES, generator=generator)
    x[:, 0] += y[:, None].float()
    return Split(x, y)


MakeSetup = Callable[..., Setup]


@pytest.fixture
def meter() -> CountingMeter:
    return CountingMeter()


@pytest.fixture
def bank() -> dict[str, Transform]:
    return tiny_bank()


@pytest.fixture
def make_setup(meter: CountingMeter) -> MakeSetup:
    """A function of the seed; its ``valid`` view is the same for policies and models."""

    def make(seed: int = 0, **settings: int | float | bool | str) -> Setup:
        def trunk() -> nn.Module:
            with global_seed(seed):
                return meter.watch(TinyTrunk())

        valid = planted(20, 2)
        chosen = {"epochs": 6, "batch_size": 10, "learning_rate": 1e-2, "patience": 4, **settings}
        return Setup(
            views=Views(planted(36, 1), valid, valid),
            signal=Signal("eeg", (N_CHANNELS, N_TIMES), ("C3", "C4"), 100.0),
            n_classes=N_CLASSES,
            metric="balanced_accuracy",
            trunk=trunk,
            bank=tiny_bank(),
            training=TrainingSettings(**chosen),  # type: ignore[arg-type]
            seeds=Seeds(("test", seed)),
            meter=meter,
            device=torch.device("cpu"),
        )

    return make


@pytest.fixture
def setup(make_setup: MakeSetup) -> Setup:
    return make_setup()


@pytest.fixture(scope="session")
def as_images() -> Callable[[Setup], Setup]:
    """The same setup with its windows folded into images of two colours, 4 x 4."""

    def fold(setup: Setup) -> Setup:
        views = Views(*(Split(s.x.unflatten(2, (4, 4)), s.y) for s in setup.views))
        return replace(
            setup,
            views=views,
            signal=Signal("image", (N_CHANNELS, 4, 4)),
            trunk=lambda: nn.Sequential(nn.Flatten(2), setup.trunk()),
        )

    return fold


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
