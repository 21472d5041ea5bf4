"""Our table of methods, and the rows that other packages add to it."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

import augbench.methods
from augbench.datasets import plugins
from augbench.methods import METHODS, known_methods


class Entry:
    """An entry point of a package that is not installed."""

    def __init__(self, name: str, loaded: Any) -> None:
        self.name, self.value, self._loaded = name, f"theirs:{name}", loaded

    def load(self) -> Any:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def install(monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: list(entries))


def test_our_methods_are_known() -> None:
    assert set(METHODS) <= set(known_methods())


def test_a_package_can_add_a_method(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Entry("theirs", METHODS["none"]))
    assert known_methods() == {**METHODS, "theirs": METHODS["none"]}
    assert "theirs" not in METHODS


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (Entry("none", METHODS["none"]), "name that is in use"),
        (Entry("theirs", print), "must be a MethodRow"),
        (Entry("theirs", ImportError("no such thing")), "cannot be imported.*no such thing"),
    ],
)
def test_a_row_that_cannot_be_is_refused(
    entry: Entry, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry)
    (fault,) = known_methods().faults().values()
    assert re.search(complaint, fault)
    assert set(METHODS) <= set(known_methods().usable())


@pytest.mark.parametrize("name", METHODS)
def test_options_are_frozen_and_all_have_defaults(name: str) -> None:
    options = METHODS[name].options
    assert is_dataclass(options)
    assert options() == options()
    for each in fields(options):
        with pytest.raises(AttributeError):
            setattr(options(), each.name, None)


@pytest.mark.parametrize("name", augbench.methods.__all__)
def test_a_public_name_is_imported_from_the_package_itself(name: str) -> None:
    found = getattr(augbench.methods, name)
    assert getattr(found, "__name__", name) == name


def test_a_name_that_is_not_public_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'augnt'"):
        augbench.methods.augnt  # noqa: B018
