"""Faults on demand, for tests: AUGBENCH_FAULT=KIND@step:N.

The first attempt at a unit suffers the fault after its step N; later attempts do not. "memory"
runs out of memory, "full" finds the disk full, "torn" dies in the middle of a line, "slow" needs a
second more for each step from then on, "hang" never ends, and "clock" sets the system's clock back
by a day.
"""

import errno
import os
import signal
import time

from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.datasets.errors import UserError
from augbench.methods.training.training import DivergedError

KINDS = ("kill", "error", "memory", "nan", "full", "torn", "slow", "hang", "clock")


class Fault:
    """The fault that the environment asks for; none without the variable."""

    def __init__(self, attempt: AttemptDirectory) -> None:
        self._attempt = attempt
        text = os.environ.get("AUGBENCH_FAULT", "")
        self._kind, _, step = text.partition("@step:")
        if text and (self._kind not in KINDS or not step.isdigit()):
            raise UserError(
                f"AUGBENCH_FAULT is {text!r}; it has to be KIND@step:N, with KIND one of: "
                f"{', '.join(KINDS)}"
            )
        self._step = int(step) if text and attempt.number == 1 else -1

    def after(self, step: int) -> None:
        """Cause the fault if this is its step; "slow" also in each step after it."""
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
