"""A policy's text on its way out, and what there is to say about it."""

from pathlib import Path

from rich.console import Console

from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.convert import Report


def check_out(out: Path | None) -> None:
    """Raises a UserError unless a new file can be made at a path; asked before the work."""
    if out is None:
        return
    if out.is_dir():
        raise UserError(f"{out} is a folder: give the name of a new file in it with -o")
    if out.exists() or out.is_symlink():
        raise UserError(f"{out} is there already: choose another name with -o")
    if not out.parent.is_dir():
        raise UserError(
            f"there is no folder {out.parent} for {out.name}: make it, or choose another with -o"
        )


def write_text(text: str, report: Report, out: Path | None) -> None:
    """Write to a new file, or print; what is lost and what was checked goes beside it.

    Raises a UserError if the file is there already, or cannot be written.
    """
    check_out(out)
    if out is None:
        print(text, end="")
    else:
        try:
            with out.open("x", encoding="utf-8") as file:  # never through a link
                file.write(text)
        except OSError as error:
            raise UserError(
                f"cannot write {out} ({error.strerror or error}): choose another place with -o"
            ) from None
    console = Console(stderr=out is None)  # what is printed may go to a file
    for each in report.lost:
        print_line(console, f"- differs: {each}")
    for each in report.checked:
        print_line(console, f"- checked: {each}")
    if out is not None:
        print_line(console, f"{out} is written")
