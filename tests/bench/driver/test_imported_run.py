"""Suites that name transforms of kornia and braindecode, run to their scores."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from augbench.analysis import read_results
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.methods import Policy, Signal

IMAGES = """
name = "images"
folds = 1
[tasks.digits]
training = { epochs = 1 }
transforms = ["rotate", "kornia.RandomGaussianBlur", "kornia.RandomPerspective"]
[tasks.digits.imported."kornia.RandomGaussianBlur"]
parameter = "sigma"
range = [0.1, 3.0]
options = { kernel_size = [3, 3] }
[methods.augnet]
layers = [["kornia.RandomPerspective"], ["kornia.RandomGaussianBlur", "rotate"]]
[methods.faster_autoaugment]
budget = { steps = 1 }
[methods.random_policy]
n_policies = 1
"""
WINDOWS = """
name = "windows"
folds = 1
[tasks.arrays]
path = "eeg.npz"
training = { epochs = 1 }
transforms = ["default", "braindecode.FTSurrogate", "braindecode.TimeReverse"]
[methods.augnet]
layers = [["braindecode.TimeReverse", "gaussian_noise"]]
[methods.faster_autoaugment]
budget = { steps = 1 }
[methods.random_policy]
n_policies = 1
"""


def run(suite: str, folder: Path) -> Path:
    (folder / "suite.toml").write_text(suite)
    options = RunOptions(folder / "run", folder, engine="inline")
    assert run_suite(load_suite(folder / "suite.toml"), options, Console(quiet=True))
    return folder / "run"


@pytest.mark.parametrize(("suite", "prefix"), [(IMAGES, "kornia."), (WINDOWS, "braindecode.")])
def test_every_method_is_scored(suite: str, prefix: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2, 100)).astype("float32")
    channels = np.array(["C3", "C4"])
    np.savez(tmp_path / "eeg.npz", x=x, y=np.arange(60) % 2, channels=channels, sampling_rate=100.0)
    directory = run(suite, tmp_path)
    scored = read_results(directory).points
    assert set(scored["method"]) == {"augnet", "faster_autoaugment", "random_policy"}
    assert scored["test"].between(0, 1).all()
    policy = Policy.load(directory, method="faster_autoaugment")
    assert any(name.startswith(prefix) for name in policy.transforms)
    if prefix == "kornia.":
        assert policy.imported["kornia.RandomGaussianBlur"].range == (0.1, 3.0)
        policy.as_module(Signal("image", (1, 8, 8)))
