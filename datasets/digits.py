"""The handwritten digits in scikit-learn: real images, without a download."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import torch

from augbench.datasets import banks
from augbench.datasets.folds import make_fold, stratified
from augbench.datasets.options.tasks import DigitsOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.parts import count_parts
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Fold, Parts, Signal, Task, fingerprint

WHITE = 16.0  # the data set's brightest value


def digits(options: DigitsOptions, data: Path, seed: int) -> Task:
    """Build the task: ten digits, x (N, 1, 8, 8) in [0, 1]; ``data`` is not used.

    Raises UserError for impossible options.
    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    # As sklearn.datasets.load_digits, whose import takes a second of each process.
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(str(file), delimiter=",")  # (1797, 65): 64 pixels and the digit
    x = torch.from_numpy(table[:, :-1] / WHITE).float().reshape(-1, 1, 8, 8)
    y = torch.from_numpy(table[:, -1]).long()
    rows = stratified(y, options.n_folds, options.valid_share, Seeds((seed, "digits")))

    def parts(k: int) -> Parts:
        return count_parts(y, rows[k], 10)

    def fold(k: int) -> Fold:
        return make_fold(x, y, rows[k])

    return Task(
        name="digits",
        signal=Signal("image", (1, 8, 8)),
        class_names=tuple("0123456789"),
        n_folds=options.n_folds,
        fold=fold,
        trunk="small_conv_net",
        transforms=banks.IMAGE,
        training=TrainingSettings(
            epochs=30,
            batch_size=64,
            learning_rate=3e-3,
            beta1=0.9,
            patience=10,
            class_weights=False,
        ),
        metric="accuracy",
        fingerprint=fingerprint(x, y),
        parts=parts,
    )
