"""A process that has every library loaded and forks a child for each unit (Android's zygote).

A unit has a process of its own, since what it leaves behind (memory of a GPU, global state, a
crash) must touch no other. Starting one afresh takes 3 s, nearly all of it imports; forking one
from a process that has imported everything and computed nothing takes some milliseconds. What only
some units import (braindecode, 2 s) the zygote imports when the first of them has done so.

This module is both ends of a pipe. `attempt` is called in a worker of Ray and imports nothing
heavy: it starts itself as a program once (``python -m``) and sends it units. When either end
dies, however it dies, so does the unit under way.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from augbench.bench.startup import importing

_started: list[subprocess.Popen[bytes]] = []  # the zygote of this process, if it has one


def attempt(request: dict[str, Any]) -> tuple[str, str]:
    """Have a unit done in a fresh process; how it ended and why, as in an `Outcome`.

    The request is plain data: ``run``, ``unit``, ``host``, and the driver's digest of the ``code``.
    """
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")  # Ray sets it anew for each task
    zygote = _started[0] if _started else _start()
    assert zygote.stdin
    assert zygote.stdout
    try:
        zygote.stdin.write(json.dumps({**request, "gpus": gpus}).encode() + b"\n")
        zygote.stdin.flush()
        answer = zygote.stdout.readline()
    except BrokenPipeError:
        answer = b""
    if not answer:
        _started.clear()
        zygote.kill()
        return "crashed", f"its process could not be started or died (exit {zygote.wait()})"
    ending, reason = json.loads(answer)
    return ending, reason


def _start() -> subprocess.Popen[bytes]:
    settings = {
        # The same modules as here, in the same order, and no folder that happens to be current.
        "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
        # A library that asks for GPUs while it is imported shall not wake CUDA, which no child of a
        # process that has done so can use (torch's notes on CUDA semantics).
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }
    zygote = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | settings,
        start_new_session=True,  # a Ctrl-C in the terminal is the driver's to handle
    )
    _started.append(zygote)
    return zygote


def main() -> None:
    """Serve requests from stdin, one at a time, until it closes."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    with importing():
        # torch's optimizers import _dynamo at their first use, which takes a second.
        for module in ("augbench.bench.engines.inline", "torch._dynamo"):
            import_module(module)
    import_module("augbench.bench.engines.preflight").code_digest()  # it is kept
    for line in iter(sys.stdin.buffer.readline, b""):
        ending, reason, modules = _in_a_child(json.loads(line))
        os.write(answers, json.dumps([ending, reason]).encode() + b"\n")
        for module in modules:
            with suppress(Exception):  # it may be one that only its package can load
                import_module(module)


def _in_a_child(request: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Fork and wait: how the unit ended, or the child died, and why; what modules it imported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            _die_with_the_parent()
            loaded = set(sys.modules)
            ending, reason = _do(request)
            modules = [name for name in sys.modules if name not in loaded]
            # A pipe may hold less than all their names.
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump([ending, reason, modules], pipe)
            status = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    said = b""
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if 0 in ready:  # no request comes before an answer: the other end is gone
            os.kill(child, signal.SIGKILL)
            sys.exit()
        chunk = os.read(reading, 65536)
        if not chunk:
            break
        said += chunk
    os.close(reading)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        ending, reason, modules = json.loads(said)
        return ending, reason, modules
    died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return "crashed", f"its process died ({died})", []


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def _do(request: dict[str, Any]) -> tuple[str, str]:
    """What the child does."""
    from pathlib import Path
    from platform import node

    from augbench.bench.engines.inline import attempt as do
    from augbench.bench.engines.preflight import code_digest
    from augbench.bench.plan.spec import UnitId
    from augbench.bench.store.run_directory import RunDirectory
    from augbench.bench.unit.work import Host

    if code_digest() != request["code"]:  # a node that joined late
        return "refused", f"node {node()} runs other code of augbench than the driver"
    if request["gpus"] is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = request["gpus"]
    host = Host(**{**request["host"], "data": Path(request["host"]["data"])})
    outcome = do(RunDirectory(Path(request["run"])), UnitId(*request["unit"]), host)
    return outcome.ending, outcome.reason


if __name__ == "__main__":
    main()
