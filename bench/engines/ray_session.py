"""Ray for one engine: started on this machine behind its own token, or joined at an address."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from inspect import signature
from math import ceil
from pathlib import Path
from typing import Any

import augbench.bench
import augbench.datasets
import augbench.methods
from augbench.bench.engines.preflight import warn_oversubscribed
from augbench.bench.engines.ray_environment import read_again, restore, set_for_ray
from augbench.bench.engines.ray_folder import RayFolder
from augbench.bench.engines.ray_guard import Guard, kill_processes
from augbench.bench.engines.reachable import check_reachable, is_reachable
from augbench.bench.plan.tables import Resources
from augbench.datasets.errors import UserError

START_SECONDS = 180.0  # for Ray to start or be joined: 3 s, and 16 s on a busy machine
HEAD_SECONDS = 40.0  # without an answer of a cluster's head; after 60 s Ray ends the process
LOOK_SECONDS = 5.0  # between looks at a cluster's head
# Ray keeps no data of ours, so the smallest store that it takes is large enough.
_STORE_BYTES = 80 * 2**20
_CARRY_ON = "what is finished is kept, and the same command resumes the run"


class RaySession:
    """Ray, until it is closed; then the environment and the signals are as they were before."""

    def __init__(self, resources: Resources, address: str | None, *, ship_code: bool) -> None:
        """Start Ray, or join the cluster at an address and no other.

        Raises a UserError where that fails or takes more than START_SECONDS.
        """
        _refuse_second_ray()
        self.is_own = address is None
        self._address = self._joined = address or ""
        self._answered = self._looked = time.monotonic()
        self._open = ExitStack()
        try:
            folder = self._make_folder() if self.is_own else None
            guard = _guard(folder, address)
            self._open.callback(guard.closed)
            self.ray = self._import_ray()
            if folder:
                self._start(resources, folder)
            else:
                self._join(resources, ship_code=ship_code)
            guard.started()
        except BaseException:
            self.close()
            raise

    def _make_folder(self) -> RayFolder:
        folder = RayFolder()
        self._open.callback(folder.remove)
        self._open.callback(kill_processes, str(folder.path))  # what a start that failed has left
        return folder

    def _import_ray(self) -> Any:
        """Import Ray with an environment of our own, which it reads in part only when imported."""
        self._open.callback(restore, dict(os.environ))
        if threading.current_thread() is threading.main_thread():
            self._open.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        set_for_ray(own=self.is_own)
        import ray  # heavy, and absent where only the inline engine is used

        read_again()
        self._open.callback(ray.shutdown)
        return ray

    def _start(self, resources: Resources, folder: RayFolder) -> None:
        warn_oversubscribed(resources.workers, resources.cpus)
        try:
            with _few_processes():
                self.ray.init(
                    address="local",  # never one that happens to run here
                    num_cpus=max(1, ceil(resources.workers * resources.cpus)),
                    include_dashboard=False,
                    object_store_memory=_STORE_BYTES,
                    _temp_dir=str(folder.for_ray),
                    **_options(resources),
                )
        except Exception as error:
            raise UserError(
                f"Ray does not start on this machine ({_first_line(error)}): look at its memory, "
                "at the limits for processes and open files (ulimit -u, ulimit -n) and at the "
                "space in /tmp, or do without Ray by --engine inline"
            ) from None

    def _join(self, resources: Resources, *, ship_code: bool) -> None:
        options = _options(resources)
        if self._address == "auto":
            self._joined = _find_cluster() or self._address
        check_reachable(self._joined)
        try:
            with ExitStack() as packing:
                if ship_code:
                    options["runtime_env"]["py_modules"] = [packing.enter_context(_packed_code())]
                self.ray.init(address=self._joined, **options)
        except Exception as error:
            # If a token is missing, `message` says so; if it is wrong, Ray says nothing.
            raise UserError(
                f"no Ray cluster answers at {self._address}: {_first_line(error)}; one that asks "
                "for a token wants RAY_AUTH_MODE=token here, and RAY_AUTH_TOKEN_PATH or "
                "RAY_AUTH_TOKEN as on its nodes"
            ) from None

    def check(self) -> None:
        """Raise a UserError if Ray has died, or its head has not answered for HEAD_SECONDS."""
        if self.is_own:
            node = self.ray._private.worker._global_node
            dead = {name for name, _ in node.dead_processes()} & {"gcs_server", "raylet"}
            if dead:
                raise UserError(
                    f"the Ray that was started here has died ({', '.join(sorted(dead))}; the "
                    f"system may have been short of memory): {_CARRY_ON}"
                )
            return
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        is_client = "://" in self._joined  # then this process is no part of the cluster
        context = self.ray.get_runtime_context()
        if is_reachable(self._joined if is_client else context.gcs_address):
            self._answered = now
            if not is_client:
                self._check_own_node(context.get_node_id())
        elif now - self._answered > HEAD_SECONDS:
            raise UserError(
                f"the head of the Ray cluster at {self._address} has not answered for "
                f"{now - self._answered:.0f} s; when it is back or another one is started: "
                f"{_CARRY_ON}"
            )

    def _check_own_node(self, own: str) -> None:
        try:
            nodes = self.ray.nodes()
        except self.ray.exceptions.RayError:
            return  # the head has gone this moment
        if not any(node["NodeID"] == own and node["Alive"] for node in nodes):
            raise UserError(
                f"the node of the Ray cluster at {self._address} that ran on this machine has "
                f"died; when it is started again: {_CARRY_ON}"
            )

    def close(self) -> None:
        """Leave Ray, and stop it if it was started here; a second time does nothing."""
        self._open.close()


@contextmanager
def _few_processes() -> Iterator[None]:
    """Let Ray start without its autoscaler, the reader of its logs and the server of its API.

    A Ray on one machine has no use for them, and we show no logs of Ray. Each costs one or two
    seconds of a processor. `ray.init` offers no way to do without them, so this reaches into Ray; a
    Ray whose insides are different starts all. A Ray that takes its dashboard for not installed
    starts a smaller agent; to look for the dashboard it would import a web server here (0.3 s).
    """
    from ray._private import parameter, services, utils

    usual = getattr(parameter, "RayParams", None)
    server = getattr(services, "start_api_server", None)
    dashboard = getattr(utils, "get_dashboard_dependency_error", None)
    without = {"no_monitor": True, "include_log_monitor": False}
    if (
        usual is None
        or server is None
        or dashboard is None
        or without.keys() - signature(usual).parameters.keys()
    ):
        yield
        return
    parameter.RayParams = partial(usual, **without)
    services.start_api_server = _no_server
    utils.get_dashboard_dependency_error = _no_dashboard
    try:
        yield
    finally:
        parameter.RayParams, services.start_api_server = usual, server
        utils.get_dashboard_dependency_error = dashboard


def _no_server(*_: Any, **__: Any) -> tuple[None, None]:
    """What Ray's own function returns where the server does not start: no URL, no process."""
    return None, None


def _no_dashboard() -> ImportError:
    """What Ray's own function returns where the dashboard is not installed."""
    return ImportError("it is not wanted")


def _guard(folder: RayFolder | None, address: str | None) -> Guard:
    if address:
        not_started = (
            f"Ray could not join the cluster at {address}: it failed, or took longer than "
            f"{START_SECONDS:g} s; is that the address of a Ray head, is its token here "
            "(RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH), and is it overloaded?"
        )
    else:
        not_started = (
            f"Ray did not start on this machine: it failed, or took longer than {START_SECONDS:g} "
            "s; is the machine overloaded or short of memory? --engine inline does without Ray"
        )
    ended = f"the driver was killed, or ended by Ray, which had lost its head: {_CARRY_ON}"
    return Guard(
        folder.path if folder else None, START_SECONDS, not_started=not_started, ended=ended
    )


def _refuse_second_ray() -> None:
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        raise UserError(
            "this process is connected to a Ray already: call ray.shutdown() first, or use the "
            "inline engine"
        )


def _options(resources: Resources) -> dict[str, Any]:
    return {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
        "runtime_env": {"env_vars": _thread_settings(resources)},
    }


def _thread_settings(resources: Resources) -> dict[str, str]:
    """As many threads of arithmetic as a unit has processors."""
    n_threads = str(max(1, int(resources.cpus)))
    return {"OMP_NUM_THREADS": n_threads, "MKL_NUM_THREADS": n_threads}


def _find_cluster() -> str | None:
    """The address that Ray means by ``auto``; None if it knows none."""
    from ray._private.services import canonicalize_bootstrap_address

    if address := os.environ.get("RAY_ADDRESS"):
        return address
    found: str | None = canonicalize_bootstrap_address("auto")
    return found


def _first_line(error: Exception) -> str:
    """The first line of what Ray says, which may be a whole log."""
    said = str(getattr(error, "message", error)).strip() or type(error).__name__
    return said.splitlines()[0][:300]


@contextmanager
def _packed_code() -> Iterator[str]:
    """Our layers in one folder ``augbench``, for as long as Ray takes to read it.

    In a checkout they lie beside each other, and are one package by name alone.
    """
    with tempfile.TemporaryDirectory(prefix="augbench-code-") as folder:
        package = Path(folder) / "augbench"
        for layer in (augbench.datasets, augbench.methods, augbench.bench):
            (source,) = layer.__path__
            shutil.copytree(
                source,
                package / Path(source).name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        yield str(package)
