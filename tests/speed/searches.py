"""Prints what a unit of each search costs, beside what its definition needs.

Run it by ``make speed`` or ``PYTHONPATH=tests/kit python tests/speed/searches.py``. A unit is an
epoch of a search by gradients, of AugNet and Augerino, and of a child of AutoAugment (random search
has the same children), or a policy that Fast AutoAugment tries. All are multiples of a plain epoch
of the same trunk on the same windows, in turns with it, on one thread: processor milliseconds,
medians. Trainings validate on one window, which costs nothing.

- counted: samples forward and backward in the ledger, a plain epoch is 1 and 1;
- needed: passes that the definition asks for, forward and backward. A hypergradient by differences
  takes a virtual step, the validation batch, two sides and the real step: 5, of which the
  validation batch is four times as large by default: 8. Faster AutoAugment takes three: two halves
  and what lies between them for the critic, two halves for the policy, at half the batch size.
  Fast AutoAugment takes a forward pass for each copy. AugNet and Augerino take one, whose backward
  pass goes on to the windows. ``epochs`` is their time in plain epochs;
- policy: the transforms alone, where a search needs them also backward, and what else learns the
  policy: RELAX, a penalty, the policy's optimizer;
- measured: the whole unit. ratio: measured / (epochs needed + policy).
"""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor, nn

from augbench.bench.store.ledger import Ledger
from augbench.bench.store.phases import CHARGED
from augbench.datasets import banks
from augbench.datasets.options.row import resolve
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split, Views
from augbench.datasets.trunks import TRUNKS
from augbench.methods import METHODS
from augbench.methods.fast_autoaugment import FastAutoAugment
from augbench.methods.faster_autoaugment import LEAST_BATCH
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.policies.search_space import policy_at, random_slots
from augbench.methods.training.bilevel import OUTER_BATCHES, Bilevel
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.training.training import SCORE_BATCH, predict
from augbench.methods.transforms.bank import make_bank
from control import SLEEP, SSVEP

Work = Callable[[], object]


@dataclass(frozen=True)
class Bench:
    """A trunk on windows of noise."""

    trunk: str
    signal: Signal
    n_classes: int
    transforms: tuple[str, ...]
    batch_size: int
    n_windows: int  # to train, and as many to validate policies
    n_rounds: int

    def setup(self, batch_size: int | None = None) -> Setup:
        """A setup with a ledger of its own."""
        draws = torch.Generator().manual_seed(0)
        shape = (self.n_windows, *self.signal.shape)
        y = torch.arange(self.n_windows) % self.n_classes
        if self.signal.kind == "image":
            x = torch.rand(shape, generator=draws)
        else:
            x = torch.randn(shape, generator=draws)
        settings = TrainingSettings(batch_size=batch_size or self.batch_size, patience=10**6)
        return Setup(
            views=Views(Split(x, y), Split(x.flip(0), y.flip(0)), Split(x[:1], y[:1])),
            signal=self.signal,
            n_classes=self.n_classes,
            metric="accuracy",
            trunk=partial(_new_trunk, self.trunk, self.signal, self.n_classes),
            bank=make_bank(self.transforms, self.signal),
            training=replace(settings, epochs=10**6),
            seeds=Seeds((0,)),
            meter=Ledger(),
            device=torch.device("cpu"),
        )


def _new_trunk(name: str, signal: Signal, n_classes: int) -> nn.Module:
    with global_seed(0):
        trunk = TRUNKS[name](signal, n_classes)
    order = torch.channels_last if signal.kind == "image" else torch.contiguous_format
    placed: nn.Module = trunk.to(memory_format=order)
    return placed


BENCHES = (
    Bench("sleep_stager", SLEEP, 5, banks.EEG, batch_size=16, n_windows=64, n_rounds=5),
    Bench("eegnet", SSVEP, 4, banks.EEG, batch_size=16, n_windows=64, n_rounds=5),
    Bench(
        "mlp",
        Signal("image", (1, 8, 8)),
        10,
        banks.IMAGE,
        batch_size=64,
        n_windows=512,
        n_rounds=15,
    ),
    Bench(
        "pre_act_resnet18_16",
        Signal("image", (3, 32, 32)),
        10,
        banks.PHOTOGRAPHS,
        batch_size=32,
        n_windows=64,
        n_rounds=4,
    ),
)


@dataclass(frozen=True)
class Unit:
    """A unit of a search, what it needs, and what its policy costs alone."""

    do: Work
    needed: float  # passes, in plain epochs or in passes that score
    policy: Work
    meter: Any
    made_of: Literal["epoch", "epoch in halves", "epoch to inputs", "scoring"] = "epoch"


def units(bench: Bench) -> dict[str, Unit]:
    """The searches that the bench's signal allows."""
    made = {"autoaugment, child": _child(bench), "fast_autoaugment": _reward(bench)}
    made["faster_autoaugment"] = _critic(bench)
    for name in ("dada", "adda"):
        made[name] = _bilevel(bench, name, OUTER_BATCHES)
        made[f"{name}, validation x 1"] = _bilevel(bench, name, 1)
    made["augnet"] = _layers(bench, "augnet")
    if bench.signal.kind == "image":
        made["augerino"] = _layers(bench, "augerino")
    return made


def critic_batch(bench: Bench) -> int:
    """The batch of Faster AutoAugment, of which a half is augmented."""
    return max(LEAST_BATCH, bench.batch_size)


def _build(bench: Bench, name: str, **options: Any) -> tuple[Any, Setup]:
    setup = bench.setup()
    row = METHODS[name]
    return resolve(row.build)(setup, row.options(**options)), setup


def _metered(setup: Setup, work: Work) -> Work:
    def charged() -> None:
        with setup.meter.phase("search"):
            work()

    return charged


def plain_epoch(setup: Setup) -> Work:
    """An epoch of the inner training without a policy."""
    return _metered(setup, retrain(setup, Policy()).step)


def epoch_to_inputs(setup: Setup) -> Work:
    """A plain epoch whose backward passes go on to the windows, for what lies before a trunk."""
    training = retrain(setup, Policy())
    training.augment = lambda x, y, noise: x.requires_grad_()
    return _metered(setup, training.step)


def _score_all(setup: Setup, trunk: nn.Module) -> None:
    """A pass of all windows that score policies."""
    predict(trunk, setup.views.policy_valid.x, seed=0, meter=setup.meter)


def _parts(x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(x.split(size), y.split(size), strict=True)


def _child(bench: Bench) -> Unit:
    """An epoch of a training under a policy drawn uniformly."""
    setup = bench.setup()
    policy = policy_at(random_slots(setup.bank, setup.seeds.generator("slots")), setup.bank)
    table = PolicyTable(policy, setup.bank, setup.device)

    def alone() -> None:
        noise = setup.seeds.generator("noise")
        for x, y in _parts(*setup.views.train, bench.batch_size):
            table.apply(x, y, noise)

    return Unit(_metered(setup, retrain(setup, policy).step), 1, alone, setup.meter)


def _reward(bench: Bench) -> Unit:
    """Policies, drawn uniformly, on a network that was trained for one epoch."""
    method, setup = _build(bench, "fast_autoaugment", pretrain_epochs=1, n_startup=10**6)
    assert isinstance(method, FastAutoAugment)
    do = _metered(setup, method.step)
    do()  # pretrains
    tried: list[PolicyTable] = []

    def alone() -> None:
        noise = setup.seeds.generator("slots", len(tried))
        policy = policy_at(random_slots(setup.bank, noise), setup.bank)
        tried.append(PolicyTable(policy, setup.bank, setup.device))
        for _ in range(method.options.n_copies):
            for x, y in _parts(*setup.views.policy_valid, SCORE_BATCH):
                tried[-1].apply(x, y, noise)

    return Unit(do, method.options.n_copies, alone, setup.meter, "scoring")


def _critic(bench: Bench) -> Unit:
    """An epoch of Faster AutoAugment: its critic's and its policy's steps."""
    method, setup = _build(bench, "faster_autoaugment", epochs=10**6)
    other, _ = _build(bench, "faster_autoaugment")
    half = critic_batch(bench) // 2

    def alone() -> None:
        noise = setup.seeds.generator("noise")
        for x, y in _parts(*(each[: len(each) // 2] for each in setup.views.train), half):
            with torch.no_grad():
                other.policy.mix(x, y, noise)
            _back(other.policy.mix(x, y, noise))

    return Unit(_metered(setup, method.step), 3, alone, setup.meter, "epoch in halves")


def _bilevel(bench: Bench, name: str, n_outer: int) -> Unit:
    """An epoch of DADA or ADDA, whose validation batches are ``n_outer`` batches."""
    options = {"warm_start": 0, "epochs": 10**6, "outer_batch_size": n_outer * bench.batch_size}
    method, setup = _build(bench, name, **options)
    other, _ = _build(bench, name, **options)
    assert isinstance(other, Bilevel)

    def alone() -> None:
        noise = setup.seeds.generator("noise")
        for x, y in _parts(*setup.views.train, bench.batch_size):
            augmented = other.policy.augment(x, y, noise, other.options.estimator)
            _back(augmented.x)
            other.judge.backward(augmented, torch.linspace(-1, 1, len(y)))
            other.optimizer.step()
            other.policy.project()
            with torch.no_grad():
                other.policy.augment(x, y, noise, "none")

    outer = min(n_outer, bench.n_windows / bench.batch_size)  # there may be fewer windows
    return Unit(_metered(setup, method.step), 4 + outer, alone, setup.meter)


def _layers(bench: Bench, name: str) -> Unit:
    """An epoch of a trunk behind layers that learn with it."""
    method, setup = _build(bench, name)
    other, _ = _build(bench, name)
    model, penalty = other.training.model.train(), other.training.penalty
    model.trunk = nn.Identity()
    optimizer = torch.optim.Adam(model.layers.parameters())

    def alone() -> None:
        for x in setup.views.train.x.split(bench.batch_size):
            optimizer.zero_grad()
            _back(model(x))
            penalty().backward()
            optimizer.step()

    return Unit(_metered(setup, method.step), 1, alone, setup.meter, "epoch to inputs")


def _back(x: Tensor) -> None:
    """The backward pass of moves, with the slopes that a trunk would give."""
    if x.requires_grad:
        x.backward(torch.ones_like(x))


def in_turns(works: list[Work], n_rounds: int) -> list[float]:
    """Median processor milliseconds of each, after a round that does not count."""
    spans: list[list[float]] = [[] for _ in works]
    for i in range(n_rounds + 1):
        for work, own in zip(works, spans, strict=True):
            start = time.process_time()
            work()
            if i > 0:
                own.append(1000 * (time.process_time() - start))
    return [median(own) for own in spans]


def counted(unit: Unit) -> tuple[int, int]:
    """Samples forward and backward that the ledger has charged so far."""
    paid = [unit.meter.costs[phase] for phase in CHARGED]
    return sum(each.forward for each in paid), sum(each.backward for each in paid)


def table(bench: Bench) -> None:
    """Measure all searches on a trunk, and print a line for each."""
    made = units(bench)
    before = {name: counted(unit) for name, unit in made.items()}
    setup = bench.setup()
    scoring = _metered(setup, lambda: _score_all(setup, setup.trunk()))
    half = bench.setup(critic_batch(bench) // 2)
    plain = [plain_epoch(setup), scoring, plain_epoch(half), epoch_to_inputs(bench.setup())]
    works = [work for unit in made.values() for work in (unit.do, unit.policy)]
    epoch, scored, in_halves, to_inputs, *spans = in_turns(plain + works, bench.n_rounds)
    n = bench.n_windows
    print(f"\n{bench.trunk}, batches of {bench.batch_size}: a plain epoch takes {epoch:.1f} ms")
    print(HEAD)
    for (name, unit), measured, own in zip(made.items(), spans[::2], spans[1::2], strict=True):
        passes = (
            (after - first) / (bench.n_rounds + 1) / n
            for after, first in zip(counted(unit), before[name], strict=True)
        )
        each = {"epoch": epoch, "epoch in halves": in_halves, "scoring": scored}
        needed = unit.needed * {**each, "epoch to inputs": to_inputs}[unit.made_of]
        print(
            f"{name:24}{next(passes):9.2f}{next(passes):6.2f}{unit.needed:9.2f}"
            f"{needed / epoch:9.2f}{own / epoch:9.2f}{measured / epoch:11.2f}"
            f"{measured / (needed + own):8.2f}",
            flush=True,
        )


HEAD = (
    f"{'':24}{'counted':>9}{'':6}{'needed':>9}{'epochs':>9}{'policy':>9}{'measured':>11}"
    f"{'ratio':>8}"
)


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for bench in BENCHES:
        table(bench)


if __name__ == "__main__":
    main()
