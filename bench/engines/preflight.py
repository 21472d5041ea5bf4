"""Checks before anything is queued: are the nodes of a cluster like this one?"""

import hashlib
import os
import platform
import uuid
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch

import augbench.bench
import augbench.datasets
import augbench.methods
from augbench.bench.plan.spec import TaskSpec, TrialSpec
from augbench.bench.unit.job import load_task
from augbench.datasets.errors import UserError, UserNotice

LIBRARIES = ("torch", "numpy", "braindecode", "mne", "optuna")  # results depend on their versions


class Node(NamedTuple):
    """A machine, as a process there sees it."""

    name: str
    python: str
    libraries: Mapping[str, str]
    code: str  # the digest of our code there
    data: Mapping[str, str]  # the fingerprint of each task's data, or why they cannot be loaded
    problem: str  # why the run directory cannot be written to; empty if it can
    gpus: tuple[str, ...]  # the model of each


def inspect_node(run: Path, token: str, tasks: Sequence[tuple[str, TaskSpec]], data: Path) -> Node:
    """Describe this node, and make a file named ``token`` in the run directory for the driver."""
    problem = ""
    try:
        (run / token).touch()
    except OSError as error:
        problem = f"cannot write to {run}: {error.strerror}"
    return Node(
        platform.node(),
        platform.python_version(),
        {name: version(name) for name in LIBRARIES},
        code_digest(),
        {label: _fingerprint(spec, data) for label, spec in tasks},
        problem,
        tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())),
    )


def check_nodes(
    run: Path, tasks: Sequence[tuple[str, TaskSpec]], data: Path, nodes: Sequence[tuple[str, Node]]
) -> None:
    """Compare nodes with this process; each comes with the token that it was given.

    Raises a UserError that names the first node that differs and says how. Warns if the GPUs are of
    several models.
    """
    here = inspect_node(run, own := new_token(), tasks, data)
    (run / own).unlink(missing_ok=True)
    for token, node in nodes:
        found = (run / token).exists()
        (run / token).unlink(missing_ok=True)
        if node.problem:
            raise UserError(f"node {node.name} {node.problem}")
        if not found:
            raise UserError(
                f"node {node.name} has another {run} than this machine: --out has to be a folder "
                "that all nodes share under the same path"
            )
        _compare(node, here)
    _warn_mixed_gpus(node for _, node in nodes)


def _warn_mixed_gpus(nodes: Iterable[Node]) -> None:
    models = Counter(model for node in nodes for model in node.gpus)
    if len(models) > 1:
        found = ", ".join(f"{count} x {model}" for model, count in models.items())
        warnings.warn(
            f"GPUs of several models ({found}): their hours are kept apart and not comparable",
            UserNotice,
            stacklevel=3,
        )


def _compare(node: Node, here: Node) -> None:
    if node.python.split(".")[:2] != here.python.split(".")[:2]:
        raise UserError(f"node {node.name} has Python {node.python}, the driver {here.python}")
    for name, theirs in node.libraries.items():
        if theirs != here.libraries[name]:
            raise UserError(
                f"node {node.name} has {name} {theirs}, the driver {here.libraries[name]}: "
                "install both from the same constraints.txt"
            )
    if node.code != here.code:
        raise UserError(
            f"node {node.name} runs other code of augbench than the driver: install one version "
            "everywhere, or send the driver's to the nodes by --ship-code"
        )
    for label, theirs in node.data.items():
        if theirs != here.data[label]:
            raise UserError(
                f"node {node.name} has other data for task {label!r} than the driver ({theirs}; "
                f"here {here.data[label]}): --data has to name the same files on all nodes"
            )


def new_token() -> str:
    """A file name that nobody else uses."""
    return f".preflight-{uuid.uuid4().hex}"


@cache
def code_digest() -> str:
    """12 hex digits of our source files, which differ between versions, committed or not."""
    digest = hashlib.sha256()
    for package in (augbench.bench, augbench.datasets, augbench.methods):
        assert package.__file__ is not None
        folder = Path(package.__file__).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(str(file.relative_to(folder.parent)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def distinct_tasks(specs: Iterable[TrialSpec]) -> list[tuple[str, TaskSpec]]:
    """Each task of some trials once, without its training settings."""
    found: dict[str, TaskSpec] = {}
    for each in {id(spec.task): spec.task for spec in specs}.values():  # trials share them
        task = TaskSpec(each.task, each.options, each.data_seed)
        found[repr(task)] = task
    return [(task.task, task) for task in found.values()]


def _fingerprint(spec: TaskSpec, data: Path) -> str:
    try:
        return load_task(spec, data).fingerprint
    except UserError as error:
        return str(error)


def warn_oversubscribed(workers: int, cpus: float) -> None:
    """Warn if units have to share processors: nothing marks their device hours for it."""
    there = processors()
    if workers * cpus > there:
        warnings.warn(
            f"{workers} workers with {cpus:g} processor(s) each are more than "
            f"the {there} of this machine: they slow each other down, and the device hours are too "
            "long; lower --workers or resources.cpus",
            UserNotice,
            stacklevel=2,
        )


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
