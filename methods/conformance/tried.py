"""What `augbench check` tried a row on, and what it left out and why, in sentences."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from augbench.datasets.options.row import TaskRow
from augbench.datasets.task import Signal
from augbench.methods.conformance.method_walk import LEAST, MOST
from augbench.methods.conformance.planted import N_TEST, N_TRAIN, N_VALID
from augbench.methods.conformance.planted import SIGNALS as TINY
from augbench.methods.conformance.task_case import Case
from augbench.methods.conformance.task_digest import MOST_FOLDS
from augbench.methods.conformance.transform_case import BATCH, SIGNALS, WHAT_IT_IS
from augbench.methods.conformance.transform_gradient import N_SLOPES
from augbench.methods.conformance.transform_strength import MAGNITUDES, MANY
from augbench.methods.options.row import MethodRow
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.transform import Builder


def tried_of_transform(name: str, build: Builder) -> Iterator[str]:
    """For a transform, a sentence for each kind of signal."""
    for kind, signal in SIGNALS.items():
        words = WHAT_IT_IS[kind]
        if name in (IMAGE if kind == "eeg" else EEG):
            yield f"skipped: {words}, because this transform is for the other kind"
            continue
        try:
            build(signal)
        except Exception:  # the checks say which
            yield f"skipped: {words}, because it cannot be built for them"
            continue
        yield (
            f"tried: {words}, {_size(signal)}; batches of 1, {BATCH} and {MANY} samples; noise of "
            f"3 seeds; {len(MAGNITUDES)} magnitudes for the strength and {N_SLOPES} for a gradient"
        )
    yield "skipped: other sizes, because one stands for all; and GPUs, which few machines have"


def tried_of_method(row: MethodRow) -> Iterator[str]:
    """For a method, what it learned, and how little of it."""
    first = "eeg" if "eeg" in row.kinds else "image"
    for kind, signal in TINY.items():
        words = WHAT_IT_IS[kind]
        if kind == first:
            yield (
                f"tried: {words}, {_size(signal)}; {N_TRAIN} samples to train, {N_VALID} to "
                f"validate, {N_TEST} to test; 2 seeds and 2 test splits; up to {MOST} steps, or "
                f"{LEAST} and a few more once it has shown something"
            )
        elif kind in row.kinds:
            yield f"tried: {words}, {_size(signal)}: it is built and takes one step, 1 seed"
            yield f"skipped: the other checks on {words}, because those on {WHAT_IT_IS[first]} do"
        else:
            yield f"skipped: all but building it on {words}, because its row does not name them"
    yield "skipped: your data and your trunk, which a run tries; and GPUs, which few machines have"


def tried_of_task(name: str, row: TaskRow, options: Any, data: Any, seed: int) -> Iterator[str]:
    """For a task, how much of it was looked at."""
    with suppress(Exception):  # the checks say what
        task = Case(name, row, options, data.absolute(), seed).task
        n = min(task.n_folds, MOST_FOLDS)
        yield (
            f"tried: {WHAT_IT_IS[task.signal.kind]}, {_size(task.signal)}; folds 0 to {n - 1} of "
            f"{task.n_folds}, all their samples; 1 seed, and 2 builds with it here and 1 in "
            "another process"
        )
        if n < task.n_folds:
            yield f"skipped: folds {n} to {task.n_folds - 1}, because {n} stand for all"
    if options is None:
        yield "skipped: other options than the defaults; --set gives others"


def _size(signal: Signal) -> str:
    shape = " x ".join(map(str, signal.shape))
    if signal.kind == "image":
        return f"{shape} values each"
    rate = f" at {signal.sampling_rate:g} Hz" if signal.sampling_rate else ""
    what = f"{'named ' * bool(signal.channels)}channel{'s' * (signal.n_channels > 1)}"
    return f"{signal.n_channels} {what} x {signal.n_times} values{rate}"
