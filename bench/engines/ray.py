"""Units as plain Ray tasks, each in a fresh process, on this machine or a cluster that is named."""

import logging
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import Any

import augbench.bench
import augbench.datasets
import augbench.methods
from augbench.bench.engines import zygote
from augbench.bench.engines.engine import Outcome
from augbench.bench.engines.preflight import (
    check_nodes,
    check_reachable,
    code_digest,
    inspect_node,
    new_token,
    warn_oversubscribed,
)
from augbench.bench.engines.watch import Watch
from augbench.bench.plan.spec import TaskSpec, UnitId
from augbench.bench.plan.tables import Resources
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.work import Host
from augbench.datasets.errors import UserError

# Ray keeps no data of ours, so the smallest store that it takes is large enough.
_STORE_BYTES = 80 * 2**20
INSPECT_SECONDS = 300.0  # for a look at all nodes, which load the data for it
KILL_SECONDS = 15.0  # for a unit that is killed to be dead
PARENT = Path("/tmp")  # the path of a socket in it must be short, TMPDIR may be long


class RayEngine:
    """At most ``resources.workers`` tasks in flight, each in a process that does nothing else.

    Ray's own processes are used again, the units' are forked from a `zygote` beside each.
    Not Ray Tune: the plan is fixed, and Tune's snapshots, clock and exit code would have to be
    worked around (it costs three times a fresh process per trial and hides wasted time).
    """

    def __init__(
        self,
        run: RunDirectory,
        host: Host,
        resources: Resources,
        *,
        address: str | None = None,
        ship_code: bool = False,
        tasks: Sequence[tuple[str, TaskSpec]] = (),  # whose data every node must have
    ) -> None:
        self.slots = resources.workers
        self._run, self._host = run, host
        self._flight: dict[Any, UnitId] = {}
        self._watch = Watch(run, resources)
        self._given_up: dict[UnitId, tuple[str, float]] = {}  # why, and when it was to be dead
        self._folder = None if address else _new_folder()
        self._ray = _start(resources, address, self._folder, ship_code=ship_code)
        try:
            self._check_capacity(resources)
            if address:
                self._check_nodes(tasks)
            # A task that dies is ours to try again, from its checkpoint; Ray shall not do it too.
            self._task = self._ray.remote(
                num_cpus=resources.cpus, num_gpus=resources.gpus, max_retries=0, max_calls=0
            )(zygote.attempt)
        except BaseException:
            self.close()
            raise

    def submit(self, unit: UnitId) -> None:
        """Hand the unit to Ray."""
        request = {
            "run": str(self._run.path.resolve()),
            "unit": unit,
            "host": {**asdict(self._host), "data": str(self._host.data)},
            "code": code_digest(),
        }
        self._watch.begin(unit)
        self._flight[self._task.remote(request)] = unit

    def wait(self, seconds: float) -> list[Outcome]:
        """The outcomes of tasks that ended, well or with their process."""
        if not self._flight:
            return []
        lost = self._give_up(self._watch.stuck())
        if lost:
            return lost
        ended, others = self._ray.wait(list(self._flight), num_returns=1, timeout=seconds)
        if ended and others:  # what has ended too: of a thousand, several at a time do
            ended += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [self._outcome(reference) for reference in ended]

    def _give_up(self, stuck: dict[UnitId, str]) -> list[Outcome]:
        """Kill units; those that Ray cannot even reach for that are said to have crashed."""
        now = time.monotonic()
        outcomes = []
        for reference, unit in list(self._flight.items()):
            if unit in stuck and unit not in self._given_up:
                self._given_up[unit] = (stuck[unit], now + KILL_SECONDS)
                self._ray.cancel(reference, force=True)
            reason, deadline = self._given_up.get(unit, ("", math.inf))
            if now > deadline:
                self._forget(reference)
                outcomes.append(Outcome(unit, "crashed", reason))
        return outcomes

    def _forget(self, reference: Any) -> tuple[UnitId, str]:
        """A task that is under way no more: its unit, and why it was given up, if it was."""
        unit = self._flight.pop(reference)
        self._watch.end(unit)
        return unit, self._given_up.pop(unit, ("", 0.0))[0]

    def _outcome(self, reference: Any) -> Outcome:
        unit, given_up = self._forget(reference)
        try:
            ending, reason = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # Ray could not run it at all there
            return Outcome(unit, "failed", str(error.cause))
        except self._ray.exceptions.RayError as error:
            return Outcome(
                unit, "crashed", given_up or f"its process died ({type(error).__name__})"
            )
        return Outcome(unit, ending, reason)

    def close(self) -> None:
        """Cancel what is in flight and stop the Ray that this engine started."""
        for reference in self._flight:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _check_capacity(self, resources: Resources) -> None:
        """Ray would wait for ever for what no node has."""
        needed = {"CPU": resources.cpus, "GPU": resources.gpus}
        nodes = [node["Resources"] for node in self._nodes()]
        if any(all(node.get(k, 0) >= n for k, n in needed.items()) for node in nodes):
            return
        has = [f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes]
        raise UserError(
            f"each unit asks for {resources.cpus:g} CPU and {resources.gpus:g} GPU; no node of Ray "
            f"has both (there are: {'; '.join(has) or 'none'}): lower them in [resources]"
            + ("" if self._folder else ", or wait until more nodes have joined")
        )

    def _check_nodes(self, tasks: Sequence[tuple[str, TaskSpec]]) -> None:
        """Look at every node before anything is queued on it; one may join later: see _attempt."""
        by_node = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        remote = self._ray.remote(num_cpus=0, max_retries=0, max_calls=1)(inspect_node)
        path, data = self._run.path.resolve(), self._host.data
        nodes = self._nodes()
        tokens = [new_token() for _ in nodes]
        looks = [
            remote.options(scheduling_strategy=by_node(node["NodeID"], soft=False)).remote(
                path, token, tasks, data
            )
            for node, token in zip(nodes, tokens, strict=True)
        ]
        try:
            found = self._ray.get(looks, timeout=INSPECT_SECONDS)
        except self._ray.exceptions.RayError as error:
            raise UserError(
                f"a node of the cluster cannot do our work: {error}; is augbench installed on all "
                "nodes? --ship-code brings the driver's"
            ) from None
        check_nodes(path, tasks, data, list(zip(tokens, found, strict=True)))

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]


def _new_folder() -> Path:
    """A folder for Ray's own files; those of drivers that were killed are swept away."""
    for left in PARENT.glob("augbench-ray-*"):
        # A name that is none of ours says of no process whether it lives.
        ours = re.fullmatch(r"augbench-ray-([1-9]\d{0,6})-[a-z0-9_]{8}", left.name)
        if ours and not _is_running(int(ours[1])):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"augbench-ray-{os.getpid()}-", dir=PARENT))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(
    resources: Resources, address: str | None, folder: Path | None, *, ship_code: bool
) -> Any:
    """Start a Ray of our own, or join the one whose address was given, and no other."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # Ray's monitor kills tasks when memory is short, and by default tries them for ever.
        "RAY_task_oom_retries": "0",
    }
    if not address:
        settings["RAY_AUTH_MODE"] = "disabled"  # it listens on this machine alone
    os.environ.update(settings)
    import ray  # heavy, and absent where only the inline engine is used

    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
        "runtime_env": {"env_vars": _thread_settings(resources)},
    }
    if address:
        check_reachable(address)
        try:
            with ExitStack() as packing:
                if ship_code:
                    options["runtime_env"]["py_modules"] = [packing.enter_context(_packed())]
                ray.init(address=address, **options)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            # Ray says of a token that is lacking what is in `message`, and of a wrong one nothing.
            raise UserError(
                f"no Ray cluster answers at {address}: {getattr(error, 'message', error)}; one "
                "that asks for a token wants RAY_AUTH_MODE=token here, and RAY_AUTH_TOKEN_PATH or "
                "RAY_AUTH_TOKEN as on its nodes"
            ) from None
    else:
        warn_oversubscribed(resources.workers, resources.cpus)
        ray.init(
            address="local",  # never one that happens to run here
            num_cpus=max(1, ceil(resources.workers * resources.cpus)),
            include_dashboard=False,
            object_store_memory=_STORE_BYTES,
            _temp_dir=str(folder),
            **options,
        )
    return ray


@contextmanager
def _packed() -> Iterator[str]:
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


def _thread_settings(resources: Resources) -> dict[str, str]:
    """As many threads of arithmetic as a unit has processors."""
    n_threads = str(max(1, int(resources.cpus)))
    return {"OMP_NUM_THREADS": n_threads, "MKL_NUM_THREADS": n_threads}
