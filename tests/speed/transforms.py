"""Prints what each transform costs, beside braindecode's and kornia's own for the same parameters.

Run it by ``make speed`` or ``python tests/speed/transforms.py``. One thread,
medians of processor milliseconds, which other jobs move less than the clock on the wall.
Transforms without strength (time reversal, the flips, equalize, ...) are blended by a relaxed
probability here and are bare in braindecode and kornia. braindecode's rotations have no backward
(nan). Where the other has no gradient to the magnitude, and ours has, the row says so: the other's
time with a backward is that of its forward.
"""

import math
import time
import warnings
from collections.abc import Callable
from statistics import median

import kornia
import torch
from braindecode.augmentation import functional
from torch import Tensor
from torch.nn.functional import cross_entropy

from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.methods.augnet import SENSORS
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.electrodes import directions

CHANNELS = ("C3", "C4", "F3", "F4", "O1", "O2")
LAYER = ("time_reverse", "gaussian_noise", "time_mask", "ft_surrogate", "frequency_shift")
MOVES = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")
RATE = 100.0
HALF = torch.tensor(0.5)


Reference = Callable[[Tensor, Tensor], Tensor]  # x, magnitude () -> x


def milliseconds(work: Callable[[], object], repeats: int = 15) -> float:
    """The median of several runs after three that do not count."""
    for _ in range(3):
        work()
    spans = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        spans.append(time.process_time() - start)
    return 1000 * median(spans)


def braindecode_references() -> dict[str, Reference]:
    """The same operations as braindecode has them, with its own random numbers."""
    names = tuple(name.upper() for name in CHANNELS)
    places = directions(names).T

    def rotation(axis: str) -> Reference:
        def rotate(x: Tensor, m: Tensor) -> Tensor:
            angles = (2 * torch.rand(len(x), dtype=torch.float64) - 1) * 30 * m
            return functional.sensors_rotation(x, None, places, axis, angles, True)[0]

        return rotate

    return {
        "time_reverse": lambda x, m: functional.time_reverse(x, None)[0],
        "time_mask": lambda x, m: functional.smooth_time_mask(
            x, None, torch.rand(len(x)) * (x.shape[-1] - 200 * m), 200 * m
        )[0],
        "gaussian_noise": lambda x, m: functional.gaussian_noise(x, None, 0.2 * m)[0],
        "ft_surrogate": lambda x, m: functional.ft_surrogate(x, None, m, False)[0],
        "frequency_shift": lambda x, m: functional.frequency_shift(
            x, None, (2 * torch.rand(len(x), dtype=torch.float64) - 1) * 5 * m, RATE
        )[0],
        "band_stop": lambda x, m: functional.bandstop_filter(
            x, None, RATE, 2 * float(m), 5 + 40 * torch.rand(len(x)).numpy()
        )[0],
        "sign_flip": lambda x, m: functional.sign_flip(x, None)[0],
        "channel_symmetry": lambda x, m: functional.channels_permute(x, None, [1, 0, 3, 2, 5, 4])[
            0
        ],
        "channel_shuffle": lambda x, m: functional.channels_shuffle(x, None, m)[0],
        "channel_dropout": lambda x, m: functional.channels_dropout(x, None, m)[0],
        **{f"rotation_{axis}": rotation(axis) for axis in "xyz"},
    }


def kornia_references() -> dict[str, Reference]:
    """The same operations as kornia has them."""

    enhance = kornia.enhance
    crop = kornia.augmentation.RandomCrop((32, 32), padding=4)
    erase = kornia.augmentation.RandomErasing(
        scale=(0.01, 0.01), ratio=(1.0, 1.0), value=0.5, p=1.0
    )

    def uniform(x: Tensor, m: Tensor) -> Tensor:
        return torch.rand(len(x)) * m

    def signed(x: Tensor, m: Tensor) -> Tensor:
        return (2 * torch.rand(len(x)) - 1) * m

    def pair(x: Tensor, m: Tensor) -> Tensor:
        weight = 0.4 * uniform(x, m).reshape(-1, 1, 1, 1)
        return (1 - weight) * x + weight * x[torch.randperm(len(x))]

    def beside_zero(values: Tensor, axis: int) -> Tensor:
        return torch.stack([values, torch.zeros_like(values)][:: 1 - 2 * axis], dim=1)

    def translate(axis: int) -> Reference:
        def move(x: Tensor, m: Tensor) -> Tensor:
            shift = 0.45 * x.shape[-1 - axis] * signed(x, m)
            return kornia.geometry.translate(x, beside_zero(shift, axis))

        return move

    def shear(axis: int) -> Reference:
        return lambda x, m: kornia.geometry.shear(x, beside_zero(0.3 * signed(x, m), axis))

    return {
        "translate_x": translate(0),
        "translate_y": translate(1),
        "rotate": lambda x, m: kornia.geometry.rotate(x, 30 * signed(x, m)),
        "shear_x": shear(0),
        "shear_y": shear(1),
        "horizontal_flip": lambda x, m: kornia.geometry.hflip(x),
        "vertical_flip": lambda x, m: kornia.geometry.vflip(x),
        "crop": lambda x, m: crop(x),
        "brightness": lambda x, m: enhance.adjust_brightness_accumulative(x, 1 + signed(x, m)),
        "contrast": lambda x, m: enhance.adjust_contrast_with_mean_subtraction(x, 1 + signed(x, m)),
        "saturation": lambda x, m: enhance.adjust_saturation_with_gray_subtraction(
            x, 1 + signed(x, m)
        ),
        "sharpness": lambda x, m: enhance.sharpness(x, 1 + signed(x, m)),
        "hue": lambda x, m: enhance.adjust_hue(x, math.pi * signed(x, m)),
        "invert": lambda x, m: enhance.invert(x),
        "auto_contrast": lambda x, m: enhance.normalize_min_max(x),
        "equalize": lambda x, m: enhance.equalize(x),
        "solarize": lambda x, m: enhance.solarize(x, 1 - uniform(x, m).detach()),
        "posterize": lambda x, m: enhance.posterize(x, (8 - 4 * uniform(x, m)).round().int()),
        "cutout": lambda x, m: erase(x),
        "sample_pairing": pair,
    }


def forward(operation: Reference, x: Tensor) -> None:
    """One application, no gradient asked for."""
    with torch.no_grad():
        operation(x, HALF)


def forward_backward(operation: Reference, x: Tensor, g: Tensor) -> None:
    """One application and the gradient with respect to the magnitude, where there is one."""
    magnitude = HALF.clone().requires_grad_()
    out = operation(x, magnitude)
    if out.requires_grad:
        out.backward(g)


def learns(operation: Reference, x: Tensor) -> bool:
    """Whether a magnitude gets a gradient."""
    return operation(x, HALF.clone().requires_grad_()).requires_grad


def cell(work: Callable[[], object]) -> float:
    """The time, or NaN for what the reference cannot do."""
    try:
        return milliseconds(work)
    except RuntimeError:
        return float("nan")


def table(title: str, x: Tensor, signal: Signal, names: dict[str, object], other: str) -> None:
    """One line a transform: ours, theirs, and how often ours fits into theirs."""
    references = braindecode_references() if signal.kind == "eeg" else kornia_references()
    print(f"\n{title}")
    print(
        f"{'':18}{'forward':>9}{other:>13}{'ratio':>7}{'  + backward':>14}{other:>13}{'ratio':>7}"
    )
    g = torch.randn_like(x)
    for name, transform in make_bank(names, signal).items():

        def ours(x: Tensor, m: Tensor, transform=transform) -> Tensor:
            return transform.apply(x, m.expand(len(x)), transform.draw(x, None))

        theirs = references[name]
        one, two = cell(lambda: forward(ours, x)), cell(lambda: forward(theirs, x))  # noqa: B023
        three = cell(lambda: forward_backward(ours, x, g))
        four = cell(lambda: forward_backward(theirs, x, g))  # noqa: B023
        print(
            f"{name:18}{one:9.2f}{two:13.2f}{two / one:7.1f}{three:14.2f}{four:13.2f}"
            f"{four / three:7.1f}{'' if learns(theirs, x) else '  no gradient in ' + other}"
        )


def moves_beside_kornia(x: Tensor, signal: Signal) -> None:
    """An AugNet layer of all affine moves, beside kornia's one by one and their average."""
    augment = AugmentationLayer(list(make_bank(MOVES, signal).values()), initial_magnitude=0.5)
    moves = [kornia_references()[name] for name in MOVES]
    magnitudes = torch.full((len(MOVES),), 0.5, requires_grad=True)
    hidden_weights = torch.zeros(len(MOVES), requires_grad=True)
    g = torch.randn_like(x)

    def ours() -> None:
        augment.zero_grad()
        augment(x).backward(g)

    def theirs() -> None:
        magnitudes.grad = hidden_weights.grad = None
        moved = torch.stack([move(x, m) for move, m in zip(moves, magnitudes, strict=True)])
        (moved * hidden_weights.softmax(0).reshape(-1, 1, 1, 1, 1)).sum(0).backward(g)

    mine, kornias = in_turns(ours, theirs)
    print(f"\nlayer of {', '.join(MOVES)}, forward and backward: {mine:.1f} ms")
    print(f"kornia's, one by one, stacked and weighted: {kornias:.1f} ms")
    print(f"layer / kornia: {mine / kornias:.3f} (at most 0.5 is wanted, aim 0.33)")


def in_turns(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """The medians of both, taken in turns, so that a busy machine slows both down."""
    rounds = [(milliseconds(first, 5), milliseconds(second, 5)) for _ in range(5)]
    return median(one for one, _ in rounds), median(two for _, two in rounds)


def layers_beside_trunk(x: Tensor, signal: Signal) -> None:
    """A time-frequency layer and AugNet's three layers for sleep, beside a step of the trunk."""
    time_frequency, three = (
        torch.nn.Sequential(
            *(
                AugmentationLayer(list(make_bank(names, signal).values()), initial_magnitude=0.5)
                for names in layers
            )
        )
        for layers in ((LAYER,), (SENSORS, LAYER, LAYER))
    )
    g = torch.randn_like(x)

    def augment(layers: torch.nn.Module) -> None:
        layers.zero_grad()
        layers(x).backward(g)

    trunk = TRUNKS["sleep_stager"](signal, 5)
    optimizer = torch.optim.Adam(trunk.parameters())
    y = torch.arange(len(x)) % 5

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(trunk(x), y).backward()
        optimizer.step()

    print("\nforward and backward of layers whose operations are all alive, and a trunk's step")
    for what, layers in (("time-frequency layer", time_frequency), ("three layers", three)):
        ours, trunks = in_turns(lambda layers=layers: augment(layers), step)  # type: ignore[misc]
        print(f"{what}: {ours:.1f} ms, sleep_stager: {trunks:.1f} ms, {ours / trunks:.2f} of it")


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    eeg = Signal("eeg", (6, 3000), CHANNELS, RATE)
    x = torch.randn(16, *eeg.shape)
    table("EEG, 16 x 6 x 3000", x, eeg, EEG, "braindecode")
    image = Signal("image", (3, 32, 32))
    pictures = torch.rand(128, *image.shape)
    table("images, 128 x 3 x 32 x 32", pictures, image, IMAGE, "kornia")
    moves_beside_kornia(pictures, image)
    layers_beside_trunk(x, eeg)


if __name__ == "__main__":
    main()
