"""One process's try at a unit: its pulse, its progress, and what it lost of the ones before."""

import os
import platform
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

import torch

from augbench.bench.store.attempt_log import PULSE_SECONDS, lifetime, start_event
from augbench.bench.store.files import append_line, replace_json
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.provenance import provenance
from augbench.bench.store.run_directory import AttemptDirectory, UnitDirectory
from augbench.datasets.errors import UserError


class SupersededError(UserError):
    """Another process has gone on with a unit in the place of this one."""


class Wasted(NamedTuple):
    """What earlier attempts spent on work that no checkpoint kept. Never charged to the method."""

    seconds: float
    attempts: int  # that did not finish


class Attempt:
    """A process that works on a unit: a log, and a pulse that it keeps beating.

    Both say how long it has ``lived``, by the ledger's clock: the time beside it is for people, and
    jumps with the clock on the wall.
    """

    def __init__(
        self, unit: UnitDirectory, ledger: Ledger, *, device: torch.device, shared: bool
    ) -> None:
        self._began = time.perf_counter()
        self.ledger = ledger
        self._kept_seconds = 0.0
        self._unit = unit
        self.directory = unit.begin_attempt()
        self.earlier = [
            attempt for attempt in unit.attempts() if attempt.number < self.directory.number
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._beating = threading.Lock()
        self._progress: dict[str, Any] = {}
        append_line(
            self.directory.log_file,
            {"event": "start", "time": time.time(), "shared": shared, **provenance(device)},
        )
        for attempt in self.earlier:
            attempt.fence()

    def __enter__(self) -> "Attempt":
        self._thread.start()
        return self

    def resumed(self, step: int, kept_seconds: float, fingerprint: str) -> Wasted:
        """Note from where this attempt goes on and on which data, and return what is lost.

        ``kept_seconds`` is all that the ledger of the checkpoint has measured: whatever earlier
        attempts lived longer than that is wasted. Less than that they live only where a power cut
        has taken their last beats.
        """
        self._kept_seconds = kept_seconds
        lived = sum(map(lifetime, self.earlier))
        wasted = Wasted(max(0.0, lived - kept_seconds), len(self.earlier))
        line = {"event": "resume", "step": step, "kept": kept_seconds, "fingerprint": fingerprint}
        append_line(self.directory.log_file, {**line, **wasted._asdict()})
        return wasted

    def check_lease(self) -> None:
        """Raise a SupersededError if a newer attempt has begun."""
        if self._newest().number > self.directory.number:
            raise self.superseded()

    def superseded(self) -> SupersededError:
        """The error of an attempt that another one has overtaken."""
        host = start_event(self._newest()).get("host", "a machine that has not said its name")
        unit = "/".join(self._unit.path.parts[-2:])
        here = f"process {os.getpid()} on {platform.node()}"
        return SupersededError(
            f"a newer attempt on {host} works on {unit}: this one, {here}, stops"
        )

    def beat(self) -> None:
        """Write down how long this attempt has lived, unless a newer one has counted that."""
        with self._beating:
            lived = time.perf_counter() - self._began
            if self._newest().number == self.directory.number:
                beat = {"time": time.time(), "lived": lived, **self._progress}
                replace_json(self.directory.pulse_file, beat)

    def _newest(self) -> AttemptDirectory:
        return max([*self._unit.attempts(), self.directory], key=lambda each: each.number)

    def progress(self, step: int, phase: str, seconds: float, best_valid: float | None) -> None:
        """Tell those who watch how far the unit is."""
        self._progress = {
            "step": step,
            "phase": phase,
            "charged_seconds": seconds,
            "best_valid": best_valid,
        }

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        ending: dict[str, Any] = {"event": "end", "time": time.time()}
        ending["measured"] = self.ledger.seconds - self._kept_seconds
        if not isinstance(error, SupersededError):  # the newer attempt has counted its life by then
            ending["lived"] = time.perf_counter() - self._began
        if isinstance(error, Exception):  # a Ctrl-C is no error of the unit
            ending |= {"error": type(error).__name__, "reason": str(error)}
        append_line(self.directory.log_file, ending)

    def _keep_beating(self) -> None:
        while not self._stop.wait(PULSE_SECONDS):
            with suppress(OSError):  # a full disk: the unit itself will say so, or it will pass
                self.beat()
