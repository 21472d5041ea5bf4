"""Checks before anything is queued: does a cluster answer, and are its nodes like this one?"""

import hashlib
import os
import platform
import socket
import time
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
from augbench.datasets.errors import UserError, UserNotice, system_error

CONNECT_SECONDS = 5.0  # for the head of a cluster to answer
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HTTP2_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"  # a frame of length 0, type 4
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


def check_reachable(address: str) -> None:
    """Raise a UserError where no Ray answers: Ray itself would try for ever, deaf to Ctrl-C."""
    end = _host_and_port(address)
    if end is None:
        return  # "auto", or what Ray itself refuses
    try:
        greets = _greets_like_ray(*end)
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {address}: {system_error(error)}; is its head started, "
            "and does it listen there?"
        ) from None
    if not greets:
        raise UserError(
            f"no Ray cluster answers at {address}: something listens there, but it does not speak "
            f"as a Ray head does within {CONNECT_SECONDS:g} s; is the port right (6379 unless the "
            "head was started with another), and does the head still run?"
        )


def is_reachable(address: str) -> bool:
    """Whether the head of a cluster answers there."""
    end = _host_and_port(address)
    try:
        return end is not None and _greets_like_ray(*end)
    except OSError:
        return False


def _host_and_port(address: str) -> tuple[str, int] | None:
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        return None
    return host.strip("[]"), int(port)


def _greets_like_ray(host: str, port: int) -> bool:
    """Whether a server opens an HTTP/2 connection (RFC 9113, section 3.4), as gRPC's do.

    Raises an OSError where nothing listens. With TLS a connection is all that can be seen.
    """
    deadline = time.monotonic() + CONNECT_SECONDS
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            return True
        try:
            connection.sendall(_HTTP2_PREFACE + _HTTP2_SETTINGS)
            frame = b""
            while len(frame) < len(_HTTP2_SETTINGS):
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                received = connection.recv(len(_HTTP2_SETTINGS) - len(frame))
                if not received:
                    return False
                frame += received
        except OSError:
            return False
    return frame[3] == _HTTP2_SETTINGS[3]  # the first frame has to be one of settings


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
