"""Faults on demand, for tests of what they cost: AUGBENCH_FAULT=KIND@step:N.

A unit's first attempt suffers it after its step N; the attempts that follow do not. Of the kinds
"memory" is the system's, "torn" dies in the middle of a line, a "slow" disk takes a second for
every step from then on, "hang" never comes back, and "clock" sets the clock on the wall back by a
day.
"""

import errno
import os
import signal
import time

from augbench.bench.store.run_directory import AttemptDirectory
from augbench.datasets.errors import UserError
from augbench.methods.training.training import DivergedError

KINDS = ("kill", "error", "memory", "nan", "full", "torn", "slow", "hang", "clock")


class Fault:
    """What the environment asks for; nothing without the variable."""

    def __init__(self, attempt: AttemptDirectory) -> None:
        self._attempt = attempt
        text = os.environ.get("AUGBENCH_FAULT", "")
        self._kind, _, step = text.partition("@step:")
        if text and (self._kind not in KINDS or not step.isdigit()):
            raise UserError(
                f"AUGBENCH_FAULT is {text!r}; it has to be KIND@step:N, KIND one of: "
                f"{', '.join(KINDS)}"
            )
        self._step = int(step) if text and attempt.number == 1 else -1

    def after(self, step: int) -> None:
        """Suffer it, if it is time; "slow" goes on."""
        if self._kind == "slow" and 0 <= self._step <= step:
            time.sleep(1.0)
        if step != self._step:
            return
        match self._kind:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "error":
                raise RuntimeError("as AUGBENCH_FAULT asks")
            case "memory":
                raise MemoryError("as AUGBENCH_FAULT asks")
            case "nan":
                raise DivergedError("the training loss is nan, as AUGBENCH_FAULT asks")
            case "hang":
                while True:
                    time.sleep(1.0)
            case "full":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._attempt.path))
            case "torn":
                with self._attempt.points_file.open("ab") as lines:
                    lines.write(b'{"point": 1, "st')
                os.kill(os.getpid(), signal.SIGKILL)
            case "clock":
                wall_clock = time.time
                time.time = lambda: wall_clock() - 24 * 3600.0
