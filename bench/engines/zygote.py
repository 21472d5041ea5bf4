"""A process that has loaded every library and forks a child for each unit (Android's zygote).

Each unit has its own process, since what it leaves behind (GPU memory, global state, a crash) must
not touch another unit. To start a new process takes 2 s of a processor, nearly all of it imports;
to fork one from a process that has imported what all units need, and has computed nothing, takes
some milliseconds. The zygote also imports what only some units need (braindecode, 2 s more), once
the first of them has imported it.

This module is both ends of a pipe. `attempt` runs in a worker of Ray and imports nothing heavy: it
starts this module as a program once (``python -m``) and sends units to it. When either end dies,
for whatever reason, the unit under way dies too.
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
from pathlib import Path
from typing import Any

from augbench.bench.engines.starting import show_life, showing_life
from augbench.bench.startup import importing

_started: list[subprocess.Popen[bytes]] = []  # the zygote of this process, if it has one


def attempt(request: dict[str, Any]) -> tuple[str, str]:
    """Let a fresh process do a unit; return how it ended and why, as in an `Outcome`.

    The request is plain data: ``run``, ``unit``, ``host``, the driver's digest of the ``code``, and
    the unit's ``folder`` and ``ticket``, by which a process that gets ready shows that it lives.
    """
    show_life(Path(request["folder"]), request["ticket"])
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")  # Ray sets it for each task
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
        # A library that asks for GPUs while it is imported must not start CUDA: then no child of
        # that process could use it (torch's notes on CUDA semantics).
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    }
    environment = os.environ | settings
    environment.pop("RAY_AUTH_TOKEN", None)  # no unit needs it, and its code may be a plug-in's
    zygote = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # only the driver handles a Ctrl-C in the terminal
    )
    _started.append(zygote)
    return zygote


def main() -> None:
    """Serve requests from stdin, one at a time, until it closes."""
    answers = os.dup(1)
    os.dup2(2, 1)  # so that what libraries print is not taken for an answer
    is_ready = False
    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        if not is_ready:
            # The thread that beats has ended before anything is forked.
            with showing_life(Path(request["folder"]), request["ticket"]):
                _get_ready()
            is_ready = True
        ending, reason, modules = _fork_and_do(request)
        os.write(answers, json.dumps([ending, reason]).encode() + b"\n")
        for module in modules:
            with suppress(Exception):  # some modules can only be loaded by their package
                import_module(module)


def _get_ready() -> None:
    with importing():
        import_module("augbench.bench.engines.inline")
    import_module("augbench.bench.engines.preflight").code_digest()  # it is kept


def _fork_and_do(request: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Fork and wait; return how the unit ended, why, and the modules that it imported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            _die_with_the_parent()
            loaded = set(sys.modules)
            ending, reason = _do_unit(request)
            theirs = _plugin_modules(request)
            modules = [name for name in sys.modules if name not in loaded | theirs]
            # A pipe may hold less than all the names.
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
        if 0 in ready:  # no request comes before the answer, so the other end has died
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


def _plugin_modules(request: dict[str, Any]) -> set[str]:
    """The modules of the run's plug-ins: each unit imports them anew and holds them to their code.

    Here they would stay as they were, whatever becomes of their files while the run is under way.
    """
    from augbench.bench.store.run_directory import RunDirectory
    from augbench.datasets.plugin_code import outermost

    plugins = RunDirectory(Path(request["run"])).plugins()
    roots = {outermost(plugin.module) for plugin in plugins}
    return {name for name in sys.modules for root in roots if f"{name}.".startswith(f"{root}.")}


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def _do_unit(request: dict[str, Any]) -> tuple[str, str]:
    """Do the unit, in the child."""
    from platform import node

    from augbench.bench.engines.inline import attempt as do
    from augbench.bench.engines.preflight import code_digest
    from augbench.bench.plan.spec import UnitId
    from augbench.bench.store.run_directory import RunDirectory
    from augbench.bench.unit.host import Host

    if code_digest() != request["code"]:  # on a node that joined later
        return "refused", f"node {node()} runs other code of augbench than the driver"
    if request["gpus"] is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = request["gpus"]
    host = Host(**{**request["host"], "data": Path(request["host"]["data"])})
    with showing_life(Path(request["folder"]), request["ticket"]):
        outcome = do(RunDirectory(Path(request["run"])), UnitId(*request["unit"]), host)
    return outcome.ending, outcome.reason


if __name__ == "__main__":
    main()
