"""The command that checks whether a method, a transform or a task keeps its promises."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from augbench.bench.cli.arguments import Data, starts_with

Kind = Literal["method", "transform", "task"]
MARKS = {True: "ok   ", False: "FAILS"}


def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A method, a transform or a task, by its name.",
            autocompletion=starts_with(lambda: sorted(set().union(*known_rows().values()))),
        ),
    ],
    kind: Annotated[
        Kind | None, typer.Option(help="What it is, where several have that name.")
    ] = None,
    data: Data = Path("data"),
    overrides: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="An option of its own. Repeatable."),
    ] = [],  # noqa: B006 typer copies it
) -> None:
    """Check that a method, transform or task does what it promises, ours or a package's.

    Each line says what was seen and, where a check fails, what to do. The last lines say what it
    was tried on and what was skipped. The exit code is 1 if any check fails.

    \b
    augbench check augnet
    augbench check my_method --set epochs=3
    augbench check ssvep --data data
    augbench check kornia.RandomShear --set parameter=shear --set range=[0,20]
    """
    import torch
    from rich.console import Console

    from augbench.bench.terminal import print_line

    console = Console()
    n_failed = 0
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny tensors are slower on many
    try:
        found, tried = _findings(name, kind, data, overrides)
        for finding in found:
            print_line(console, f"{MARKS[finding.kept]} {finding.about}: {finding.text}")
            n_failed += not finding.kept
        for line in tried:
            print_line(console, line)
    finally:
        torch.set_num_threads(n_threads)
    said = f"{n_failed} of these fail" if n_failed else "keeps all its promises"
    print_line(console, f"{name}: {said}")
    raise typer.Exit(1 if n_failed else 0)


def _findings(
    name: str, kind: Kind | None, data: Path, overrides: list[str]
) -> tuple[Iterator[Any], Iterator[str]]:
    """What the checks of a row say, one after the other, and what they tried."""
    from augbench.datasets.errors import UserError
    from augbench.methods.conformance import tried
    from augbench.methods.options.imported import library_of

    known = known_rows()
    if library_of(name) and kind in (None, "transform"):
        from augbench.methods.conformance.transform_checks import check_transform

        builder = _imported_builder(name, overrides)
        return check_transform(name, builder), tried.tried_of_transform(name, builder)
    kind = kind or _kind_of(name, known)
    if name not in known[kind]:
        raise _unknown(kind, known[kind], name)
    row = known[kind][name]
    if kind == "transform":
        from augbench.methods.conformance.transform_checks import check_transform

        if overrides:
            raise UserError(f"transform {name!r} has no options: leave out --set")
        return check_transform(name, row), tried.tried_of_transform(name, row)
    options = _options(row, kind, name, overrides)
    if kind == "method":
        from augbench.methods.conformance.method_checks import check_method

        return check_method(name, row, options), tried.tried_of_method(row)
    from augbench.methods.conformance.task_checks import check_task

    return check_task(name, row, options, data), tried.tried_of_task(name, row, options, data, 0)


def _imported_builder(name: str, overrides: list[str]) -> Any:
    """The builder of an augmentation of another library, for what is set or the usual."""
    from augbench.bench.plan.options import read_options
    from augbench.methods.conformance.transform_case import SIGNALS
    from augbench.methods.options.imported import ImportedOptions, library_of
    from augbench.methods.transforms.imported.build import imported_builder

    tables = _tables(overrides)
    described = read_options(ImportedOptions, tables, f"--set of transform {name!r}")
    builder = imported_builder(name, described if overrides else None)
    library = library_of(name)
    assert library is not None
    builder(SIGNALS[library.kind])  # what cannot be made at all is a UserError, no finding
    return builder


def known_rows() -> dict[Kind, Mapping[str, Any]]:
    """All rows by kind, those of other packages included."""
    from augbench.datasets import known_tasks
    from augbench.methods import known_methods
    from augbench.methods.transforms.bank import known_transforms

    return {"method": known_methods(), "transform": known_transforms(), "task": known_tasks()}


def _kind_of(name: str, known: Mapping[Kind, Mapping[str, Any]]) -> Kind:
    from augbench.datasets.errors import UserError

    found: list[Kind] = [kind for kind, rows in known.items() if name in rows]
    if len(found) > 1:
        raise UserError(f"{name!r} is a {' and a '.join(found)}: say which by --kind {found[0]}")
    if not found:
        every = {each for rows in known.values() for each in rows}
        raise _unknown("method, transform or task", every, name)
    return found[0]


def _unknown(what: str, known: Any, name: str) -> Exception:
    from augbench.datasets.errors import UserError, unknown

    return UserError(
        f"{unknown(what, name, known)}; a row of your own package is known once it is installed, "
        "by `pip install -e FOLDER`"
    )


def _options(row: Any, kind: Kind, name: str, overrides: list[str]) -> Any:
    """The options of a row with those that are set."""
    from augbench.bench.plan.options import read_options

    if not overrides:
        return None
    return read_options(row.options, _tables(overrides), f"--set of {kind} {name!r}")


def _tables(overrides: list[str]) -> dict[str, Any]:
    from augbench.bench.plan.overrides import set_value

    tables: dict[str, Any] = {}
    for override in overrides:
        set_value(tables, override)
    return tables
