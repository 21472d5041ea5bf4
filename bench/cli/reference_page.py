"""docs/reference.md: all that a suite can name, from the tables that `augbench methods` prints.

python -m augbench.bench.cli.reference_page docs
"""

import sys
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from augbench.bench.cli.listings import method_table, task_table, transform_table, trunk_table
from augbench.datasets import TASKS
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.methods import METHODS
from augbench.methods.transforms.bank import every_transform

EEG = Signal("eeg", (6, 3000), ("Fz", "C3", "Cz", "C4", "Pz", "Oz"), 100.0)
IMAGE = Signal("image", (3, 32, 32))
FILE = "reference.md"


def reference_page() -> str:
    """The page as Markdown, of our own rows alone."""
    sections = {
        "Methods": ("`augbench methods NAME` explains its options.", method_table(METHODS)),
        "Tasks": ("`augbench tasks NAME` explains its options.", task_table(TASKS)),
        "Trunks": ("The networks that learn the tasks.", trunk_table(TRUNKS)),
        "Transforms": (
            "What magnitude 1 means depends on the signal: here EEG of 30 s at 100 Hz, and images "
            "of 32 x 32; `augbench transforms` has options for other signals. A gradient comes "
            "through the operation to its magnitude (path), through the choice whether it acts "
            "(relaxed), or past a step that has none (straight-through).",
            transform_table(every_transform([EEG, IMAGE])),
        ),
    }
    parts = ["# What a suite can name\n"]
    for title, (words, table) in sections.items():
        parts.append(f"## {title}\n\n{words}\n\n{_markdown(table)}")
    parts.append("This page is written by `python -m augbench.bench.cli.reference_page docs`.\n")
    return "\n".join(parts)


def _markdown(table: Table) -> str:
    header = [_cell(column.header) for column in table.columns]
    rows = zip_longest(*(map(_cell, column.cells) for column in table.columns))
    lines: Iterable[Iterable[str]] = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(content: RenderableType) -> str:
    text = content.plain if isinstance(content, Text) else str(content)
    return text.replace("|", r"\|").replace("*", r"\*").replace("\n", "<br>")


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(reference_page(), encoding="utf-8")
