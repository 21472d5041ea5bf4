"""What speed is measured against: braindecode's networks in skorch's loop, and their signals."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from augbench.datasets.task import Signal

if TYPE_CHECKING:
    from skorch import NeuralNetClassifier

SLEEP = Signal("eeg", (6, 3000), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
SSVEP = Signal("eeg", (8, 640), ("PO7", "PO3", "POz", "PO4", "PO8", "O1", "Oz", "O2"), 128.0)


def braindecodes(trunk: str, signal: Signal, n_classes: int) -> nn.Module:
    """The network of braindecode that a trunk of ours stands for."""
    from braindecode.models import EEGNetv4, SleepStagerChambon2018  # the import takes seconds

    sizes = {"n_chans": signal.n_channels, "n_outputs": n_classes, "n_times": signal.n_times}
    if trunk == "eegnet":
        return EEGNetv4(**sizes)
    return SleepStagerChambon2018(sfreq=signal.sampling_rate, dropout=0.5, **sizes)


def skorchs(network: nn.Module, batch_size: int, device: str = "cpu") -> "NeuralNetClassifier":
    """skorch's loop around a network, without validation and printing, ready to train."""
    from skorch import NeuralNetClassifier

    return NeuralNetClassifier(
        network,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        device=device,
    ).initialize()
