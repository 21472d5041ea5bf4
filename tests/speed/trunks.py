"""Prints what a training step of our EEG trunks costs, beside skorch with braindecode's networks.

Run it by ``make speed`` or ``PYTHONPATH=tests/kit python tests/speed/trunks.py``. An epoch of few
batches of noise by skorch's loop and by ours (`Training`), divided by its steps: the loader,
forward, cross-entropy, backward, Adam. One thread; milliseconds of the processor, which other jobs
move less than the clock on the wall; medians of rounds in which all take turns. In bfloat16, as
``precision = "bfloat16"`` sets it, the trunk's products are rounded.
"""

import time
import warnings
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

from augbench.bench.store.ledger import Ledger
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Signal, Split
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.precision import InBfloat16
from augbench.methods.training.training import Training
from control import SLEEP, SSVEP, braindecodes, skorchs

# Of a window, in three passes: samples out x taps x channels in x filters, two operations each. For
# EEGNet in two passes, since no gradient of the input is asked for.
SLEEP_GFLOP = 3 * 2 * 6 * (3001 * 50 * 8 + 231 * 50 * 8 * 8) / 1e9
EEGNET_GFLOP = 2 * 2 * 8 * 641 * 64 * 8 / 1e9

Epoch = Callable[[], object]


def in_turns(epochs: list[Epoch], n_rounds: int) -> list[float]:
    """Median milliseconds of each, after a round that does not count."""
    spans: list[list[float]] = [[] for _ in epochs]
    for i in range(n_rounds + 1):
        for epoch, own in zip(epochs, spans, strict=True):
            start = time.process_time()
            epoch()
            if i > 0:
                own.append(1000 * (time.process_time() - start))
    return [median(own) for own in spans]


def skorch_epoch(network: nn.Module, x: Tensor, y: Tensor, batch_size: int) -> Epoch:
    """An epoch of skorch's classifier."""
    net = skorchs(network, batch_size)
    return lambda: net.partial_fit(x, y, epochs=1)


def our_epoch(trunk: nn.Module, x: Tensor, y: Tensor, batch_size: int, n_classes: int) -> Epoch:
    """An epoch of the inner training; the validation is of one window."""
    ledger = Ledger()
    training = Training(
        trunk,
        Split(x, y),
        Split(x[:1], y[:1]),
        settings=TrainingSettings(batch_size=batch_size),
        n_classes=n_classes,
        metric="accuracy",
        seeds=Seeds(()),
        meter=ledger,
    )

    def epoch() -> None:
        with ledger.phase("search"):
            training.step()

    return epoch


def row(name: str, signal: Signal, n_classes: int, batch_size: int, gflop: float) -> None:
    """One line: a trunk at one batch size."""
    n_steps = max(2, 64 // batch_size)
    x = torch.randn(n_steps * batch_size, *signal.shape)
    y = torch.arange(len(x)) % n_classes

    def ours(wrap: Callable[[nn.Module], nn.Module]) -> Epoch:
        return our_epoch(wrap(TRUNKS[name](signal, n_classes)), x, y, batch_size, n_classes)

    control = skorch_epoch(braindecodes(name, signal, n_classes), x, y, batch_size)
    epochs = [control, ours(lambda trunk: trunk), ours(InBfloat16)]
    theirs, single, half = (each / n_steps for each in in_turns(epochs, n_rounds=7))
    print(
        f"{name:14}{batch_size:6}{theirs:9.1f}{single:9.1f}{theirs / single:7.2f}"
        f"{half:11.1f}{theirs / half:7.2f}{batch_size * gflop:9.2f}"
        f"{1000 * batch_size * gflop / theirs:9.1f}{1000 * batch_size * gflop / single:7.1f}"
    )


def products_per_second(dtype: torch.dtype) -> float:
    """The GFLOP/s of a product of large matrices, the best of ten."""
    a, b = torch.randn(2, 1024, 1024).to(dtype)
    return 2 * 1.024**3 / min(in_turns([lambda: a @ b], 1)[0] for _ in range(10)) * 1000


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rates = [products_per_second(dtype) for dtype in (torch.float32, torch.bfloat16)]
    print(f"a product of matrices: {rates[0]:.0f} GFLOP/s, in bfloat16 {rates[1]:.0f}")
    print("milliseconds a step; GFLOP of its convolutions of time as they are defined\n")
    print(
        f"{'':14}{'batch':>6}{'skorch':>9}{'ours':>9}{'ratio':>7}{'bfloat16':>11}{'ratio':>7}"
        f"{'GFLOP':>9}{'a second':>9}{'ours':>7}"
    )
    for batch_size in (16, 64):
        row("sleep_stager", SLEEP, 5, batch_size, gflop=SLEEP_GFLOP)
    for batch_size in (16, 64):
        row("eegnet", SSVEP, 4, batch_size, gflop=EEGNET_GFLOP)


if __name__ == "__main__":
    main()
