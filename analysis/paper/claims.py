"""What the paper says beside what we got: a table for people and one for programs."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isinf, isnan, nextafter
from typing import Any, NamedTuple

import pandas as pd

from augbench.analysis.paper.intervals import Estimate
from augbench.analysis.text import markdown

SHARE = "of the seeds"  # the unit of a share, which is written as a count
# Fewer decide nothing: the range of five seeds holds the median with 94 %, that of four with 88 %.
LEAST_SEEDS = 5
ALWAYS = 0.9  # of the seeds: from there on it is what a method does, for all that we can see
ABOVE_0 = nextafter(0.0, 1.0)  # the limit of what has to be more than 0
VERDICTS = {True: "yes", False: "no", None: "open"}
COLUMNS = (
    *("figure", "task", "scale", "measured", "paper_said", "value", "low", "high", "unit"),
    *("seeds", "holds", "note", "device", "date", "commit", "trials"),
)


class Claim(NamedTuple):
    """Something that can be measured, what the paper says of it, and what we got."""

    measured: str
    paper_said: str
    got: Estimate
    unit: str  # "" for a plain number
    # Whether what the paper says holds here. None: it says nothing, or the seeds do not decide it.
    holds: bool | None
    note: str = ""


class Origin(NamedTuple):
    """Where numbers come from."""

    figure: str
    task: str  # the one that was asked for; "" for the figure's own
    scale: str
    device: str
    date: str  # of the run's first start
    commit: str  # of the code that started it
    trials: str  # how many are done, of how many


def judged(got: Estimate, low: float = -inf, high: float = inf) -> bool | None:
    """Whether a value lies from ``low`` to ``high``: where all of its interval does, or none of it.

    None where the interval reaches over a limit, and where fewer than ``LEAST_SEEDS`` have a value.
    """
    if got.n < LEAST_SEEDS:
        return None
    if low <= got.low and got.high <= high:
        return True
    return False if got.high < low or high < got.low else None


def judged_share(got: Estimate) -> bool | None:
    """Whether the seeds agree with a paper that says that something happens.

    They do from ``ALWAYS`` of them on, if they are surely more than half; they do not if they are
    surely fewer. None in between, and below ``LEAST_SEEDS`` seeds.
    """
    if got.n < LEAST_SEEDS:
        return None
    if got.high < ALWAYS:
        return False
    return True if got.value >= ALWAYS and got.low > 0.5 else None


def claim_table(claims: Iterable[Claim], origin: Origin) -> pd.DataFrame:
    """One row per claim: ``COLUMNS``."""
    rows = [
        {
            "figure": origin.figure,
            "task": origin.task,
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
            "trials": origin.trials,
        }
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


# Under every table of claims.
ABOUT = f"""A median has the interval between two order statistics that holds it with 95 %, or the
whole range of fewer than 6 seeds; a share of seeds has Wilson's 95 % interval. *It holds* says
"yes" if the whole interval agrees with the paper and "no" if none of it does. Where the paper says
that something happens, "yes" takes {ALWAYS:.0%} of the seeds and an interval above one half. All
else is "open", as is what fewer than {LEAST_SEEDS} seeds say, or what the paper does not measure.
The limits are ours, and were set when first results had been seen.
"""


def claim_markdown(rows: Iterable[Mapping[Any, Any]]) -> str:
    """Rows of a ``claim_table`` as a table in Markdown."""
    header = ("what was measured", "the paper said", "we got [interval]", "seeds", "it holds")
    return markdown_table(
        header,
        [
            (
                markdown(row["measured"]),
                markdown(row["paper_said"]),
                markdown(written(row) + (f" ({row['note']})" if row["note"] else "")),
                str(row["seeds"]),
                row["holds"],
            )
            for row in rows
        ],
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, of cells that are safe in it."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def written(row: Mapping[Any, Any]) -> str:
    """A value with its interval and unit, as people write it."""
    value, low, high = (float(str(row[key])) for key in ("value", "low", "high"))
    unit, n = row["unit"], int(str(row["seeds"]))
    if isnan(value):
        return "nothing yet"
    if unit == SHARE:
        return f"{round(value * n)} of {n} [{low:.0%} to {high:.0%}]"
    words = f" {unit}" if isinstance(unit, str) and unit else ""
    if n == 1 or (isinf(value) and low == high):
        return f"{_short(value)}{words}"
    return f"{_short(value)}{words} [{_short(low)} to {_short(high)}]"


def _short(value: float) -> str:
    """Three digits, without an exponent; what never comes is infinite."""
    if isinf(value):
        return "never"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e3 else f"{value:.4f}".rstrip("0").rstrip(".")
