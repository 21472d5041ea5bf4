"""What a suite would cost, as a table for the terminal."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import torch
from rich.console import Console

from augbench.bench.cli.trial_tables import columns
from augbench.bench.driver.hours import Estimate, TrialHours, estimate_hours
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import Suite
from augbench.bench.store.provenance import device_name
from augbench.bench.terminal import as_text

HEADER = ("task", "method", "a trial", "its retrainings", "trials", "all", "")


def show_hours(suite: Suite, skipped: Collection[UnitId], data: Path, device: str) -> None:
    """Measure steps of each method on each task, and print the hours that the suite would take."""
    print(f"\n{measured_hours(suite, skipped, data, device)}")


def measured_hours(suite: Suite, skipped: Collection[UnitId], data: Path, device: str) -> str:
    """What `show_hours` prints."""
    threads = max(1, int(suite.resources.cpus))
    name = device_name(torch.device(device))
    where = f"{name} ({threads} thread{'s' * (threads > 1)})" if device == "cpu" else name
    with Console(stderr=True).status("measuring") as status:
        estimates = estimate_hours(
            suite.plan,
            skipped,
            data,
            device,
            threads=threads,
            say=lambda what: status.update(as_text(what)),
        )
    return hours_text(estimates, where, suite.total_device_hours)


def hours_text(estimates: Sequence[Estimate], where: str, most_hours: float | None) -> str:
    """The hours of each method on each task, their sum, and what these numbers are."""
    rows = [_row(estimate) for estimate in estimates]
    known = [(each.n_trials, each.hours) for each in estimates if each.hours is not None]
    total = sum(n * hours.total for n, hours in known)
    n_trials = sum(each.n_trials for each in estimates)
    rows.append(("total", "", "", "", n_trials, number(total), ""))
    lines = [f"device hours on {where}:", columns(HEADER, rows)]
    return "\n".join([*lines, *_remarks(estimates, known, most_hours)])


def number(hours: float) -> str:
    """Three digits: 0.00123, 1.23, 123; all of 1,230."""
    if hours == 0.0:
        return "-"
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:#.3g}"


def _row(estimate: Estimate) -> tuple[object, ...]:
    task, method, n_trials, hours, reason = estimate
    if hours is None:
        return task, method, "-", "-", n_trials, "-", f"no number: {reason}"
    note = "its budget ends it" if hours.capped else ""
    return (
        task,
        method,
        number(hours.trial),
        number(hours.retrainings),
        n_trials,
        number(n_trials * hours.total),
        note,
    )


def _remarks(
    estimates: Sequence[Estimate],
    known: Sequence[tuple[int, TrialHours]],
    most_hours: float | None,
) -> Iterator[str]:
    seconds = sum(hours.measured_seconds for _, hours in known)
    yield (
        f"An estimate from {seconds:.0f} s of measured steps, for a device that does nothing else. "
        "It is too high where trainings stop early or policies repeat. Loading, checkpoints and "
        "test scores are not charged and come on top."
    )
    if any(hours.retrainings for _, hours in known):
        yield "It is too low for long searches by TPE, whose proposals get slower one by one."
    n_unknown = len(estimates) - len(known)
    if n_unknown:
        yield f"The total is without {n_unknown} of {len(estimates)} lines, which have no number."
    if most_hours is not None:
        yield f"The suite stops at total_device_hours = {most_hours:g}."
