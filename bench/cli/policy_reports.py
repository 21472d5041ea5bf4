"""A policy's text on its way out, and what there is to say about it."""

from pathlib import Path

from rich.console import Console

from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.convert import Report


def write_text(text: str, report: Report, out: Path | None) -> None:
    """Write to a new file, or print; what is lost and what was checked goes beside it.

    Raises a UserError if the file is there already.
    """
    if out is None:
        print(text, end="")
    elif out.exists():
        raise UserError(f"{out} is there already: choose another name with -o")
    else:
        out.write_text(text, encoding="utf-8")
    console = Console(stderr=out is None)  # what is printed may go to a file
    for each in report.lost:
        print_line(console, f"- differs: {each}")
    for each in report.checked:
        print_line(console, f"- checked: {each}")
    if out is not None:
        print_line(console, f"{out} is written")
