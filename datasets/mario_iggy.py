"""Two pictures, turned at random: which one is it, and is its head up or down?"""

from dataclasses import dataclass
from math import inf, pi
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from datasets.errors import UserError
from datasets.figures import lizard, plumber, read_picture
from datasets.folds import Rows, check_share, cut, hold_out
from datasets.seeds import Seeds
from datasets.task import Fold, Signal, Task, TrainingSettings, fingerprint

SIDE = 32  # pixels
CHUNK = 1000  # images that are turned at a time


@dataclass(frozen=True)
class MarioIggyOptions:
    """Which pictures, how many, how far turned."""

    n_train: int = 12500  # training and validation together; the paper trains on 10000
    n_test: int = 5000
    n_folds: int = 5  # independent draws
    valid_share: float = 0.2  # of n_train; the paper has no validation set
    half_range: float = pi / 4  # radians to either side of upright, and of upside down
    # Two files under the data folder, squares, brought to 32 x 32; None: two figures of our own.
    pictures: tuple[str, str] | None = None


def mario_iggy(options: MarioIggyOptions, data: Path, seed: int) -> Task:
    """The task of section 4.1: x is (N, 3, 32, 32), the label twice the picture plus upside down.

    Raises UserError for options that cannot be, and pictures that cannot be read.
    Source: Benton et al. 2020 (Augerino); AugNet, section 4.1 and figure A.1.
    """
    _check(options)
    if options.pictures is None:
        pictures = torch.stack([plumber(SIDE), lizard(SIDE)])
    else:
        pictures = torch.stack([read_picture(data / name, SIDE) for name in options.pictures])
    seeds = Seeds((seed, "mario_iggy"))
    draws = [_draw(options, seeds.child("fold", k)) for k in range(options.n_folds)]

    def fold(k: int) -> Fold:
        y, angles = draws[k]
        x = torch.cat(
            [
                turned(pictures[y[rows] // 2], angles[rows]).float()
                for rows in torch.arange(len(y)).split(CHUNK)
            ]
        )
        rows = hold_out(y[: options.n_train], options.valid_share, seeds.child("fold", k))
        return cut(x, y, Rows(*rows, torch.arange(options.n_train, len(y))))

    return Task(
        name="mario_iggy",
        signal=Signal("image", (3, SIDE, SIDE)),
        class_names=("plumber up", "plumber down", "lizard up", "lizard down")
        if options.pictures is None
        else ("first up", "first down", "second up", "second down"),
        n_folds=options.n_folds,
        fold=fold,
        trunk="conv_net",
        transforms=("translate_x", "translate_y", "rotate", "shear_x", "shear_y"),
        ranges={"rotate": 180.0},
        training=TrainingSettings(
            epochs=20,
            batch_size=128,
            learning_rate=5e-4,
            beta1=0.9,
            # On everything, magnitudes included: a hidden part of the paper's experiment.
            weight_decay=1.0,
            patience=20,  # none: the paper trains all 20 epochs
            class_weights=False,
        ),
        metric="accuracy",
        fingerprint=fingerprint(pictures, *(tensor for draw in draws for tensor in draw)),
    )


def turned(pictures: Tensor, angles: Tensor) -> Tensor:
    """(N, 3, H, H), (N,) radians counter-clockwise -> (N, 3, H, H), bilinear, zeros outside."""
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    rows = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(rows, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False).clamp(0, 1)


def _draw(options: MarioIggyOptions, seeds: Seeds) -> tuple[Tensor, Tensor]:
    """Labels (n_train + n_test,), even in both parts, and angles in radians, in float64."""
    generator = seeds.generator("angles")
    y = torch.cat([_even_labels(n, generator) for n in (options.n_train, options.n_test)])
    uniform = torch.rand(len(y), generator=generator, dtype=torch.float64)
    up = options.half_range * (2 * uniform - 1)
    down = torch.where(up < 0, up + pi, up - pi)
    return y, torch.where(y % 2 == 0, up, down)


def _even_labels(n: int, generator: Generator) -> Tensor:
    return (torch.arange(n) % 4)[torch.randperm(n, generator=generator)]


def _check(options: MarioIggyOptions) -> None:
    check_share(options.valid_share)
    for name, least in (("n_train", 8), ("n_test", 4), ("n_folds", 1)):
        given = getattr(options, name)
        if given < least:
            raise UserError(f"{name} is {given}; mario_iggy needs at least {least}")
    if not 0 <= options.half_range < inf or options.half_range >= pi / 2:
        raise UserError(
            f"half_range is {options.half_range}; it has to be in [0, pi / 2) radians, or up and "
            "down could not be told apart"
        )
