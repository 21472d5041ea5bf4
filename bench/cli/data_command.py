"""`augbench data check`: what own data hold, and a suite to start from."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

UNFIT = "a task cannot be made of it yet"

data_app = typer.Typer(help="Look at data of your own before a suite uses them.")


@data_app.callback()
def data() -> None:
    """Look at data of your own before a suite uses them."""


@data_app.command()
def check(
    path: Annotated[Path, typer.Argument(help="An .npz file, or a folder of recordings.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a suite to start from to this file.")
    ] = None,
) -> None:
    """Say what data hold, what is odd about them, how they would be split; write a first suite.

    The exit code is 1 if no task can be made of them yet.

    \b
    augbench data check mine.npz
    augbench data check my_nights -o nights.toml
    """
    from rich.console import Console

    from augbench.bench.terminal import print_line
    from augbench.datasets.errors import UserError

    if not path.exists():
        raise UserError(f"there is no {path}: give an .npz file or a folder of recordings")
    path = path.resolve()  # "." has no name
    console = Console()
    facts, oddities, suite = _folder(path) if path.is_dir() else _arrays(path)
    for fact in facts:
        print_line(console, f"- {fact}")
    for oddity in oddities:
        print_line(console, f"- mind: {oddity}")
    if out is not None:
        if out.exists():
            raise UserError(f"{out} is there already: choose another name with -o")
        out.write_text(suite, encoding="utf-8")
        print_line(
            console, f"{out} is a suite to start from: augbench run {out} --data {path.parent}"
        )
    if any(oddity.startswith(UNFIT) for oddity in oddities):
        raise typer.Exit(1)


def _arrays(path: Path) -> tuple[list[str], list[str], str]:
    from augbench.datasets.arrays import arrays
    from augbench.datasets.errors import UserError
    from augbench.datasets.inspect_arrays import inspect_arrays
    from augbench.datasets.options.tasks import ArraysOptions
    from augbench.datasets.parts import describe_split

    found = inspect_arrays(path)
    facts, oddities = list(found.facts), list(found.oddities)
    n_folds = 3
    try:
        task = arrays(ArraysOptions(path=path.name), path.parent, 0)
        n_folds = min(n_folds, task.n_folds)
        facts.append(describe_split(task, 0))
        facts.append(f"trunk {task.trunk}, {len(task.transforms)} transforms")
    except UserError as error:
        oddities.append(f"{UNFIT}: {error}")
    return facts, oddities, _suite(path, n_folds, ['task = "arrays"', f"path = {_text(path.name)}"])


def _folder(path: Path) -> tuple[list[str], list[str], str]:
    from augbench.datasets.recording.inspect import SIDE_BY_SIDE, inspect_folder

    found = inspect_folder(path)
    lines = ['task = "recordings"', f"path = {_text(path.name)}", "n_folds = 3"]
    if not found.has_subjects:
        lines.append('subject = "^.*"  # each file is a subject; give the part that names them')
    if found.events_suffix:
        lines.append(f"events_files = {_text(found.events_suffix)}")
        words = "the part of both names that says what belongs together"
        lines.append(f'night = "^.{{{found.n_shared}}}"  # {words}')
    if found.event_seconds < SIDE_BY_SIDE:
        lines += ["window_seconds = 1.0", "offset_seconds = 0.0  # after the onset of each event"]
    lines += ["", f"[tasks.{_label(path)}.events]  # a class, and the text of its events"]
    lines += [_event_line(text) for text in found.texts] or ['# a = "the text"']
    return list(found.facts), list(found.oddities), _suite(path, 3, lines)


def _event_line(text: str) -> str:
    """A class of the same name as its text; one with a question mark is left out, as not known."""
    return f"{'# ' * ('?' in text)}{_text(text)} = {_text(text)}"


def _suite(path: Path, n_folds: int, lines: list[str]) -> str:
    label = _label(path)
    head = [f'name = "{label}"', f"folds = {n_folds}", "", f"[tasks.{label}]", *lines, ""]
    methods = ["[methods.none]", "[methods.trivialaugment]", "[methods.random_policy]"]
    return "\n".join([*head, *methods, "n_policies = 2", "[methods.augnet]", ""])


def _label(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", path.resolve().stem).strip("_") or "mine"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML
