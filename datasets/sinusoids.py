"""Noisy sine waves of four frequencies 2 Hz apart: how far may one be shifted within its class?

A wave lies within h hertz of the frequency of its class, and classes meet 1 Hz from it. So every
wave may be shifted by the margin of 1 - h hertz, which is what a layer learns. It equals h only for
the paper's h = 0.5.
"""

from math import pi
from pathlib import Path

import torch
from torch import Generator, Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.folds import Rows, check_share, hold_out, make_fold
from augbench.datasets.options.margins import MEET
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.parts import count_parts
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Fold, Parts, Signal, Task, fingerprint

FREQUENCIES = (2.0, 4.0, 6.0, 8.0)  # hertz
SAMPLING_RATE = 100.0  # hertz
SECONDS = 10.0


def sinusoids(options: SinusoidsOptions, data: Path, seed: int) -> Task:
    """The task of section 4.2: which frequency generated the wave? x is (N, 1, 1000).

    The data are generated, so ``data`` is not used. Raises UserError for impossible options.
    Source: AugNet, section 4.2 and appendix A.2.
    """
    check_share(options.valid_share)
    for name, least in (("n_train", 8), ("n_test", 4), ("n_folds", 1)):
        given = getattr(options, name)
        if given < least:
            raise UserError(f"{name} is {given}; sinusoids need at least {least}")
    if options.noise < 0:
        raise UserError(f"noise is {options.noise}; a standard deviation is 0 or more")
    if not 0 < options.half_band < MEET:
        raise UserError(
            f"half_band is {options.half_band:g} hertz; it must lie between 0 and {MEET:g}, where "
            "classes would meet"
        )
    seeds = Seeds((seed, "sinusoids"))
    draws = [_draw(options, seeds.child("fold", k)) for k in range(options.n_folds)]

    def rows(k: int) -> Rows:
        y = draws[k][1]
        train, valid = hold_out(y[: options.n_train], options.valid_share, seeds.child("fold", k))
        return Rows(train, valid, torch.arange(options.n_train, len(y)))

    def parts(k: int) -> Parts:
        return count_parts(draws[k][1], rows(k), len(FREQUENCIES))

    def fold(k: int) -> Fold:
        return make_fold(*draws[k], rows(k))

    return Task(
        name="sinusoids",
        signal=Signal("eeg", (1, int(SECONDS * SAMPLING_RATE)), ("Cz",), SAMPLING_RATE),
        class_names=tuple(f"{frequency:g} Hz" for frequency in FREQUENCIES),
        n_folds=options.n_folds,
        fold=fold,
        trunk="freq_net",
        transforms=("frequency_shift", "ft_surrogate", "gaussian_noise"),
        # Those of the official code. The pull of AugNet's lambda on a shift, per hertz, is lambda
        # over the range, so the two belong together.
        ranges={"frequency_shift": 2.0, "ft_surrogate": 0.1 * 2 * pi, "gaussian_noise": 0.1},
        training=TrainingSettings(
            epochs=50,
            batch_size=32,
            learning_rate=1e-2,
            beta1=0.9,
            weight_decay=1e-4,
            patience=50,  # no early stopping: the paper trains all 50 epochs
            class_weights=False,
        ),
        metric="accuracy",
        fingerprint=fingerprint(*(tensor for draw in draws for tensor in draw)),
        parts=parts,
    )


def _draw(options: SinusoidsOptions, seeds: Seeds) -> tuple[Tensor, Tensor]:
    """Waves (n_train + n_test, 1, T) and labels; classes are even in both parts."""
    generator = seeds.generator("waves")
    y = torch.cat([_even_labels(n, generator) for n in (options.n_train, options.n_test)])
    return _waves(y, options, generator), y


def _even_labels(n: int, generator: Generator) -> Tensor:
    labels = torch.arange(n) % len(FREQUENCIES)
    return labels[torch.randperm(n, generator=generator)]


def _waves(y: Tensor, options: SinusoidsOptions, generator: Generator) -> Tensor:
    """(N,) -> (N, 1, T); computed in float64, so that all machines give the same float32."""
    f64 = torch.float64
    centre = torch.tensor(FREQUENCIES, dtype=f64)[y]
    uniform = torch.rand(len(y), generator=generator, dtype=f64)
    frequency = centre + options.half_band * (2 * uniform - 1)
    circle = 2 * pi if options.phase == "uniform" else 4 * pi / centre
    phase = circle * torch.rand(len(y), generator=generator, dtype=f64)
    seconds = torch.arange(int(SECONDS * SAMPLING_RATE), dtype=f64) / SAMPLING_RATE
    waves = torch.sin(2 * pi * frequency[:, None] * seconds + phase[:, None])
    noise = torch.randn(waves.shape, generator=generator, dtype=f64)
    return (waves + options.noise * noise).float().unsqueeze(1)
