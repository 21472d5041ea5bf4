"""What the paper says beside what we got: a table for people and one for programs."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any, NamedTuple

import pandas as pd

from augbench.analysis.paper.intervals import Estimate
from augbench.analysis.text import markdown

SHARE = "of the seeds"  # the unit of a share, which is written as a count
LEAST_SEEDS = 3  # fewer decide nothing
VERDICTS = {True: "yes", False: "no", None: "open"}
COLUMNS = (
    *("figure", "scale", "measured", "paper_said", "value", "low", "high", "unit", "seeds"),
    *("holds", "note", "device", "date", "commit"),
)


class Claim(NamedTuple):
    """Something that can be measured, what the paper says of it, and what we got."""

    measured: str
    paper_said: str
    got: Estimate
    unit: str  # "" for a plain number
    # Whether what the paper says holds here. None: it says nothing, or too few seeds do.
    holds: bool | None
    note: str = ""


class Origin(NamedTuple):
    """Where numbers come from."""

    figure: str
    scale: str
    device: str
    date: str  # of the run's first start
    commit: str  # of the code that started it


def judged(estimate: Estimate, verdict: bool) -> bool | None:
    """The verdict, or None where fewer than ``LEAST_SEEDS`` have a value."""
    return None if isnan(estimate.value) or estimate.n < LEAST_SEEDS else bool(verdict)


def claim_table(claims: Iterable[Claim], origin: Origin) -> pd.DataFrame:
    """One row per claim: ``COLUMNS``."""
    rows = [
        {
            "figure": origin.figure,
            "scale": origin.scale,
            "measured": claim.measured,
            "paper_said": claim.paper_said,
            **{key: getattr(claim.got, key) for key in ("value", "low", "high")},
            "unit": claim.unit,
            "seeds": claim.got.n,
            "holds": VERDICTS[claim.holds],
            "note": claim.note,
            "device": origin.device,
            "date": origin.date,
            "commit": origin.commit,
        }
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


# Below the table; what docs/reproduction.md says too.
ABOUT_INTERVALS = (
    "Intervals hold with 95 %: of a median between two order statistics (the whole range below 6 "
    "seeds), of a share of seeds by Wilson.\n"
)


def claim_markdown(table: pd.DataFrame) -> str:
    """A ``claim_table`` as Markdown: what was measured, what the paper said, what we got."""
    header = ("what was measured", "the paper said", "we got [interval]", "seeds", "it holds")
    lines = [_line(header), _line(["---"] * len(header))]
    for row in table.to_dict("records"):
        note = f" ({row['note']})" if isinstance(row["note"], str) and row["note"] else ""
        cells = (row["measured"], f"{row['paper_said']}", f"{written(row)}{note}")
        lines.append(_line([*map(markdown, cells), str(row["seeds"]), str(row["holds"])]))
    return "".join(lines)


def written(row: Mapping[Any, Any]) -> str:
    """A value with its interval and unit, as people write it."""
    value, low, high = (float(str(row[key])) for key in ("value", "low", "high"))
    unit, n = row["unit"], int(str(row["seeds"]))
    if isnan(value):
        return "nothing yet"
    if unit == SHARE:
        return f"{round(value * n)} of {n} [{low:.0%} to {high:.0%}]"
    words = f" {unit}" if isinstance(unit, str) and unit else ""
    if n == 1:
        return f"{_short(value)}{words}"
    return f"{_short(value)}{words} [{_short(low)} to {_short(high)}]"


def _short(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e3 else f"{value:.4f}".rstrip("0").rstrip(".")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
