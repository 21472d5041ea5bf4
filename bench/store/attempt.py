"""The work of one process on a unit: its pulse, its progress, and what the ones before it lost."""

import os
import platform
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

import torch

from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.attempt_log import PULSE_SECONDS, lifetime, start_event
from augbench.bench.store.energy import EnergyMeter
from augbench.bench.store.files import append_line, replace_json
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.provenance import provenance
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from augbench.datasets.plugins import Plugin


class SupersededError(UserError):
    """Another process has taken over the unit of this one."""


class Wasted(NamedTuple):
    """What earlier attempts spent on work that no checkpoint has kept; charged to no method."""

    seconds: float
    attempts: int  # that did not finish


class Attempt:
    """A process that works on a unit: it writes a log, and a pulse twice a second.

    Both say how long it has ``lived`` by the ledger's clock. The ``time`` beside it is for people:
    it jumps when the system's clock is set.
    """

    def __init__(
        self,
        unit: UnitDirectory,
        ledger: Ledger,
        *,
        device: torch.device,
        shared: bool,
        plugins: Sequence[Plugin] = (),  # of the run
    ) -> None:
        self._began = time.perf_counter()
        self.ledger = ledger
        self._kept_seconds = 0.0
        self._paused_at: float | None = None
        self._energy = EnergyMeter(device)
        self._unit = unit
        self.directory = unit.begin_attempt()
        self.earlier = [
            attempt for attempt in unit.attempts() if attempt.number < self.directory.number
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._beating = threading.Lock()
        self._progress: dict[str, Any] = {}
        start = {"event": "start", "time": time.time(), "shared": shared, **provenance(device)}
        if plugins:
            start["plugins"] = [f"{each} (code {each.code})" for each in plugins]
            packages = {each.package: f"{each.version} ({each.code})" for each in plugins}
            start["versions"] = {**start["versions"], **packages}
        append_line(self.directory.log_file, start)
        for attempt in self.earlier:
            attempt.fence()

    def __enter__(self) -> "Attempt":
        self._thread.start()
        return self

    def resumed(self, step: int, kept_seconds: float, fingerprint: str) -> Wasted:
        """Note from which step and on which data this attempt goes on; return what is lost.

        ``kept_seconds`` is all that the ledger of the checkpoint has measured. The time that
        earlier attempts lived beyond that is wasted. They seem to have lived less only if a power
        cut has taken their last beats.
        """
        self._kept_seconds = kept_seconds
        lived = sum(map(lifetime, self.earlier))
        wasted = Wasted(max(0.0, lived - kept_seconds), len(self.earlier))
        line = {"event": "resume", "step": step, "kept": kept_seconds, "fingerprint": fingerprint}
        append_line(self.directory.log_file, {**line, **wasted._asdict()})
        return wasted

    def pauses(self, saved_seconds: float) -> None:
        """Note that the work stops after a checkpoint, whose ledger holds so many seconds."""
        self._paused_at = saved_seconds

    def check_lease(self) -> None:
        """Raise a SupersededError if a newer attempt has begun."""
        if self._newest().number > self.directory.number:
            raise self.superseded()

    def superseded(self) -> SupersededError:
        """The error for this attempt when a newer one has taken over."""
        host = start_event(self._newest()).get("host", "an unknown machine")
        unit = "/".join(self._unit.path.parts[-2:])
        here = f"process {os.getpid()} on {platform.node()}"
        return SupersededError(
            f"a newer attempt on {host} works on {unit}: this one, {here}, stops"
        )

    def beat(self) -> None:
        """Write how long this attempt has lived, unless a newer one has already counted that."""
        with self._beating:
            lived = time.perf_counter() - self._began
            if self._newest().number == self.directory.number:
                beat = {"time": time.time(), "lived": lived, **self._progress}
                beat["joules"] = self._energy.read()
                replace_json(self.directory.pulse_file, beat)

    def _newest(self) -> AttemptDirectory:
        return max([*self._unit.attempts(), self.directory], key=lambda each: each.number)

    def progress(self, step: int, phase: str, best_valid: float | None) -> None:
        """Set what the next beats say about how far the unit is."""
        self._progress = {
            "step": step,
            "phase": phase,
            "charged_seconds": self.ledger.charged_seconds,
            "elsewhere_seconds": self.ledger.elsewhere_charged_seconds,
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
        ending["joules"] = self._energy.read()
        if not isinstance(error, SupersededError):  # else the newer attempt has counted it
            ending["lived"] = time.perf_counter() - self._began
        if error is None and self._paused_at is not None:
            ending |= {"lived": self._paused_at - self._kept_seconds, "paused": True}
        if isinstance(error, Exception):  # a Ctrl-C is not an error of the unit
            ending |= {"error": type(error).__name__, "reason": str(error)}
        append_line(self.directory.log_file, ending)

    def _keep_beating(self) -> None:
        while not self._stop.wait(PULSE_SECONDS):
            with suppress(OSError):  # on a full disk the unit itself will fail, or space returns
                self.beat()
