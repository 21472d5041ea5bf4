"""Commands of other packages: a bad one stops nothing but itself."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from augbench.bench.cli.added_commands import add_commands, command_faults
from augbench.datasets.errors import UserError
from installed import add_package

COMMANDS = """
def good(word: str = "nothing") -> None:
    print(f"it says {word}")

def odd(what: int | str) -> None:
    pass

number = 3
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[typer.Typer]:
    """An app with a command of ours, and packages that add others."""
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = {name: f"theirs_commands:{name}" for name in ("good", "odd", "number", "missing")}
    rows |= {"run": "theirs_commands:good", "broken": "theirs_broken:command"}
    modules = {"theirs_commands": COMMANDS, "theirs_broken": "1 / 0"}
    add_package(tmp_path, "more", {"augbench.commands": rows}, **modules)
    app = typer.Typer()

    @app.command("run")
    def ours() -> None:
        print("ours")

    ours.__module__ = "augbench.bench.cli.command"
    yield app
    sys.modules.pop("theirs_commands", None)


def test_commands_of_packages_are_added_and_ours_are_kept(app: typer.Typer) -> None:
    add_commands(app)
    invoke = CliRunner().invoke
    assert invoke(app, ["run"]).stdout == "ours\n"
    assert invoke(app, ["good", "--word", "hello"]).stdout == "it says hello\n"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("broken", "ZeroDivisionError: division by zero"),
        ("missing", "AttributeError: module 'theirs_commands' has no attribute 'missing'"),
        ("number", "cannot be used ("),
        ("odd", "cannot be used ("),
    ],
)
def test_a_command_that_cannot_be_used_says_so_when_it_is_called(
    app: typer.Typer, name: str, fault: str
) -> None:
    add_commands(app)
    result = CliRunner().invoke(app, [name, "--any", "words"])
    assert isinstance(result.exception, UserError)
    assert f"the command {name!r} of package more 1.0 (" in str(result.exception)
    assert fault in str(result.exception)


def test_all_faults_are_known_before_and_after_the_commands_are_added(app: typer.Typer) -> None:
    before = command_faults(app)
    assert set(before) == {"run", "broken", "missing", "number", "odd"}
    assert "takes a name that is in use" in before["run"]
    add_commands(app)
    assert command_faults(app) == before
