"""Python in processes forked from one that has imported augbench, as `from forked import fork`.

A fresh interpreter spends three seconds of a processor on imports before `augbench run` begins. A
forked one is as real: a process of its own, which can be killed, with its own session, folder,
environment and output. The engines fork their units in the same way (bench/engines/zygote.py).

This file is also the program from which they are forked.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

COMMAND = [sys.executable, "-m", "augbench.bench"]
SCRIPT = [sys.executable, "-c"]  # followed by the script and its arguments
# What takes long to import. torch's own optimizers, which tests use, import the last one.
HEAVY = ("augbench.bench.driver.run", "augbench.bench.engines.inline", "torch._dynamo")


class Forked:
    """A forked process, with what tests use of `subprocess.Popen`."""

    def __init__(self, server: "Server", pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for the signal that ended it; None while it lives."""
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; a TimeoutExpired if it does not come."""
        deadline = time.monotonic() + (timeout or 3600)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(COMMAND, timeout or 3600)
            time.sleep(0.05)
        return code

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Server:
    """The process that has imported everything, from which others are forked."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        atexit.register(self._process.kill)

    def fork(
        self, words: list[str], environment: Mapping[str, str] | None, output: int, errors: int
    ) -> Forked:
        """Run COMMAND or SCRIPT with these files as its output, in a session of its own."""
        request = {
            "words": words,
            "environment": dict(os.environ if environment is None else environment),
            "folder": str(Path.cwd()),
        }
        pid = self.ask(request, [output, errors])
        assert pid is not None
        return Forked(self, pid)

    def ask(self, request: object, files: list[int] | None = None) -> int | None:
        """Send a request and return the answer."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], files or [])
        answer: int | None = json.loads(self._socket.recv(1000))
        return answer


@cache
def server() -> Server:
    """The one of this process, started when it is first asked for."""
    return Server()


def fork(
    words: list[str], environment: Mapping[str, str] | None, output: int, errors: int
) -> Forked:
    """Do in a forked process what a fresh one would do when started with these words."""
    assert can_be_forked(words), words
    return server().fork(words, environment, output, errors)


def can_be_forked(words: list[str]) -> bool:
    """Whether these words start COMMAND or a SCRIPT."""
    return words[:3] == COMMAND or words[:2] == SCRIPT


def run(
    words: list[str], environment: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Fork, wait for the end, and return the exit code and what was printed."""
    files = [os.memfd_create(name) for name in ("stdout", "stderr")]
    try:
        process = fork(words, environment, *files)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        printed = [Path(f"/proc/self/fd/{file}").read_text() for file in files]
    finally:
        for file in files:
            os.close(file)
    return subprocess.CompletedProcess(words, code, *printed)


def serve(connection: socket.socket) -> list[str]:
    """Answer requests until the tests end; in a forked process, return the words to run."""
    ended: dict[int, int] = {}
    while True:
        message, files, _, _ = socket.recv_fds(connection, 2**20, 2)
        if not message:
            sys.exit()
        request = json.loads(message)
        answer: int | None
        if "poll" in request:
            pid = request["poll"]
            if pid not in ended:
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    ended[pid] = os.waitstatus_to_exitcode(status)
            answer = ended.get(pid)
        else:
            answer = os.fork()
            if answer == 0:
                connection.close()
                become(files, request["environment"], request["folder"])
                return list(request["words"])
        for file in files:
            os.close(file)
        connection.send(json.dumps(answer).encode())


def become(files: list[int], environment: dict[str, str], folder: str) -> None:
    """Take over what a fresh process would be started with."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *files), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)
    sys.path[0] = folder


if __name__ == "__main__":
    from augbench.bench.cli.command import main

    for module in HEAVY:
        import_module(module)
    words = serve(socket.socket(fileno=int(sys.argv[1])))
    if words[:3] == COMMAND:
        sys.argv = ["augbench", *words[3:]]
        main()
    else:
        sys.argv = ["-c", *words[3:]]
        exec(compile(words[2], "<string>", "exec"), {"__name__": "__main__"})
