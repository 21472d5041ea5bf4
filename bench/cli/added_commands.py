"""The commands of other packages, and those of analysis, a layer that bench does not know."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import typer

from augbench.datasets.entry_points import entry_points, package_of
from augbench.datasets.errors import UserError

GROUP = "augbench.commands"
ANY_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}


def add_commands(app: typer.Typer) -> None:
    """Add them to an app; one that cannot be used says why when it is called.

    A name that is in use stays with ours.
    """
    names = _names(app)
    for entry in sorted(entry_points(group=GROUP), key=_is_theirs):  # ours first
        if entry.name in names:
            continue
        names.add(entry.name)
        if not _is_theirs(entry):
            app.command(entry.name)(entry.load())
            continue
        try:
            app.command(entry.name)(_load(entry))
        except UserError as error:
            app.command(entry.name, context_settings=ANY_WORDS)(_raising(error))


def command_faults(app: typer.Typer) -> dict[str, str]:
    """By name why a command of a package cannot be used, a sentence for each.

    ``app`` is what the commands have been or will be added to.
    """
    ours = {entry.name for entry in entry_points(group=GROUP) if not _is_theirs(entry)}
    ours |= _names(app, of_augbench_alone=True)
    found = {}
    for entry in filter(_is_theirs, entry_points(group=GROUP)):
        if entry.name in ours:
            found[entry.name] = f"{_origin(entry)} takes a name that is in use: rename it"
            continue
        try:
            _load(entry)
        except UserError as error:
            found[entry.name] = str(error)
    return found


def _load(entry: EntryPoint) -> Callable[..., Any]:
    """A function that typer can make a command of; a UserError if it is none."""
    try:
        function: Callable[..., Any] = entry.load()
        probe = typer.Typer()
        probe.command()(function)
        typer.main.get_command(probe)
    except (Exception, SystemExit) as error:  # third-party code may do anything at import
        raise UserError(
            f"{_origin(entry)} cannot be used ({type(error).__name__}: {error}): mend or "
            "uninstall it"
        ) from error
    return function


def _raising(error: UserError) -> Callable[[], None]:
    def command() -> None:
        raise error

    command.__doc__ = str(error)
    command.__module__ = "theirs"  # whose name it holds
    return command


def _names(app: typer.Typer, *, of_augbench_alone: bool = False) -> set[str]:
    """The names of the commands that an app has."""
    found = {str(group.name) for group in app.registered_groups}
    for each in app.registered_commands:
        function = each.callback
        assert function is not None
        if not of_augbench_alone or function.__module__.startswith("augbench."):
            found.add(each.name or function.__name__.replace("_", "-"))
    return found


def _is_theirs(entry: EntryPoint) -> bool:
    return not entry.value.startswith("augbench.")


def _origin(entry: EntryPoint) -> str:
    package = " ".join(filter(None, package_of(entry)))
    of = f" of package {package}" if package else ""
    return f"the command {entry.name!r}{of} ({entry.value!r})"
