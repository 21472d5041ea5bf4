"""Sinks beside a driver: each in a process of its own, which may die without consequence."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from rich.console import Console

from augbench.bench.sinks.replay import check_installed
from augbench.bench.terminal import print_line

LAST_SECONDS = 300.0  # that a sink may take for what is left when the run is over
PATIENT_SECONDS = 3.0  # of them without a word


@contextmanager
def logged_to(kinds: Sequence[str], run: Path, console: Console) -> Iterator[None]:
    """Let sinks follow a run while the block runs it; whatever becomes of them, the run goes on.

    Raises a UserError, before anything begins, for a sink that is not known or not installed.
    """
    kinds = list(dict.fromkeys(kinds))
    for kind in kinds:
        check_installed(kind)
    processes = [_SinkProcess(kind, run, console) for kind in kinds]
    try:
        yield
        for each in processes:  # all at once
            each.close_input()
        for each in processes:
            each.finish()
    finally:
        for each in processes:
            each.kill()


class _SinkProcess:
    """``augbench log`` in a process that follows the run until its input ends.

    Its input ends when the driver closes it, or is killed.
    """

    def __init__(self, kind: str, run: Path, console: Console) -> None:
        self._kind, self._run, self._console = kind, run, console
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed when it ends
        words = ["log", str(run.absolute()), "--to", kind, "--until-input-ends"]
        self._process: subprocess.Popen[bytes] | None = None
        self._finishing = False
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "augbench.bench", *words],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the driver
            )
        except OSError as error:
            self._say(f"cannot be started ({error.strerror})")
            return
        self._watcher.start()

    def finish(self) -> None:
        """Let it read the end of the run; one that takes too long is given up."""
        if self._process is None:
            return
        self.close_input()
        try:
            self._watcher.join(PATIENT_SECONDS)
            if self._watcher.is_alive():
                line = f"writing the rest of the log to {self._kind}; Ctrl-C gives that up"
                print_line(self._console, line)
                self._watcher.join(LAST_SECONDS)
        except KeyboardInterrupt:
            self._say("was given up")
            return
        if self._watcher.is_alive():
            self._say(f"was not done {LAST_SECONDS:.0f} s after the run")

    def kill(self) -> None:
        """End it, if it has not ended; it has a moment for the last points."""
        if self._process is not None:
            patience = 0.0 if self._finishing else PATIENT_SECONDS
            self.close_input()
            self._watcher.join(patience)
            if self._process.poll() is None:
                self._process.kill()
            self._watcher.join()
        self._output.close()

    def close_input(self) -> None:
        """Tell it that the run is over."""
        self._finishing = True
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _watch(self) -> None:
        """Say it as soon as the process has ended in another way than it should."""
        assert self._process is not None
        code = self._process.wait()
        if code == 0:
            if told := self._last_line():  # nothing where the run was refused
                print_line(self._console, told)
        elif code > 0:
            said = self._last_line().removeprefix("augbench: ")
            self._say(f"has stopped: {said or f'exit code {code}'}")
        elif not self._finishing or code != -9:
            self._say(f"was killed by signal {-code}")

    def _last_line(self) -> str:
        end = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, end - 4000))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _say(self, what: str) -> None:
        command = f"augbench log {self._run} --to {self._kind}"
        rest = "the rest later" if self._finishing else "the run goes on without it; afterwards"
        print_line(self._console, f"the log to {self._kind} {what} ({rest}: {command})")
