"""Rows that installed packages add to our tables by entry points.

A row is loaded when it is asked for by name. So one that cannot be loaded is in nobody's way who
does not name it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import NamedTuple, TypeVar

from augbench.datasets.entry_points import entry_points, package_of
from augbench.datasets.errors import UserError
from augbench.datasets.plugin_code import plugin_code

Row = TypeVar("Row")


class Plugin(NamedTuple):
    """A row of another package: where it comes from, and which code it is."""

    group: str  # of entry points: augbench.methods, augbench.tasks, augbench.transforms
    name: str
    value: str  # MODULE:ATTRIBUTE
    package: str = ""
    version: str = ""
    code: str = ""  # the digest of `plugin_code`

    def __str__(self) -> str:
        return f"{self.what} of {self.source}"

    @property
    def what(self) -> str:
        """As in ``method 'noise'``."""
        return f"{self.group.removeprefix('augbench.').removesuffix('s')} {self.name!r}"

    @property
    def source(self) -> str:
        """As in ``package augbench-noise 0.1.0``."""
        return f"package {self.package} {self.version}".strip() if self.package else self.value

    @property
    def module(self) -> str:
        return self.value.partition(":")[0].strip()


_pinned: ContextVar[Sequence[Plugin]] = ContextVar("pinned", default=())


@contextmanager
def pinned(plugins: Sequence[Plugin]) -> Iterator[None]:
    """Within the block, these names mean these plug-ins, whatever else is installed.

    To load one of them raises a UserError where its package is missing or its code is another.
    """
    token = _pinned.set(plugins)
    try:
        yield
    finally:
        _pinned.reset(token)


class Rows(Mapping[str, Row]):
    """One of our tables, followed by the rows of a group of entry points.

    Our own names are ours, whatever a package calls its rows.
    """

    def __init__(
        self,
        own: Mapping[str, Row],
        group: str,
        is_row: Callable[[object], bool],
        what_a_row_is: str,
    ) -> None:
        self._own, self._group = own, group
        self._is_row, self._what_a_row_is = is_row, what_a_row_is

    def __getitem__(self, name: str) -> Row:
        """The row.

        Raises a KeyError for an unknown name; a UserError for a row that cannot be imported or is
        of another type, and for a name that two packages use.
        """
        kept = self._kept(name)
        if kept is None and name in self._own:
            return self._own[name]
        return self._load(self._entry(name))

    def __contains__(self, name: object) -> bool:
        """Whether there is such a row; nothing is loaded."""
        return (
            name in self._own
            or any(entry.name == name for entry in self._entries)
            or (isinstance(name, str) and self._kept(name) is not None)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._own, *(entry.name for entry in self._entries)]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def plugin(self, name: str) -> Plugin | None:
        """The plug-in that a name means; None for a row of ours. Raises as `[name]` does."""
        if self._kept(name) is None and name in self._own:
            return None
        return _plugin(self._entry(name), self._group)

    def names_of_packages(self) -> list[str]:
        """The names that packages add, whether they can be loaded or not."""
        return [name for name in self if name not in self._own]

    def usable(self) -> dict[str, Row]:
        """All rows that can be loaded."""
        found = {}
        for name in self:
            try:
                found[name] = self[name]
            except UserError:
                continue
        return found

    def faults(self) -> dict[str, str]:
        """By name why a row of a package cannot be used, a sentence for each."""
        found = {}
        for entry in self._entries:
            if entry.name in self._own:
                found[entry.name] = (
                    f"{_origin(entry, self._group)} takes a name that is in use: augbench uses its "
                    "own; rename or uninstall it"
                )
                continue
            try:
                self[entry.name]
            except UserError as error:
                found[entry.name] = str(error)
        return found

    @cached_property
    def _entries(self) -> list[EntryPoint]:
        return list(entry_points(group=self._group))

    def _kept(self, name: str) -> Plugin | None:
        for plugin in _pinned.get():
            if (plugin.group, plugin.name) == (self._group, name):
                return plugin
        return None

    def _entry(self, name: str) -> EntryPoint:
        """The entry point that a name means."""
        named = [entry for entry in self._entries if entry.name == name]
        found = list({(entry.value, package_of(entry)): entry for entry in named}.values())
        kept = self._kept(name)
        if kept is not None:
            found = [entry for entry in found if package_of(entry)[0] == kept.package]
            if not found:
                raise UserError(f"{kept} is not installed here: install it again")
        if not found:
            raise KeyError(name)
        if len(found) > 1:
            plugins = [_plugin(entry, self._group) for entry in found]
            sources = " and of ".join(f"{each.source} ({each.value})" for each in plugins)
            raise UserError(f"there is a {plugins[0].what} of {sources}: uninstall one of them")
        return found[0]

    def _load(self, entry: EntryPoint) -> Row:
        now = _plugin(entry, self._group)  # before the import: the code that is imported
        kept = self._kept(entry.name)
        if kept is not None and kept.code != now.code:
            raise UserError(
                f"the code of {kept.what} has changed since `augbench run` or `search` was "
                f"started (then {kept.source}, now {now.source}): start it again to go on with "
                "the new code, or put the former code back"
            )
        origin = _origin(entry, self._group)
        try:
            row = entry.load()
        except (Exception, SystemExit) as error:  # third-party code may do anything at import
            raise UserError(
                f"{origin} cannot be imported ({type(error).__name__}: {error}): "
                f"{_hidden(now.module) or 'mend or uninstall it'}"
            ) from error
        if not self._is_row(row):
            raise UserError(f"{origin} is a {type(row).__name__}; it must be {self._what_a_row_is}")
        found: Row = row
        return found


def _plugin(entry: EntryPoint, group: str) -> Plugin:
    package, version = package_of(entry)
    code = plugin_code(entry.value.partition(":")[0].strip(), package)
    return Plugin(group, entry.name, entry.value, package, version, code)


def _origin(entry: EntryPoint, group: str) -> str:
    package, version = package_of(entry)
    of = f" (package {package} {version})" if package else ""
    return f"{entry.value!r} of the entry point {entry.name!r} in {group}{of}"


def _hidden(module: str) -> str:
    """What to do where a folder of the module's name is taken for it; empty where none is."""
    found = sys.modules.get(module)
    folders = list(getattr(found, "__path__", []))
    if found is None or getattr(found, "__file__", None) is not None or not folders:
        return ""
    return f"the folder {folders[0]} hides the package: rename it, or work from another folder"
