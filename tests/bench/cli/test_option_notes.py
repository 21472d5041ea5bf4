"""What is read from the source of a method, and that ours have all of it."""

import importlib
from dataclasses import dataclass, make_dataclass
from functools import partial
from pathlib import Path

import pytest

from augbench.bench.cli.option_notes import docstrings, option_notes, sources
from augbench.methods import METHODS, augnet, autoaugment, none
from augbench.methods.options.row import MethodRow
from augbench.methods.options.search_free import NoneOptions


@dataclass(frozen=True)
class Parent:
    """Comments in all the places where they are read, and where they are not."""

    bare: int = 1

    # Not of the next one: a line is between.

    after_a_gap: int = 1
    # Above, on a first line
    # and a second.
    above: int = 1
    behind: int = 1  # Behind, with a # mark in it.
    # Of the one below.
    both: str = "# no comment"  # And behind.
    within: int = 1  # Within brackets.
    last: int = 1

    def method(self) -> None:
        local: int = 1  # of no field
        assert local


@dataclass(frozen=True)
class Child(Parent):
    # Said anew.
    above: int = 2
    behind: int = 2
    own: int = 2  # The child's.


NOTES = {
    "bare": "",
    "after_a_gap": "",
    "above": "Above, on a first line and a second.",
    "behind": "Behind, with a # mark in it.",
    "both": "Of the one below. And behind.",
    "within": "Within brackets.",
    "last": "",
}


def test_a_note_stands_above_a_field_or_behind_it() -> None:
    assert option_notes(Parent) == NOTES


def test_a_child_has_the_notes_of_its_parent_but_for_what_it_says_anew() -> None:
    assert option_notes(Child) == NOTES | {"above": "Said anew.", "own": "The child's."}


def test_a_class_inside_a_function_is_read_too() -> None:
    @dataclass
    class Inner:
        # Indented
        # twice.
        field: int = 1

    assert option_notes(Inner) == {"field": "Indented twice."}


def test_a_note_behind_a_field_may_go_on_under_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file of its own: our formatter would move what goes on."""
    file = tmp_path / "theirs.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Options:\n"
        "    first: int = 1  # Behind\n"
        "                    # and under.\n"
        "    second: int = 1\n"
        "      # At a column of its own.\n"
        "    third: int = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    options = importlib.import_module("theirs").Options
    assert option_notes(options) == {"first": "Behind and under.", "second": "", "third": ""}


def test_without_source_there_are_no_notes() -> None:
    made = make_dataclass("Made", [("field", int, 1)])
    assert option_notes(made) == {"field": ""}


@pytest.mark.parametrize("name", METHODS)
def test_every_option_of_every_method_has_a_note(name: str) -> None:
    assert not [option for option, note in option_notes(METHODS[name].options).items() if not note]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_names_its_source_or_that_it_has_none(name: str) -> None:
    assert sources(docstrings(METHODS[name].build))


def test_a_method_is_told_by_its_module_its_class_and_its_builder() -> None:
    texts = docstrings(METHODS["autoaugment"].build)
    assert texts[0] == autoaugment.__doc__
    assert texts[1].startswith("One step is one epoch")
    assert texts[2] == autoaugment.build.__doc__
    # What its builder returns is of another module, which knows nothing of AugNet.
    assert docstrings(METHODS["augnet"].build)[0] == augnet.__doc__
    assert len(docstrings(METHODS["augnet"].build)) == 2


def test_arguments_that_a_row_binds_hide_nothing() -> None:
    row = MethodRow(NoneOptions, partial(partial(none.build)), "model")
    assert docstrings(row.build) == docstrings(METHODS["none"].build)


def test_a_source_ends_with_its_paragraph() -> None:
    texts = ["One.\n\nSource: a paper,\nits code.\n\nMore.", "None here.", "Source: another."]
    assert sources(texts) == "a paper, its code. another."
