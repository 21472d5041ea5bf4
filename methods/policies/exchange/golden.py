"""A golden batch, augmented here and by other software: by how much do the results differ?"""

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.policies.exchange.form import Operate
from augbench.methods.policies.exchange.physical import Chain, largest_strengths
from augbench.methods.transforms import EEG as EEG_TRANSFORMS
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import Transform, draw_signed

N_WINDOWS = 64
N_IMAGES = 64
CAP = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")
EEG = Signal("eeg", (len(CAP), 800), CAP, 100.0)
IMAGE = Signal("image", (3, 32, 32))


def differences(chains: list[Chain], operate: Operate, where: str) -> list[str]:
    """A sentence for each transform in use: it here and there, at its largest strength.

    Where both can act at exactly that strength, the mean difference of the two results stands
    beside the mean change. Where one of them draws something of its own, there are the two changes,
    over a batch of 64.
    """
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that software's own
        torch.manual_seed(0)
        return [
            sentence
            for name, strength in largest_strengths(chains).items()
            if strength != 0.0
            for sentence in _difference(name, strength, operate, where)
        ]


def golden_batch(signal: Signal) -> Tensor:
    """(64, 3, 32, 32) smooth images of 256 levels, or (64, 10, 800) EEG of deviation 1."""
    stream = torch.Generator().manual_seed(20)
    if signal.kind == "eeg":
        noise = torch.randn(N_WINDOWS, *signal.shape, generator=stream)
        waves = F.avg_pool1d(noise, 5, stride=1, padding=2)  # with more low frequencies than high
        return waves / waves.std()
    coarse = torch.rand(N_IMAGES, 3, 8, 8, generator=stream)
    images = F.interpolate(coarse, size=signal.shape[1:], mode="bilinear")
    return (255 * (0.05 + 0.9 * images)).round() / 255


def _difference(name: str, strength: float | None, operate: Operate, where: str) -> list[str]:
    """A sentence; none where that software has no such operation."""
    signal = EEG if name in EEG_TRANSFORMS else IMAGE
    before = golden_batch(signal)
    try:
        theirs = operate(name, strength)
        if theirs is None:
            return []
        after = theirs[0](before.clone())
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:
        return [f"{name}: {where} refuses it ({error})"]
    ranges = {} if strength is None else {name: strength}
    try:
        transform = make_bank([name], signal, ranges)[name]
    except UserError as error:
        return [f"{name}: not with this batch ({error})"]
    at = "" if strength is None else f" at {strength:.3g} {transform.unit}"
    return [f"{name}{at}: {_words(transform, before, after, theirs[1], where)}"]


def _words(transform: Transform, before: Tensor, after: Tensor, same_draw: bool, where: str) -> str:
    stream = torch.Generator().manual_seed(0)
    noise = transform.draw(before, stream)
    sides = _sides(transform, noise) if same_draw else [noise]
    magnitude = torch.ones(len(before))
    ours = [transform.apply(before, magnitude, side) for side in sides]
    if not all(each.isfinite().all() for each in (after, *ours)):
        return f"here or in {where} it gives no finite numbers, so nothing can be compared"
    change = (ours[0] - before).abs().mean().item()
    if same_draw:
        # Which side is positive is a matter of taste where both are as likely.
        nearest = min((each - after).abs().mean().item() for each in ours)
        return f"differs by {nearest:.4f} on average, of a change of {change:.4f}"
    theirs = (after - before).abs().mean().item()
    return f"changes by {change:.4f} on average here, by {theirs:.4f} in {where}"


def _sides(transform: Transform, noise: Tensor) -> list[Tensor]:
    """Noise with which the strength that acts is the largest one, to either side if it has two."""
    if not transform.draws_strength:
        return [noise]
    largest = torch.ones_like(noise)
    return [largest, -largest] if transform.draw is draw_signed else [largest]
