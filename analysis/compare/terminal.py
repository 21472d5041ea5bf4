"""Two compared runs as the terminal shows them."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from augbench.analysis.compare.cells import FAILING
from augbench.bench.driver.display import duration
from augbench.bench.terminal import as_text, print_line


def show_comparison(table: pd.DataFrame, console: Console) -> None:
    """The tables of scores and of costs, and why a number is missing."""
    console.print(_scores(table))
    console.print()
    console.print(_costs(table))
    for line in _reasons(table):
        print_line(console, line)


def conclusion(table: pd.DataFrame, limit: float) -> str:
    """One sentence: what of B is worse, and by which rule."""
    bad = table[table["verdict"].isin(FAILING)]
    if bad.empty:
        equal = (table["verdict"] == "equal").all()
        undecided = (table["verdict"] == "undecided").sum()
        rest = f"; {undecided} of {len(table)} cells are undecided" if undecided else ""
        return "all is equal" if equal else f"nothing in B is worse by more than {limit:g}{rest}"
    cells = "; ".join(
        f"{row['method']} on {row['task']} ({row['verdict']}"
        + (f": {row['why']})" if row["why"] else ")")
        for _, row in bad.iterrows()
    )
    return f"B is worse by more than {limit:g}, or lacks results: {cells}"


def _scores(table: pd.DataFrame) -> Table:
    rows = [
        (
            row["task"],
            row["method"],
            _score(row, "a"),
            _score(row, "b"),
            _difference(row),
            row["folds"],
            row["verdict"],
        )
        for _, row in table.iterrows()
    ]
    return _table(("task", "method", "A", "B", "B - A", "folds", ""), rows)


def _costs(table: pd.DataFrame) -> Table:
    rows = [
        (
            row["task"],
            row["method"],
            row["pairs"],
            _change(row["forward_a"], row["forward_b"]),
            _change(row["backward_a"], row["backward_b"]),
            _hours(row),
        )
        for _, row in table.iterrows()
    ]
    header = ("task", "method", "pairs", "samples forward", "samples backward", "device time")
    return _table(header, rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in header:
        table.add_column(as_text(column), overflow="fold")
    for row in rows:
        table.add_row(*map(as_text, row))
    return table


def _score(row: "pd.Series[Any]", side: str) -> str:
    """The interquartile mean, how many runs are behind it, and how many are not done."""
    planned, done = row[f"planned_{side}"], row[f"done_{side}"]
    if not planned:
        return "-"
    missing = f", {done} of {planned} done" if done < planned else ""
    score = "-" if isnan(row[f"iqm_{side}"]) else f"{row[f'iqm_{side}']:.3f}"
    return f"{score} (n={row[f'n_{side}']}{missing})"


def _difference(row: "pd.Series[Any]") -> str:
    if isnan(row["difference"]):
        return "-"
    interval = "" if isnan(row["low"]) else f" [{row['low']:+.3f}, {row['high']:+.3f}]"
    return f"{row['difference']:+.4f}{interval}"


def _change(a: Any, b: Any) -> str:
    """Two counts, or one where both are equal."""
    return _arrow(["-" if pd.isna(count) else f"{count:,}" for count in (a, b)])


def _arrow(texts: Sequence[str]) -> str:
    return " -> ".join(dict.fromkeys(texts))


def _hours(row: "pd.Series[Any]") -> str:
    if row["why_no_hours"]:
        return f"not compared ({row['why_no_hours']})"
    times = [
        "-"
        if isnan(row[f"hours_{side}"])
        else _time(row[f"hours_{side}"]) + " *" * (side in row["slowed"].split())
        for side in ("a", "b")
    ]
    return _arrow(times)


def _time(hours: float) -> str:
    seconds = 3600 * hours
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)


def _reasons(table: pd.DataFrame) -> list[str]:
    """A line for each reason for which numbers are missing, with the cells."""
    lines = []
    without = table[table["why_no_interval"].ne("") & table["difference"].notna()]
    without = without[without["verdict"] != "equal"]  # there nobody misses one
    for reason, cells in without.groupby("why_no_interval", sort=False):
        names = ", ".join(f"{row['method']} on {row['task']}" for _, row in cells.iterrows())
        lines.append(f"no interval ({reason}): {names}")
    if table["slowed"].ne("").any():
        lines.append("* too long: it waited for a processor for more than a tenth of its time")
    return lines
