"""A folder with all that the commands of README and docs name: `from page_folder import ...`."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from nights import write_sleep_edf

RUN = """
name = "mine"
folds = 2
[tasks.digits]
training = { epochs = 1 }
[methods.none]
[methods.augnet]
layers = [["rotate"]]
[methods.random_policy]
n_policies = 1
[methods.dada]
epochs = 1
epochs_per_point = 1
"""
NIGHTS = """
name = "my"
folds = 1
[tasks.nights]
task = "recordings"
path = "my_nights"
files = "*PSG.edf"
events_files = "*Hypnogram.edf"
night = "^.{6}"
subject = "^SC4(..)"
channels = ["Fpz", "Pz"]
window_seconds = 30.0
[tasks.nights.events]
W = "Sleep stage W"
N2 = "Sleep stage 2"
[methods.none]
"""
RUNS = {"docs/logging.md": "quickstart", "docs/policies.md": "mine", "docker/README.md": "ssvep"}
REAL = ("ssvep_exo", "cifar-10-batches-py")


def prepare(folder: Path, page: str, real: Path | None, finished: Path) -> None:
    """Write the files that a page's commands read, and the folder ``data``.

    ``real`` holds real data, which are linked; ``finished`` is a finished run of RUN, to be copied.
    """
    (folder / "data").mkdir(parents=True)
    for name in REAL if real else ():
        if (real / name).exists():
            (folder / "data" / name).symlink_to(real / name)
    if page in RUNS:
        shutil.copytree(finished, folder / "runs" / RUNS[page])
    if page == "README.md" and not (folder / "data" / "ssvep_exo").exists():
        shutil.copytree(finished, folder / "runs" / "ssvep")  # which its command cannot make
    if page == "docs/own-data.md":
        _own_data(folder)
    if page == "docs/policies.md":
        (folder / "genotype.py").write_text("CIFAR10 = [[('Rotate', 0.5, 0.75)]]\n")


def _own_data(folder: Path) -> None:
    """Arrays, nights and pictures, and a suite of the nights."""
    random = np.random.default_rng(0)
    for name in ("mine", "train", "test"):
        x, y = random.normal(size=(60, 2, 100)), np.arange(60) % 2
        np.savez(folder / f"{name}.npz", x=x.astype(np.float32), y=y, sampling_rate=100.0)
    (folder / "my_nights").mkdir()
    for subject in range(6):
        write_sleep_edf(folder / "my_nights", f"SC4{subject:02d}1E0", rate=100.0)
    (folder / "data" / "my_nights").symlink_to(folder / "my_nights")
    (folder / "my.toml").write_text(NIGHTS)
    for label in ("cats", "dogs"):
        (folder / "my_pictures" / label).mkdir(parents=True)
        for i in range(30):
            pixels = random.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "my_pictures" / label / f"{i}.png")
