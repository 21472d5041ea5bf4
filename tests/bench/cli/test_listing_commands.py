"""The commands that list what a suite can name."""

import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from augbench.bench.cli.command import app, main
from augbench.bench.cli.option_notes import option_notes
from augbench.bench.plan.suite import shipped_suites
from augbench.bench.plan.tables import MethodTable, Resources, TaskTable
from augbench.datasets import TASKS, plugins
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.trunks import TRUNKS
from augbench.methods.transforms import EEG, IMAGE, TRANSFORMS

Show = Callable[..., str]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    """What a command prints on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["augbench", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        assert not caught.value.code, capsys.readouterr().err
        printed = capsys.readouterr().out
        assert max(map(len, printed.splitlines())) <= 80
        return printed

    return run


def first_words(printed: str) -> set[str]:
    return {line.split()[0] for line in printed.splitlines() if line[:1].strip()}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("tasks", {"task", *TASKS}),
        ("trunks", {"trunk", *TRUNKS}),
        ("transforms", {"transform", *TRANSFORMS}),
        ("suites", {"suite", *shipped_suites()}),
    ],
)
def test_all_rows_are_listed(show: Show, command: str, names: set[str]) -> None:
    assert first_words(show(command)) == names


@pytest.mark.parametrize("command", ["tasks", "transforms"])
def test_rows_of_other_packages_are_listed(
    show: Show, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    rows = {
        "tasks": TASKS["digits"],
        "transforms": lambda signal: replace(TRANSFORMS["rotate"](signal), name="theirs"),
    }
    theirs = SimpleNamespace(name="theirs", value="m:ROW", load=lambda: rows[command])
    monkeypatch.setattr(plugins, "entry_points", lambda group: [theirs])
    assert "theirs" in first_words(show(command))


@pytest.mark.parametrize("command", ["methods", "tasks", "transforms"])
def test_a_row_that_cannot_be_used_is_listed_with_its_fault(
    show: Show, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    theirs = SimpleNamespace(name="theirs", value="m:ROW", load=lambda: 1 / 0)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [theirs])
    printed = " ".join(show(command).split())
    assert "not used: 'm:ROW' of the entry point 'theirs' in" in printed
    assert "cannot be imported (ZeroDivisionError: division by zero)" in printed
    assert "rotate" in printed or "digits" in printed or "augnet" in printed


def test_a_transform_is_listed_with_its_kind_and_what_magnitude_1_means(show: Show) -> None:
    rows = {line.split()[0]: line for line in show("transforms").splitlines() if line[:1].strip()}
    assert "30 degrees" in rows["rotate"]
    assert all(" EEG " in rows[name] for name in EEG)
    assert all(" images " in rows[name] for name in IMAGE)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_shown_with_all_that_a_suite_can_say_of_it(show: Show, name: str) -> None:
    printed = show("tasks", name)
    for cls in (TASKS[name].options, TaskTable, TrainingSettings):
        for option in option_notes(cls):
            assert f"\n{option} " in printed


@pytest.mark.parametrize(
    "cls",
    [*(row.options for row in TASKS.values()), TaskTable, MethodTable, Resources, TrainingSettings],
)
def test_what_is_shown_has_notes(cls: type) -> None:
    notes = option_notes(cls)
    assert sum(map(bool, notes.values())) >= len(notes) / 2, notes


@pytest.mark.parametrize("name", shipped_suites())
def test_a_suite_is_printed_as_its_file_is(show: Show, name: str, capsys: object) -> None:
    file = shipped_suites()[name]
    if max(map(len, file.read_text(encoding="utf-8").splitlines())) <= 80:
        assert tomllib.loads(show("suites", name)) == tomllib.loads(file.read_text("utf-8"))


def test_every_command_has_a_line_of_help_and_those_with_arguments_an_example() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        text = command.callback.__doc__ or ""
        assert text.partition("\n")[0].strip(), command.callback
        if command.callback.__name__ not in ("trunks", "transforms"):
            name = command.name or command.callback.__name__.replace("_", "-")
            assert f"    augbench {name}" in text


def test_the_version_is_printed(show: Show) -> None:
    assert show("--version").startswith("augbench 0.")
