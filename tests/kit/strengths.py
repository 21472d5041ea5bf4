"""How strong did a transform act? Measured from what it did, for each graded transform."""

import colorsys
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.transform import Transform

N = 600
CAP = ("C3", "C4", "F3", "F4", "O1", "O2")
SECONDS = Signal("eeg", (1, 640), (), 128.0)
MANY_CHANNELS = Signal("eeg", (400, 1), (), 128.0)
ON_THE_CAP = Signal("eeg", (6, 4), CAP, 128.0)
SIDE = 41
PICTURE = Signal("image", (3, SIDE, SIDE))


class Measure(NamedTuple):
    """A signal, a batch (N, ...) of it, and (transform, x, what it became) -> (N,) in its unit."""

    signal: Signal
    x: Tensor
    strength: Callable[[Transform, Tensor, Tensor], Tensor]
    tolerance: float = 0.06  # of the distribution function: more where strengths are few numbers


def _noise(signal: Signal) -> Tensor:
    one = torch.randn(1, *signal.shape, generator=torch.Generator().manual_seed(0))
    return one.expand(N, *signal.shape).clone()


def _dot(down: int, right: int) -> Tensor:
    x = torch.zeros(N, *PICTURE.shape)
    x[:, :, SIDE // 2 + down, SIDE // 2 + right] = 1.0
    return x


def _place(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) -> pixels down and right of the centre, of the brightness."""
    from_centre = torch.arange(SIDE) - SIDE // 2
    share = x.mean(1) / x.mean(1).sum((1, 2), keepdim=True)
    return (share.sum(2) * from_centre).sum(1), (share.sum(1) * from_centre).sum(1)


def _flat(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1).repeat(N, 1, SIDE, SIDE)


def _ramp(levels: int) -> Tensor:
    column = torch.linspace(0, 1, levels).view(1, 1, 1, levels)
    return column.repeat(N, 3, 1, 1)


def _phase(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    turned = torch.fft.rfft(out)[:, 0, 1:-1] / torch.fft.rfft(x)[:, 0, 1:-1]
    return ((turned.angle() + 1e-2) % (2 * torch.pi) - 1e-2).amax(1)


def _shift(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    peak = torch.fft.rfft(out[:, 0], n=1 << 14).abs().argmax(1)
    return (peak * 128 / (1 << 14) - 20.0).abs()


def _band(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    kept = (torch.fft.rfft(out) / torch.fft.rfft(x)).abs()[:, 0]
    return (1 - kept).sum(1) / 5.0  # bins of 0.2 Hz


def _angle(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    """The angle of which the output is; the noise of a rotation is its share of the magnitude."""
    share = torch.linspace(-1, 1, 401)
    possible = transform.apply(x[:1].expand(401, -1, -1), torch.ones(401), share)
    nearest = torch.cdist(out.flatten(1), possible.flatten(1)).argmin(1)
    return 30.0 * share[nearest].abs()


def _hue(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    hues = [colorsys.rgb_to_hsv(*pixel)[0] for pixel in out[:, :, 0, 0].tolist()]
    return torch.tensor([min(hue, 1 - hue) for hue in hues])


def _side(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    covered = 2 * out[:, 0]  # of grey, which is 0.5
    return torch.maximum(covered.sum(1).amax(1), covered.sum(2).amax(1)) / SIDE


def _own_weight(transform: Transform, x: Tensor, out: Tensor) -> Tensor:
    return 1 - out.flatten(1)[torch.arange(N), torch.arange(N)]


def _change(dull: float) -> Callable[[Transform, Tensor, Tensor], Tensor]:
    """Of the first pixel's red from its dull version."""
    return lambda transform, x, out: ((out[:, 0, 0, 0] - dull) / (x[:, 0, 0, 0] - dull) - 1).abs()


_colour = _flat(0.45, 0.5, 0.5)
_checked = _flat(0.7, 0.7, 0.7)
_checked[:, :, :, SIDE // 2 :] = 0.3
_mean = float(_checked[0, 0].mean())
_peak = _flat(0.5, 0.5, 0.5)
_peak[:, :, 3, 3] = 0.6

MEASURES: dict[str, Measure] = {
    "time_mask": Measure(SECONDS, torch.ones(N, 1, 640), lambda t, x, o: (x - o).sum((1, 2))),
    "gaussian_noise": Measure(SECONDS, torch.zeros(N, 1, 640), lambda t, x, o: o.std((1, 2))),
    "ft_surrogate": Measure(SECONDS, _noise(SECONDS), _phase),
    "frequency_shift": Measure(
        SECONDS,
        torch.cos(2 * torch.pi * 20.0 * torch.arange(640) / 128).expand(N, 1, 640).clone(),
        _shift,
    ),
    "band_stop": Measure(SECONDS, _noise(SECONDS), _band),
    "channel_dropout": Measure(
        MANY_CHANNELS, torch.ones(N, 400, 1), lambda t, x, o: (o < 0.5).float().mean((1, 2))
    ),
    "channel_shuffle": Measure(
        MANY_CHANNELS,
        torch.arange(400.0).view(1, 400, 1).repeat(N, 1, 1),
        lambda t, x, o: (o != x).float().mean((1, 2)),
    ),
    **{f"rotation_{axis}": Measure(ON_THE_CAP, _noise(ON_THE_CAP), _angle) for axis in "xyz"},
    "translate_x": Measure(PICTURE, _dot(0, 0), lambda t, x, o: _place(o)[1].abs() / SIDE),
    "translate_y": Measure(PICTURE, _dot(0, 0), lambda t, x, o: _place(o)[0].abs() / SIDE),
    "rotate": Measure(
        PICTURE,
        _dot(0, 15),
        lambda t, x, o: torch.rad2deg(torch.atan2(*_place(o))).abs(),
    ),
    "shear_x": Measure(PICTURE, _dot(15, 0), lambda t, x, o: _place(o)[1].abs() / 15),
    "shear_y": Measure(PICTURE, _dot(0, 15), lambda t, x, o: _place(o)[0].abs() / 15),
    "crop": Measure(PICTURE, _dot(0, 0), lambda t, x, o: _place(o)[0].abs() / SIDE, 0.2),
    "brightness": Measure(PICTURE, _colour, _change(0.0)),
    "contrast": Measure(PICTURE, _checked, _change(_mean)),
    "saturation": Measure(PICTURE, _colour, _change(0.299 * 0.45 + 0.701 * 0.5)),
    "sharpness": Measure(PICTURE, _peak, lambda t, x, o: ((o - x)[:, 0, 3, 3] / (0.8 / 13)).abs()),
    "hue": Measure(PICTURE, _flat(1.0, 0.0, 0.0), _hue),
    "solarize": Measure(
        Signal("image", (3, 1, 1000)),
        _ramp(1000),
        lambda t, x, o: (o != x).float().mean((1, 2, 3)),
    ),
    "posterize": Measure(
        Signal("image", (3, 1, 256)),
        _ramp(256),
        lambda t, x, o: torch.tensor([8 - len(row.unique()).bit_length() + 1.0 for row in o]),
        0.15,
    ),
    "cutout": Measure(PICTURE, torch.zeros(N, *PICTURE.shape), _side, 0.1),
    "sample_pairing": Measure(
        Signal("image", (1, 1, N)), torch.eye(N).view(N, 1, 1, N), _own_weight
    ),
}
