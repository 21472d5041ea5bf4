"""The command that writes a package to start a method, a transform or a task from."""

import re
from keyword import iskeyword
from pathlib import Path
from shlex import quote
from string import Template
from typing import Annotated

import typer

from augbench.bench.cli.check_command import Kind, known_rows
from augbench.bench.plan.tables import DEFAULT
from augbench.datasets.errors import UserError

TEMPLATES = Path(__file__).parents[1] / "templates"
LONGEST = 40  # characters of a name: tables show it in a column


def new(
    kind: Annotated[Kind, typer.Argument(help="What the package holds.")],
    name: Annotated[str, typer.Argument(help="Its name, as suites will write it.")],
    to: Annotated[
        Path | None, typer.Option(help="The folder to make.  [default: augbench-NAME]")
    ] = None,
) -> None:
    """Write a small package with a method, transform or task of your own, and its test.

    You can install it at once, and it passes `augbench check`. Then put your own code in it.

    \b
    augbench new method my_method
    augbench new transform my_transform --to plugins/my_transform
    """
    from rich.console import Console

    from augbench.bench.terminal import print_line

    _check_name(kind, name)
    # Not the name of the module: Python would take such a folder, where it is current, for it.
    folder = to or Path(f"augbench-{name}")
    files = package_files(kind, name)
    write_package(folder, files)
    console = Console()
    print_line(console, f"{folder} has {', '.join(files)}")
    print_line(console, f"next: pip install -e {quote(str(folder))}; augbench check {name}")


def package_files(kind: Kind, name: str) -> dict[str, str]:
    """The files of a package, by name."""
    words = {"kind": kind, "name": name, "attribute": name if kind == "transform" else "ROW"}
    templates = {
        "pyproject.toml": "pyproject",
        "README.md": "readme",
        f"augbench_{name}.py": kind,
        f"test_augbench_{name}.py": f"{kind}_test",
    }
    return {
        file: Template((TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(
            words
        )
        for file, template in templates.items()
    }


def write_package(folder: Path, files: dict[str, str]) -> None:
    """Make a folder with these files; a UserError where there is one already."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise UserError(f"{folder} is there already: choose another folder with --to") from None
    except NotADirectoryError:
        raise UserError(f"{folder} is below a file: choose another folder with --to") from None
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")


def _check_name(kind: Kind, name: str) -> None:
    """Raise a UserError for a name that Python, a suite or a table cannot take."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name) or len(name) > LONGEST:
        raise UserError(
            f"the name is {name!r}; it may have small letters, digits and _, begins with a letter, "
            f"has at most {LONGEST} characters and is no word of Python's own"
        )
    if name == DEFAULT:
        raise UserError(f"{name!r} stands for the transforms of a task: choose another name")
    for other, rows in known_rows().items():
        if name in rows:
            raise UserError(f"there is a {other} {name!r} already: choose another name")
