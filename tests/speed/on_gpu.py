"""Prints what a GPU makes of a training step, several trials at once, and the transforms.

Run it by ``PYTHONPATH=tests/kit python tests/speed/on_gpu.py [--csv FILE]`` where a GPU is;
some five minutes. ``--tiny`` goes through all of it on the CPU in a minute, with numbers that mean
nothing. It imports neither Ray nor Optuna. ``make speed`` prints one sentence where no GPU is.

A rate is training windows a second in `Training`, as every method trains, after a first epoch in
which the update is recorded. "eager" is the same without CUDA graphs, "skorch" that library's loop
with braindecode's own module and the data on the GPU. Several trials are processes of their own on
one GPU, which start together.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Signal, Split
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.precision import InBfloat16
from augbench.methods.augnet import BY_KIND
from augbench.methods.layers.augnet import AugNet
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.training.graphed_update import VARIABLE
from augbench.methods.training.training import Training
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank
from control import SLEEP, SSVEP, braindecodes, skorchs

MASS = Signal("eeg", (6, 3840), SLEEP.channels, 128.0)
PICTURE = Signal("image", (3, 32, 32))
TRUNKS_MEASURED = {"sleep_stager": (SLEEP, 5), "eegnet": (SSVEP, 4)}
BATCHES = (8, 16, 64, 256)
PACKED = (1, 2, 4, 8)
MOVES = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")
N_NIGHT_WINDOWS = 23_000


@dataclass
class NoMeter:
    """A meter that counts nothing."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        pass


@dataclass
class Report:
    """Prints each line and keeps it for the CSV."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, part: str, what: str, setting: str, value: float, unit: str) -> None:
        self.rows.append(
            {"part": part, "what": what, "setting": setting, "value": value, "unit": unit}
        )
        print(f"{part:12} {what:40} {setting:22} {value:12.4g} {unit}", flush=True)

    def write(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


@dataclass(frozen=True)
class Machine:
    """Where it runs, and how much is measured."""

    device: torch.device
    tiny: bool

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def seconds(self, work: Callable[[], object]) -> float:
        self.synchronize()
        start = time.perf_counter()
        work()
        self.synchronize()
        return time.perf_counter() - start

    def milliseconds(self, work: Callable[[], object]) -> float:
        """The median of several calls after three that do not count."""
        for _ in range(1 if self.tiny else 3):
            work()
        return 1000 * median(self.seconds(work) for _ in range(3 if self.tiny else 15))


def random_split(signal: Signal, n: int, n_classes: int, device: torch.device) -> Split:
    """Windows of noise, or pictures of it."""
    generator = torch.Generator(device).manual_seed(0)
    x = torch.randn((n, *signal.shape), generator=generator, device=device)
    if signal.kind == "image":
        x = x.sigmoid()
    return Split(x, torch.arange(n, device=device) % n_classes)


def make_training(
    model: nn.Module, train: Split, n_classes: int, batch_size: int, *, graphs: bool = True
) -> Training:
    """The training of all methods; validation looks at 16 samples."""
    os.environ[VARIABLE] = "1" if graphs else "0"
    return Training(
        model,
        train,
        Split(train.x[:16], train.y[:16]),
        settings=TrainingSettings(epochs=1000, patience=1000, batch_size=batch_size),
        n_classes=n_classes,
        metric="accuracy",
        seeds=Seeds(("speed",)),
        meter=NoMeter(),
        penalty=model.penalty if isinstance(model, AugNet) else None,
    )


def rate(machine: Machine, training: Training, n_epochs: int = 2) -> float:
    """Samples a second, after a first epoch."""
    training.step()
    spans = [machine.seconds(training.step) for _ in range(n_epochs)]
    return len(training.train.y) / median(spans)


def training_steps(machine: Machine, report: Report) -> None:
    """The trunks for EEG, by batch: eager, as CUDA graphs, compiled."""
    for name, (signal, n_classes) in TRUNKS_MEASURED.items():
        for batch in BATCHES[:1] if machine.tiny else BATCHES:
            n = batch * (2 if machine.tiny else max(20, min(200, 4096 // batch)))
            train = random_split(signal, n, n_classes, machine.device)
            for kind in ("eager", "graph"):
                trunk = TRUNKS[name](signal, n_classes).to(machine.device)
                training = make_training(trunk, train, n_classes, batch, graphs=kind == "graph")
                report.add(
                    "step", f"{name} {kind}", f"batch {batch}", rate(machine, training), "/s"
                )
        if not machine.tiny:
            trunk = TRUNKS[name](signal, n_classes).to(machine.device)
            trunk.compile()
            train = random_split(signal, 16 * 100, n_classes, machine.device)
            made = rate(machine, make_training(trunk, train, n_classes, 16))
            report.add("step", f"{name} compiled, graph", "batch 16", made, "/s")
        report.add("step", f"{name} skorch", "batch 16", skorch_rate(machine, name), "/s")


def skorch_rate(machine: Machine, name: str) -> float:
    """The control: skorch's loop, braindecode's module, the data on the GPU."""
    signal, n_classes = TRUNKS_MEASURED[name]
    data = random_split(signal, 16 * (2 if machine.tiny else 100), n_classes, machine.device)
    net = skorchs(braindecodes(name, signal, n_classes), 16, str(machine.device))
    dataset = torch.utils.data.TensorDataset(*data)
    net.partial_fit(dataset, y=None, epochs=1)
    return len(data.y) / machine.seconds(lambda: net.partial_fit(dataset, y=None, epochs=1))


def nights(machine: Machine, report: Report) -> None:
    """An epoch of Figure 8's own size: plain, and behind AugNet's three layers."""
    n = 64 if machine.tiny else N_NIGHT_WINDOWS
    train = random_split(MASS, n, 5, machine.device)
    report.add("epoch", "operations of AugNet's layers", "a step", operations_of_layers(), "")
    for batch in (16,) if machine.tiny else (16, 256):
        for what in ("plain", "AugNet"):
            model = sleep_model(augnet=what == "AugNet").to(machine.device)
            took = n / rate(machine, make_training(model, train, 5, batch), 1)
            report.add("epoch", f"{n} windows of 6 x 3840, {what}", f"batch {batch}", took, "s")


def compiled(machine: Machine, report: Report) -> None:
    """The same epoch behind layers that torch.compile has fused, from the rate of a tenth of it."""
    n = 32 if machine.tiny else N_NIGHT_WINDOWS // 10
    train = random_split(MASS, n, 5, machine.device)
    model = sleep_model(augnet=True).to(machine.device)
    model.compile()
    training = make_training(model, train, 5, 16)
    took = machine.seconds(training.step)
    report.add("compiled", "first epoch, with compilation", "batch 16", took, "s")
    took = N_NIGHT_WINDOWS / rate(machine, training, 1)
    what = f"{N_NIGHT_WINDOWS} windows of 6 x 3840, AugNet"
    report.add("compiled", what, "batch 16", took, "s")


class Operations(TorchDispatchMode):
    """Counts what is computed inside the block; views cost nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.number += not function.is_view
        return function(*args, **(kwargs or {}))


def operations_of_layers() -> int:
    """How many AugNet's three layers take in a step, forward and backward."""
    model = sleep_model(augnet=True)
    x = random_split(MASS, 16, 5, torch.device("cpu")).x
    model.augment(x).sum().backward()
    model.zero_grad()
    with Operations() as counted:
        model.augment(x).sum().backward()
    return counted.number


def sleep_model(*, augnet: bool) -> nn.Module:
    """The trunk for MASS, alone or behind AugNet's three layers."""
    trunk = TRUNKS["sleep_stager"](MASS, 5)
    layers = [list(names) for names in BY_KIND["eeg"]]
    return AugNet(trunk, layers=layers, signal=MASS) if augnet else trunk


def pictures(machine: Machine, report: Report) -> None:
    """Networks for pictures of 32 x 32, beside what the card multiplies at most."""
    size = 64 if machine.tiny else 8192
    a, b = (torch.randn(size, size, device=machine.device, dtype=torch.bfloat16) for _ in range(2))
    peak = 2e-9 * size**3 / machine.milliseconds(lambda: a @ b)  # TFLOP/s
    report.add("pictures", f"product of {size} x {size} bfloat16", "", peak, "TFLOP/s")
    for name in ("pre_act_resnet18", "airbench94"):
        pictures_through(name, machine, report, peak)


def pictures_through(name: str, machine: Machine, report: Report, peak: float) -> None:
    """The rate of a trunk, eager and as a graph, in both precisions."""
    batch = 8 if machine.tiny else 128
    train = random_split(PICTURE, batch * (2 if machine.tiny else 100), 10, machine.device)
    flops = flops_of_a_step(TRUNKS[name](PICTURE, 10), train.x[:1].cpu())
    for precision in ("float32", "bfloat16"):
        trunk = TRUNKS[name](PICTURE, 10)
        trunk = trunk.to(machine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        model = InBfloat16(trunk) if precision == "bfloat16" else trunk
        for kind in ("graph",) if precision == "float32" else ("eager", "graph"):
            made = rate(machine, make_training(model, train, 10, batch, graphs=kind == "graph"))
            what, setting = f"{name} {kind}", precision
            report.add("pictures", what, setting, made, "/s")
            report.add(
                "pictures", f"{what}, of that product", setting, made * flops / peak / 1e12, ""
            )
            report.add("pictures", f"{what}, 200 epochs of 50,000", setting, 1e7 / made / 60, "min")


def flops_of_a_step(trunk: nn.Module, x: Tensor) -> float:
    """Operations of convolutions and products, forward and backward, for this batch."""
    with FlopCounterMode(display=False) as counter:
        trunk(x).sum().backward()
    return float(counter.get_total_flops())


def transforms(machine: Machine, report: Report) -> None:
    """Each transform forward and backward; the layer of moves beside kornia's five."""
    for signal, names, n in ((SLEEP, EEG, 16), (PICTURE, IMAGE, 128)):
        x = random_split(signal, n, 2, machine.device).x
        g = torch.randn_like(x)
        for name, transform in make_bank(names, signal).items():
            magnitude = torch.full((), 0.5, device=machine.device, requires_grad=True)

            def work(
                x: Tensor = x, g: Tensor = g, m: Tensor = magnitude, t: Any = transform
            ) -> None:
                out = t.apply(x, m.expand(len(x)), t.draw(x, None))
                if out.requires_grad:
                    out.backward(g)

            report.add("transform", name, f"{n}, both ways", machine.milliseconds(work), "ms")
    with suppress(ImportError):
        moves_beside_kornia(machine, report)


def moves_beside_kornia(machine: Machine, report: Report) -> None:
    """An AugNet layer of all affine moves, beside kornia's one by one and their average."""
    import kornia

    x = random_split(PICTURE, 128, 2, machine.device).x
    g = torch.randn_like(x)
    augment = AugmentationLayer(list(make_bank(MOVES, PICTURE).values()), initial_magnitude=0.5)
    augment = augment.to(machine.device)
    magnitudes = torch.full((5,), 0.5, requires_grad=True, device=machine.device)
    hidden = torch.zeros(5, requires_grad=True, device=machine.device)

    def ours() -> None:
        augment.zero_grad()
        augment(x).backward(g)

    def signed(m: Tensor) -> Tensor:
        return (2 * torch.rand(len(x), device=x.device) - 1) * m

    def beside_zero(values: Tensor, axis: int) -> Tensor:
        return torch.stack([values, torch.zeros_like(values)][:: 1 - 2 * axis], dim=1)

    geometry = kornia.geometry

    def theirs() -> None:
        magnitudes.grad = hidden.grad = None
        m = magnitudes.unbind()
        moved = [
            geometry.translate(x, beside_zero(14.4 * signed(m[0]), 0)),
            geometry.translate(x, beside_zero(14.4 * signed(m[1]), 1)),
            geometry.rotate(x, 30 * signed(m[2])),
            geometry.shear(x, beside_zero(0.3 * signed(m[3]), 0)),
            geometry.shear(x, beside_zero(0.3 * signed(m[4]), 1)),
        ]
        (torch.stack(moved) * hidden.softmax(0).reshape(-1, 1, 1, 1, 1)).sum(0).backward(g)

    mine, kornias = machine.milliseconds(ours), machine.milliseconds(theirs)
    report.add("transform", "layer of five moves", "128, both ways", mine, "ms")
    if machine.device.type == "cuda":
        replay = as_graph(ours)
        took = machine.milliseconds(replay)
        report.add("transform", "the same in a CUDA graph", "128, both ways", took, "ms")
    report.add("transform", "kornia's five, weighted", "128, both ways", kornias, "ms")
    for whose, step in (("ours", ours), ("kornia's", theirs)):
        with Operations() as counted:
            step()
        report.add("transform", f"operations of five moves, {whose}", "a step", counted.number, "")


def as_graph(work: Callable[[], object]) -> Callable[[], object]:
    """The same work as it is in a training step: launched at once."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        work()
    return graph.replay


def packing(machine: Machine, report: Report) -> None:
    """Several trials at once: together, and each beside one that has the GPU for itself."""
    pack(machine, report, "")
    if not machine.tiny:
        with mps() as started:
            if started:
                pack(machine, report, ", MPS")
            else:
                print("MPS cannot be started here")


def pack(machine: Machine, report: Report, label: str) -> None:
    """The same, with a label for the setting."""
    counts = PACKED[:2] if machine.tiny else PACKED
    command = [sys.executable, __file__, "--worker", *(["--tiny"] if machine.tiny else [])]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(max(counts))
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()  # ready
        for name in TRUNKS_MEASURED:
            alone = 0.0
            for count in counts:
                rates = ask(workers[:count], name)
                alone = alone or rates[0]
                each = sum(rates) / count / alone
                setting = f"{count} trials{label}"
                report.add("packing", f"{name} together", setting, sum(rates), "/s")
                report.add("packing", f"{name} each, of one alone", setting, each, "")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def ask(workers: list["subprocess.Popen[str]"], name: str) -> list[float]:
    """The rates of workers that train at the same time."""
    request = json.dumps({"trunk": name, "start": time.time() + 2.5}) + "\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(request)
        worker.stdin.flush()
    replies = []
    for worker in workers:
        assert worker.stdout is not None
        replies.append(float(worker.stdout.readline()))
    return replies


def work_for(machine: Machine) -> None:
    """A worker: it reads requests and answers each with its rate."""
    made = {}
    for name, (signal, n_classes) in TRUNKS_MEASURED.items():
        trunk = TRUNKS[name](signal, n_classes).to(machine.device)
        train = random_split(signal, 16 * (2 if machine.tiny else 30), n_classes, machine.device)
        made[name] = make_training(trunk, train, n_classes, 16)
        made[name].step()
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        training = made[request["trunk"]]
        training.step()
        time.sleep(max(0.0, request["start"] - time.time()))
        start, n = time.perf_counter(), 0
        while time.perf_counter() - start < (0.5 if machine.tiny else 3.0):
            training.step()
            n += len(training.train.y)
        print(n / (time.perf_counter() - start), flush=True)


@contextmanager
def mps() -> Iterator[bool]:
    """NVIDIA's service for processes that share a GPU, where it can be started."""
    control = "nvidia-cuda-mps-control"
    folder = Path(f"/tmp/augbench-mps-{os.getpid()}")
    folder.mkdir()
    os.environ["CUDA_MPS_PIPE_DIRECTORY"] = os.environ["CUDA_MPS_LOG_DIRECTORY"] = str(folder)
    try:
        started = subprocess.run([control, "-d"], check=False).returncode == 0
    except OSError:
        started = False
    try:
        yield started
    finally:
        if started:
            subprocess.run([control], input="quit\n", text=True, check=False)
        del os.environ["CUDA_MPS_PIPE_DIRECTORY"], os.environ["CUDA_MPS_LOG_DIRECTORY"]


PARTS: dict[str, Callable[[Machine, Report], None]] = {
    "step": training_steps,
    "epoch": nights,
    "pictures": pictures,
    "transform": transforms,
    "packing": packing,
    "compiled": compiled,
}


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        print("there is no GPU here: nothing is measured (--tiny goes through it on the CPU)")
        return
    machine = Machine(torch.device("cpu" if given.tiny else "cuda"), given.tiny)
    if given.worker:
        work_for(machine)
        return
    device = "cpu" if given.tiny else torch.cuda.get_device_name()
    print(f"{device}, torch {torch.__version__}")
    report = Report()
    start = time.perf_counter()
    for name in given.parts.split(","):
        PARTS[name](machine, report)
        print(f"({name}: {time.perf_counter() - start:.0f} s since the start)", flush=True)
        if given.csv:
            report.write(given.csv)


if __name__ == "__main__":
    main()
