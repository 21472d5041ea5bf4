"""Units as plain Ray tasks, each in a fresh process, on this machine or on a cluster."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from augbench.bench.engines import zygote
from augbench.bench.engines.engine import Outcome
from augbench.bench.engines.preflight import check_nodes, code_digest, inspect_node, new_token
from augbench.bench.engines.ray_session import RaySession
from augbench.bench.engines.watch import Watch
from augbench.bench.plan.spec import TaskSpec, UnitId
from augbench.bench.plan.tables import Resources
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.datasets.errors import UserError

INSPECT_SECONDS = 300.0  # for inspecting all nodes, which load the data for it
KILL_SECONDS = 15.0  # until a unit that is killed has to be dead


class RayEngine:
    """At most ``resources.workers`` tasks in flight, each in a process that does nothing else.

    Ray uses its own processes again; those of the units are forked from a `zygote` beside each.
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
        tasks: Sequence[tuple[str, TaskSpec]] = (),  # every node must have their data
    ) -> None:
        self.slots = resources.workers
        self._run, self._host = run, host
        self._flight: dict[Any, UnitId] = {}
        self._watch = Watch(run, resources, has_slots=address is None)
        self._given_up: dict[UnitId, tuple[str, float]] = {}  # why, and when it has to be dead
        self._session = RaySession(resources, address, ship_code=ship_code)
        self._ray = self._session.ray
        try:
            self._check_capacity(resources)
            if address:
                self._check_nodes(tasks)
            # A task that dies is tried again by us, from its checkpoint, and not by Ray.
            self._task = self._ray.remote(
                num_cpus=resources.cpus, num_gpus=resources.gpus, max_retries=0, max_calls=0
            )(zygote.attempt)
        except BaseException:
            self.close()
            raise

    def submit(self, unit: UnitId) -> None:
        """Hand the unit to Ray."""
        self._session.check()
        request = {
            "run": str(self._run.path.resolve()),
            "unit": unit,
            "host": {**asdict(self._host), "data": str(self._host.data)},
            "code": code_digest(),
            "folder": str(self._run.unit(unit).path.resolve()),
            "ticket": self._watch.begin(unit),
        }
        self._flight[self._task.remote(request)] = unit

    def wait(self, seconds: float) -> list[Outcome]:
        """The outcomes of tasks that have ended, also of those whose process died.

        Raises a UserError if Ray itself has died.
        """
        if not self._flight:
            return []
        self._session.check()
        over = self._give_up(self._watch.stuck()) + self._withdraw()
        if over or not self._flight:
            return over
        ended, others = self._ray.wait(list(self._flight), num_returns=1, timeout=seconds)
        if ended and others:  # others may have ended too: of a thousand, several at a time do
            ended += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [self._outcome(reference) for reference in ended]

    def _give_up(self, stuck: dict[UnitId, str]) -> list[Outcome]:
        """Kill stuck units; a unit that Ray cannot end in KILL_SECONDS is reported as crashed."""
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

    def _withdraw(self) -> list[Outcome]:
        """Once the driver stops, take back the units that still wait for a slot."""
        if not self._run.halt_file.exists():
            return []
        waiting = set(self._watch.waiting()) - self._given_up.keys()
        references = [each for each, unit in self._flight.items() if unit in waiting]
        for reference in references:
            self._ray.cancel(reference, force=True)
        return [Outcome(self._forget(each)[0], "done") for each in references]

    def _forget(self, reference: Any) -> tuple[UnitId, str]:
        """Drop a task from those under way: its unit, and why it was given up, if it was."""
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
        # The worker may report the death of a zygote that was killed for the unit's sake.
        return Outcome(unit, ending, given_up if given_up and ending == "crashed" else reason)

    def close(self) -> None:
        """Cancel what is in flight, and stop the Ray that this engine started."""
        for reference in self._flight:
            self._ray.cancel(reference, force=True)
        self._flight.clear()
        self._session.close()

    def _check_capacity(self, resources: Resources) -> None:
        """Raise a UserError if no node has what a unit needs: Ray would wait for ever."""
        needed = {"CPU": resources.cpus, "GPU": resources.gpus}
        nodes = [node["Resources"] for node in self._nodes()]
        if any(all(node.get(k, 0) >= n for k, n in needed.items()) for node in nodes):
            return
        has = [f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes]
        raise UserError(
            f"each unit asks for {resources.cpus:g} CPU and {resources.gpus:g} GPU; no node of Ray "
            f"has both (there are: {'; '.join(has) or 'none'}): lower them in [resources]"
            + ("" if self._session.is_own else ", or wait until more nodes have joined")
        )

    def _check_nodes(self, tasks: Sequence[tuple[str, TaskSpec]]) -> None:
        """Inspect every node before anything is queued on it.

        A node that joins later is checked by the units that it gets: see `zygote`.
        """
        by_node = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        remote = self._ray.remote(num_cpus=0, max_retries=0, max_calls=1)(inspect_node)
        path, data = self._run.path.resolve(), self._host.data
        nodes = self._nodes()
        tokens = [new_token() for _ in nodes]
        inspections = [
            remote.options(scheduling_strategy=by_node(node["NodeID"], soft=False)).remote(
                path, token, tasks, data
            )
            for node, token in zip(nodes, tokens, strict=True)
        ]
        try:
            found = self._ray.get(inspections, timeout=INSPECT_SECONDS)
        except self._ray.exceptions.RayError as error:
            raise UserError(
                f"a node of the cluster cannot run augbench: {error}; is it installed on all "
                "nodes? --ship-code sends the driver's code to them"
            ) from None
        check_nodes(path, tasks, data, list(zip(tokens, found, strict=True)))

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]
