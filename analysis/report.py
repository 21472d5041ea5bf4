"""Everything that a run has to show, written into one folder; nothing half-written is ever seen."""

import io
import os
import re
import tempfile
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures import FIGURES
from augbench.analysis.frame import Results, finished
from augbench.analysis.scores import score_markdown, score_table
from augbench.bench.store.states import skip_lines
from augbench.datasets.errors import UserError

DOTS_PER_INCH = 200


def write_report(results: Results, folder: Path, *, include_shared: bool = False) -> list[Path]:
    """Writes figures and tables into ``folder``, made if need be, and returns the files.

    ``TASK-FIGURE.png``, ``.svg`` and ``.csv`` (what is drawn) for every task and row of
    ``FIGURES``; ``table.csv``, ``table.md``; ``points.csv``; ``learned.csv`` (the magnitudes of
    augmentation layers); ``policies.csv`` (what policies hold of each transform). A run that is
    unfinished, or has no point yet, gives the same files, which say so. The same results give the
    same bytes. ``include_shared`` keeps trials that shared a GPU in what is measured in hours.
    UserError: the folder cannot be written.
    """
    scores = score_table(results, include_shared=include_shared)
    contents: dict[str, bytes] = {}
    for task in results.trials["task"].unique():
        for name, drawing in FIGURES.items():
            table = drawing.table(results, task, include_shared=include_shared)
            figure = drawing.draw(table)
            stem = f"{re.sub(r'[^A-Za-z0-9._-]', '_', task)}-{name}"
            contents[f"{stem}.png"] = png(figure)
            contents[f"{stem}.svg"] = svg(figure)
            contents[f"{stem}.csv"] = csv(table)
    contents["table.csv"] = csv(scores)
    contents["table.md"] = report_text(results, scores).encode()
    contents["points.csv"] = csv(results.points)
    contents["learned.csv"] = csv(results.learned)
    contents["policies.csv"] = csv(results.policies)
    return [write(folder / name, content) for name, content in contents.items()]


def report_text(results: Results, scores: pd.DataFrame) -> str:
    """The Markdown page: how far the run is, the table, which trials are not done or skipped."""
    done = finished(results.trials)
    parts = [f"# {results.suite}\n", f"{progress(results)}\n"]
    parts += [f"{note}\n" for note in results.notes]
    if len(scores):
        parts.append(score_markdown(scores))
    if not done.all():
        parts.append("Not done:\n")
        parts.append("".join(_missing(row) for row in results.trials[~done].to_dict("records")))
    if skipped := skip_lines(results.skipped.to_dict("records")):
        parts.append("".join(f"- {line}\n" for line in skipped))
    return "\n".join(parts)


def progress(results: Results) -> str:
    """One sentence: how many trials are done, how many points are scored."""
    trials, points = results.trials, results.points
    done = f"{finished(trials).sum()} of {len(trials)} trials done"
    if points.empty:
        return f"No point has been scored yet ({done})."
    lost = trials["wasted_seconds"].sum()
    wasted = f", {lost:.0f} s lost to crashes and charged to nobody" if lost else ""
    return f"{done}, {len(points)} of {trials['points_known'].sum()} points scored{wasted}."


def _missing(trial: dict[Hashable, Any]) -> str:
    reason = f" ({trial['reason']})" if trial["reason"] else ""
    name = f"{trial['task']} {trial['method']} fold {trial['fold']} seed {trial['seed']}"
    scored = f"{trial['points_scored']} of {trial['points_known']} points scored"
    return f"- {name}: {trial['state']}{reason}, {scored}\n"


def png(figure: Figure) -> bytes:
    """A figure as PNG."""
    return _saved(figure, "png", {"Software": "augbench"})


def svg(figure: Figure) -> bytes:
    """A figure as SVG; the same figure gives the same bytes: no date, ids from a fixed salt."""
    with matplotlib.rc_context({"svg.hashsalt": "augbench"}):
        return _saved(figure, "svg", {"Date": None, "Creator": "augbench"})


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV; the same table gives the same bytes."""
    return table.to_csv(index=False, lineterminator="\n").encode()


def write(path: Path, content: bytes) -> Path:
    """All of a file or nothing of it: written aside, then moved into place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(aside).chmod(0o644)  # mkstemp keeps a file from all but its owner
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"cannot write the report {path}: {error.strerror or error}; "
            "choose a folder that can be written and has room"
        ) from error
    return path
