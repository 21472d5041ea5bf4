"""The page docs/reproduction.md, made from the tables of docs/.

``python -m augbench.analysis.paper.page docs`` writes it.
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.claims import written
from augbench.analysis.text import markdown
from augbench.datasets.errors import UserError

PAGE = "reproduction.md"
Rows = list[dict[str, str]]
HEAD = """# The paper, reproduced

What the figures of AugNet's paper say, beside what comes out here. Each row is a claim that can be
measured. A median has the interval between two order statistics that holds it with 95 %, or the
whole range of fewer than 6 seeds; a share of seeds has Wilson's 95 % interval. *It holds* is the
verdict of a rule that stands in the code; it is open where the paper gives no number, and below 3
seeds. `small` is what two CPU cores can do, with the settings that the last section lists;
`--scale paper` has the paper's.

This page is made from the tables beside it by `python -m augbench.analysis.paper.page docs`; the
claims are those that `augbench reproduce` writes as `FIGURE-claims.csv`.
"""


def page(folder: Path) -> str:
    """The page, from ``results/*.csv``, ``why.csv``, ``disagreements.csv`` and ``settings.csv``.

    UserError: one of the last three is missing.
    """
    order = list(FIGURES)
    claims = [row for file in sorted((folder / "results").glob("*.csv")) for row in read_rows(file)]
    claims.sort(key=lambda row: (order.index(row["figure"]), row["scale"]))
    parts = [HEAD]
    for figure in order:
        rows = [row for row in claims if row["figure"] == figure]
        parts.append(_figure(figure, rows))
    parts.append(_failures(claims, read_rows(folder / "why.csv")))
    parts.append("## Where the paper and the official code disagree\n")
    parts.append(_whole(read_rows(folder / "disagreements.csv")))
    parts.append("## Settings that are not the paper's\n")
    parts.append(
        "Every setting of appendix A, in every suite that ships, is held against this table by "
        "tests/analysis/paper/test_appendix.py. What is not listed is as in the paper.\n"
    )
    parts.append(_whole(read_rows(folder / "settings.csv")))
    return "\n".join(parts)


def read_rows(file: Path) -> Rows:
    """The rows of a table; a UserError if there is none."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None


def _figure(figure: str, rows: Rows) -> str:
    title = f"## {figure}\n"
    if not rows:
        command = f"augbench reproduce {figure}"
        return f"{title}\nNot run yet for this page; `{command}` does.\n"
    lines = [
        (
            markdown(row["measured"]),
            markdown(row["paper_said"]),
            markdown(written(row)) + (f" ({markdown(row['note'])})" if row["note"] else ""),
            row["seeds"],
            row["holds"],
        )
        for row in rows
    ]
    header = ("what was measured", "the paper said", "we got", "seeds", "it holds")
    origins = dict.fromkeys(_origin(row) for row in rows)
    return "\n".join([title, _table(header, lines), *origins]) + "\n"


def _origin(row: dict[str, str]) -> str:
    return (
        f"`augbench reproduce {row['figure']} --scale {row['scale']}`, on {row['device']}, "
        f"{row['date']}, commit {row['commit']}."
    )


def _failures(claims: Rows, reasons: Rows) -> str:
    """What did not hold, and why, as far as we know."""
    known = {(row["figure"], row["measured"]): row["why"] for row in reasons}
    lines = [
        (row["figure"], markdown(row["measured"]), markdown(known.get(_key(row), "not known")))
        for row in claims
        if row["holds"] == "no"
    ]
    if not lines:
        return "## What did not reproduce, and why\n\nNothing so far.\n"
    table = _table(("figure", "what was measured", "why"), lines)
    return f"## What did not reproduce, and why\n\n{table}"


def _key(row: dict[str, str]) -> tuple[str, str]:
    return row["figure"], row["measured"]


def _whole(rows: Rows) -> str:
    """A table as it is."""
    header = list(rows[0]) if rows else []
    return _table(header, [[markdown(row[name]) for name in header] for row in rows])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    """Write the page into the folder that is named."""
    folder = Path(sys.argv[1])
    (folder / PAGE).write_text(page(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
