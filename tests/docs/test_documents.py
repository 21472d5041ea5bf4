"""README and docs: their links lead somewhere, their commands and suites are real."""

import re
import shlex
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer

from augbench.bench.cli.command import app
from augbench.bench.cli.reference_page import reference_page
from augbench.bench.plan.suite import read_suite
from pages import NAMES, PAGES, ROOT, commands

LINK = re.compile(r"\]\((?!https?:|#)(?P<target>[^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_links_lead_to_files(page: Path) -> None:
    for match in LINK.finditer(page.read_text()):
        assert (page.parent / match["target"]).exists(), match["target"]


def test_readme_can_be_read_at_once() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_readme_links_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text, page.name


def test_the_pages_hold_commands() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize(("page", "words"), commands())
def test_every_command_is_one_that_augbench_takes(page: str, words: str) -> None:
    for entry in entry_points(group="augbench.commands"):
        if entry.name not in {each.name for each in app.registered_commands}:
            app.command(entry.name)(entry.load())
    group = typer.main.get_command(app)
    name, *arguments = shlex.split(words.replace("...", "suite"))
    with group.make_context("augbench", [name, *arguments]) as context:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        assert command is not None, f"{page} names the command {name}"
        command.make_context(name, arguments, parent=context)  # exits on what it does not take


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_every_suite_is_one_that_can_be_read(page: Path) -> None:
    blocks = re.findall(r"(?:^    .*\n|^\n)+", page.read_text(), re.MULTILINE)
    for block in blocks:
        text = re.sub(r"^    ", "", block, flags=re.MULTILINE)
        if text.strip().startswith("name = ") and "LABEL" not in text:
            assert read_suite(tomllib.loads(text), str(page)).plan


def test_the_reference_is_what_the_tables_hold() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference_page()


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_no_block_of_code_has_lost_its_indent(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lost = re.findall(
        r"^(?:name = |augbench (?:run|report|plan|search|simulate-nights) ).*", text, re.MULTILINE
    )
    assert not lost
