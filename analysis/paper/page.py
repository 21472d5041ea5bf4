"""The page docs/reproduction.md, made from the tables of docs/.

``python -m augbench.analysis.paper.page docs`` writes it.
"""

import csv
import sys
from itertools import groupby
from pathlib import Path

from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.claims import ABOUT, claim_markdown, markdown_table
from augbench.analysis.text import markdown
from augbench.datasets.errors import UserError

PAGE = "reproduction.md"
Rows = list[dict[str, str]]
HEAD = f"""# The paper, reproduced

What the figures of AugNet's paper say, beside what comes out here. Each row is a claim that can be
measured. `small` is what two CPU cores can do, with the settings that the last section lists;
`--scale paper` has the paper's.

{ABOUT}
This page is made from the tables beside it by `python -m augbench.analysis.paper.page docs`; the
claims are those that `augbench reproduce` writes as `FIGURE-claims.csv`.
"""


def page(folder: Path) -> str:
    """The page, from ``results/*.csv`` and the tables of words beside that folder.

    UserError: one of ``why.csv``, ``remarks.csv``, ``disagreements.csv`` and ``settings.csv`` is
    missing.
    """
    order = list(FIGURES)
    claims = [row for file in sorted((folder / "results").glob("*.csv")) for row in read_rows(file)]
    claims.sort(key=lambda row: (order.index(row["figure"]), row["task"], row["scale"]))
    remarks = read_rows(folder / "remarks.csv")
    parts = [HEAD]
    for figure in order:
        rows = [row for row in claims if row["figure"] == figure]
        parts.append(_figure(figure, rows, remarks))
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


def _figure(figure: str, rows: Rows, remarks: Rows) -> str:
    title = f"## {figure}\n"
    if not rows:
        command = f"augbench reproduce {figure}"
        return f"{title}\nNot run yet for this page; `{command}` does.\n"
    runs = groupby(rows, key=lambda row: _origin(row, remarks))
    tables = (f"{claim_markdown(claims)}\n{origin}\n" for origin, claims in runs)
    return "\n".join([title, *tables])


def _origin(row: dict[str, str], remarks: Rows) -> str:
    """Where the numbers of a figure come from, and what docs/remarks.csv adds to that."""
    task = f" --task {row['task']}" if row["task"] else ""
    command = f"augbench reproduce {row['figure']}{task} --scale {row['scale']}"
    sentences = [
        f"`{command}`, on {row['device']}, begun {row['date']} at commit {row['commit']}; "
        f"{row['trials']} trials done.",
        *(
            markdown(remark["remark"])
            for remark in remarks
            if (row["task"], row["scale"]) == (remark["task"], remark["scale"])
            and row["figure"] in remark["figures"].split()
        ),
    ]
    return " ".join(sentences)


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
    table = markdown_table(("figure", "what was measured", "why"), lines)
    return f"## What did not reproduce, and why\n\n{table}"


def _key(row: dict[str, str]) -> tuple[str, str]:
    return row["figure"], row["measured"]


def _whole(rows: Rows) -> str:
    """A table as it is."""
    header = list(rows[0]) if rows else []
    return markdown_table(header, [[markdown(row[name]) for name in header] for row in rows])


def main() -> None:
    """Write the page into the folder that is named."""
    folder = Path(sys.argv[1])
    (folder / PAGE).write_text(page(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
