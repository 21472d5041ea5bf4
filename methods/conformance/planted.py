"""A fold as small as can be, with classes that can be learned, and what a method is built from."""

import math

import torch
from torch import Tensor, nn

from augbench.datasets import banks
from augbench.datasets.options.tasks import Kind
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Fold, Signal, Split, Views
from augbench.methods.conformance.counting_meter import CountingMeter
from augbench.methods.training.method import Setup
from augbench.methods.transforms.bank import make_bank

SIGNALS: dict[Kind, Signal] = {
    "eeg": Signal("eeg", (4, 32), ("C3", "C4", "P3", "P4"), 100.0),
    "image": Signal("image", (3, 8, 8)),
}
# Graded, ungraded, and for images one without a gradient. The fewer, the quicker.
FEW: dict[Kind, tuple[str, ...]] = {
    "eeg": ("gaussian_noise", "time_mask", "sign_flip", "channel_dropout"),
    "image": ("rotate", "brightness", "horizontal_flip", "crop"),
}
ALL: dict[Kind, tuple[str, ...]] = {"eeg": banks.EEG, "image": banks.PHOTOGRAPHS}
N_CLASSES = 3
N_TRAIN, N_VALID, N_TEST = 36, 20, 24
TRAINING = TrainingSettings(epochs=4, batch_size=12, learning_rate=1e-2, patience=4)


class TinyTrunk(nn.Module):
    """Has all that makes resuming hard: batch-norm statistics and dropout."""

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self.conv = nn.Conv1d(signal.n_channels, 4, 3)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.dense = nn.Linear(4, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) -> (B, K) logits."""
        features = self.norm(self.conv(x.flatten(2))).relu().mean(2)
        logits: Tensor = self.dense(self.drop(features))
        return logits


def planted_fold(kind: Kind, test: int = 3) -> Fold:
    """Uneven classes that differ in the first channel; ``test`` says which test split is drawn."""
    valid = _planted(kind, N_VALID, 2)
    return Fold(Views(_planted(kind, N_TRAIN, 1), valid, valid), _planted(kind, N_TEST, test))


def _planted(kind: Kind, n: int, stream: int) -> Split:
    generator = torch.Generator().manual_seed(stream)
    y = torch.arange(n) % 4 % N_CLASSES  # class 0 twice as often
    shape = SIGNALS[kind].shape
    x = torch.randn(n, math.prod(shape), generator=generator).reshape(n, *shape)
    x[:, 0] += y.reshape(-1, *[1] * (len(shape) - 1)).float()
    if kind == "image":
        x = (0.5 + x / 10).clamp(0, 1)
    return Split(x, y)


def planted_setup(
    kind: Kind, views: Views, meter: CountingMeter, seed: int, names: tuple[str, ...]
) -> Setup:
    """What a method is built from: these views, and a bank of these transforms."""
    signal = SIGNALS[kind]

    def trunk() -> nn.Module:
        with global_seed(seed):
            return meter.watch(TinyTrunk(signal))

    return Setup(
        views=views,
        signal=signal,
        n_classes=N_CLASSES,
        metric="balanced_accuracy",
        trunk=trunk,
        bank=make_bank(names, signal),
        training=TRAINING,
        seeds=Seeds((seed, "conformance", 0)),
        meter=meter,
        device=torch.device("cpu"),
    )
