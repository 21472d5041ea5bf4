"""What a person sees while a suite runs: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from augbench.bench.driver.schedule import Tally
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.terminal import as_text, print_line
from augbench.methods import known_methods

_LINE_SECONDS = 15.0  # between plain lines, if nothing changes or very many units run
_MOST = 20  # units under way that are shown; the others are counted
_OTHER_COLUMNS = 38  # characters beside the label of a trial: phase, step, valid, hours
PHASES = {  # as they are called here, where the name in the accounts is another
    "pretrain": "pretraining",
    "validate": "validation",
    "retrain": "retraining",
    "evaluate": "scoring",
    "setup": "loading",
    "store": "saving",
}


class Display:
    """Draws the tally of the driver and the progress that workers note in their attempts."""

    def __init__(
        self, run: RunDirectory, plan: Sequence[PlannedTrial], tally: Tally, console: Console
    ) -> None:
        self._run, self._tally, self._console = run, tally, console
        several_seeds = len({planned.spec.seed for planned in plan}) > 1
        self._labels = {
            planned.spec.unit: _label(planned, with_seed=several_seeds) for planned in plan
        }
        kinds = known_methods()
        self._searches = {
            planned.spec.unit for planned in plan if kinds[planned.spec.method].ends_in == "policy"
        }
        self._began = time.monotonic()
        self._last_line = 0.0
        self._last_seen: tuple[int, set[UnitId]] = (-1, set())

    @contextmanager
    def show(self) -> Iterator[None]:
        """Keep a live table on a terminal for as long as the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=self._table, console=self._console, refresh_per_second=2, transient=True
        ):
            yield

    def tick(self) -> None:
        """Without a terminal: print lines when a unit begins or ends, and now and then."""
        if self._console.is_terminal:
            return
        count = self._tally.finished + len(self._tally.failed) + self._tally.crashes
        seen = (count, set(self._tally.in_flight))
        now = time.monotonic()
        can_wait = seen == self._last_seen or len(self._tally.in_flight) > _MOST
        if can_wait and now - self._last_line < _LINE_SECONDS:
            return
        self._last_seen, self._last_line = seen, now
        print_line(self._console, self._headline())
        for row in self._rows():
            print_line(self._console, "    " + "  ".join(row))

    def _table(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="dim")
        room = max(20, self._console.width - _OTHER_COLUMNS)
        table.add_column("trial", max_width=room, no_wrap=True, overflow="ellipsis")
        for column in ("phase", "step", "valid", "hours"):
            table.add_column(column, no_wrap=True)
        for row in self._rows():
            table.add_row(*map(as_text, row))
        return Group(Text(self._headline()), table)

    def _headline(self) -> str:
        tally = self._tally
        elapsed = time.monotonic() - self._began
        left = {*tally.queue, *tally.in_flight}
        asking = {tally.requested_by[unit] for unit in left if unit.kind == "samplings"}
        searching = bool(
            (left | asking) & self._searches
        )  # how many retrainings these ask for is not known
        to_do = f"{len(left)} to do" + (", retrainings to come" if searching else "")
        parts = [f"{tally.finished} done, {to_do}", f"{duration(elapsed)} so far"]
        if tally.finished and not searching:
            parts.append(f"about {duration(elapsed / tally.finished * len(left))} left")
        if tally.failed:
            parts.append(f"{len(tally.failed)} failed")
        return " · ".join(parts)

    def _rows(self) -> list[tuple[str, ...]]:
        under_way = sorted(self._tally.in_flight)
        rows = [self._row(unit) for unit in under_way[:_MOST]]
        more = len(under_way) - len(rows)
        return [*rows, (f"and {more} more",)] if more else rows

    def _row(self, unit: UnitId) -> tuple[str, ...]:
        attempts = self._run.unit(unit).attempts()
        progress = pulse(attempts[-1]) if attempts else {}
        valid, seconds = progress.get("best_valid"), progress.get("charged_seconds", 0.0)
        return (  # a damaged file of progress must not end the driver
            self._labels[self._tally.requested_by.get(unit, unit)],
            self._phase(unit, progress.get("phase")),
            str(progress.get("step", "")),
            f"{valid:.3f}" if isinstance(valid, int | float) and valid >= 0 else "-",
            f"{seconds / 3600:.4f}" if isinstance(seconds, int | float) else "-",
        )

    def _phase(self, unit: UnitId, phase: object) -> str:
        if phase is None:
            return "retraining" if unit.kind == "evaluations" else "starting"
        if phase == "search" and unit not in self._searches:
            return "training"
        return PHASES.get(str(phase), str(phase))


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, whichever is easiest to read."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _label(planned: PlannedTrial, *, with_seed: bool) -> str:
    label = f"{planned.task} · {planned.method} · fold {planned.spec.fold}"
    return f"{label} · seed {planned.spec.seed}" if with_seed else label
