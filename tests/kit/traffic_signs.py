"""Small image files in the layout of GTSRB, whose real pictures are not at hand."""

from pathlib import Path

import numpy as np
from PIL import Image

N_CLASSES = 43
HEAD = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2"


def write_gtsrb(root: Path, n_tracks: int = 2, n_frames: int = 3, n_test: int = 86) -> None:
    """Final_Training/Images/CLASS/*.ppm with a table each; Final_Test/Images flat with one."""
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (N_CLASSES, 3))
    train = root / "GTSRB" / "Final_Training" / "Images"
    for label in range(N_CLASSES):
        folder = train / f"{label:05d}"
        folder.mkdir(parents=True)
        lines = [f"{HEAD};ClassId"]
        for track in range(n_tracks):
            for frame in range(n_frames):
                name = f"{track:05d}_{frame:05d}.ppm"
                lines.append(f"{_write(folder / name, colours[label], random)};{label}")
        (folder / f"GT-{label:05d}.csv").write_text("\r\n".join(lines) + "\r\n")
    test = root / "GTSRB" / "Final_Test" / "Images"
    test.mkdir(parents=True)
    lines, blind = [f"{HEAD};ClassId"], [HEAD]
    for number in range(n_test):
        line = _write(test / f"{number:05d}.ppm", colours[number % N_CLASSES], random)
        lines.append(f"{line};{number % N_CLASSES}")
        blind.append(line)
    (test / "GT-final_test.csv").write_text("\r\n".join(lines) + "\r\n")
    (test / "GT-final_test.test.csv").write_text("\r\n".join(blind) + "\r\n")
    (root / "GTSRB" / "Readme.txt").write_text("This is a rehearsal.")


def _write(path: Path, colour: np.ndarray, random: np.random.Generator) -> str:
    """Write an image of one colour with noise; the beginning of its line in a table."""
    height, width = random.integers(15, 40, 2)
    noise = random.integers(-20, 21, (height, width, 3))
    Image.fromarray((colour + noise).clip(0, 255).astype(np.uint8)).save(path)
    return f"{path.name};{width};{height};5;5;{width - 5};{height - 5}"
