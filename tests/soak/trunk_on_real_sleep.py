"""The trunk of Table 3 on real EEG, beside a linear model: can it learn sleep from so little?

    AUGBENCH_DATA=data PYTHONPATH=tests/kit python tests/soak/trunk_on_real_sleep.py [N_EPOCHS]

On the 475 windows of DREAMS Spindles, leaving out one of 8 people at a time; the trunk learns from
windows that begin every 5 s. Three minutes on one core for 10 epochs. Measured on 26 November 2026,
the linear model .554, the trunk .555 (seed 0) and .578 (seed 1). With the windows that do not
overlap and 20 epochs, a third of the steps, the trunk had .40.
"""

import os
import sys
from pathlib import Path

import mne
import numpy as np
import torch
from torch import Tensor

from augbench.datasets.seeds import global_seed
from augbench.datasets.standardise import standardise
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from dreams_spindles import (
    CLASSES,
    FOLDER,
    Window,
    balanced_accuracy,
    logistic_regression,
    read_windows,
)

RATE = 100  # hertz
BATCH = 16


def prepared(windows: list[Window]) -> Tensor:
    """(N, 1, 30 * RATE), from 0.3 to 24 Hz, each window with mean 0 and deviation 1."""
    rows = []
    for window in windows:
        x = window.microvolts.astype(np.float64)
        x = mne.filter.resample(x, up=RATE, down=window.rate, verbose="error")
        rows.append(mne.filter.filter_data(x, RATE, 0.3, 24.0, verbose="error"))
    return torch.from_numpy(standardise(np.stack(rows)[:, None]))


def trained(x: Tensor, y: Tensor, n_epochs: int, seed: int) -> torch.nn.Module:
    """The trunk after so many epochs of Adam with the paper's settings, without early stopping."""
    with global_seed(seed):
        trunk = TRUNKS["sleep_stager"](Signal("eeg", (1, 30 * RATE), ("C3",), RATE), len(CLASSES))
        weight = len(y) / (len(CLASSES) * torch.bincount(y, minlength=len(CLASSES)))
        optimiser = torch.optim.Adam(trunk.parameters(), 1e-3, betas=(0.0, 0.999))
        n_steps = n_epochs * (len(y) // BATCH)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
        trunk.train()
        for _ in range(n_epochs):
            for rows in torch.randperm(len(y))[: len(y) // BATCH * BATCH].split(BATCH):
                loss = torch.nn.functional.cross_entropy(trunk(x[rows]), y[rows], weight)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                cosine.step()
    trunk.eval()
    return trunk


def trunk_scores(windows: list[Window], n_epochs: int, seed: int) -> list[float]:
    """Balanced accuracy on each person of a trunk that has seen the others."""
    x = prepared(windows)
    y = torch.tensor([window.label for window in windows])
    person = np.array([window.person for window in windows])
    apart = np.array([window.apart for window in windows])
    scores = []
    for left_out in np.unique(person):
        seen = torch.from_numpy(np.flatnonzero(person != left_out))
        tested = torch.from_numpy(np.flatnonzero((person == left_out) & apart))
        trunk = trained(x[seen], y[seen], n_epochs, seed)
        with torch.no_grad():
            found = trunk(x[tested]).argmax(1)
        scores.append(balanced_accuracy(y[tested].numpy(), found.numpy()))
    return scores


def main() -> None:
    n_epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    beside = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("AUGBENCH_DATA", beside))
    windows = read_windows(root)
    if not windows:
        print(f"skipped: no {FOLDER} under {root}; AUGBENCH_DATA names another folder")
        return
    torch.set_num_threads(1)
    rows = {"logistic regression": logistic_regression(windows)}
    overlapping = read_windows(root, overlapping=True)
    rows["sleep_stager"] = trunk_scores(overlapping, n_epochs, seed=0)
    print(f"balanced accuracy on each of 8 people, {n_epochs} epochs")
    for name, scores in rows.items():
        print(f"{name:22}", *(f"{s:.2f}" for s in scores), f" mean {np.mean(scores):.3f}")


if __name__ == "__main__":
    main()
