"""What the user named is printed as it is, and a reader that leaves stops nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from augbench.bench.cli.trial_tables import plan_text, status_text
from augbench.bench.printable import printable
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.terminal import as_text, print_line

HOSTILE = ["augnet [a,b]", "[/x]", "[bold]x", ":smile:", "a\\[b", "100%", "$x$", "\x1b[2Jgone"]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_reads_as_it_was_written(label: str) -> None:
    console = Console(record=True, width=200)
    print_line(console, f"{label} ended")
    row = {"task": label, "method": label, "fold": 0, "seed": 0, "trial": "abc", "state": "failed"}
    row |= {"points_scored": 0, "points_known": 1, "wasted_seconds": 0.0, "reason": label}
    row |= {"valid": None, "retrainings_left": 0}
    printed = "\n".join([console.export_text(), plan_text(label, [row]), status_text([row])])
    assert printed.count(printable(label)) == 1 + 3 + 3  # line; title and two cells; three cells
    assert "\x1b" not in printed


def test_control_characters_are_shown_and_letters_are_kept() -> None:
    assert str(as_text("a\nb\x07\u202f\ud800é日")) == "a\\nb\\x07\u202f\\ud800é日"


SUITE = """
name = "piped"
folds = 2
seeds = [0, 1, 2]
[tasks.digits]
training = { epochs = 1 }
[methods."none [/x]"]
method = "none"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "[bold] [/x]").mkdir(parents=True)
    file = tmp_path / "[bold] [/x]" / "piped.toml"
    file.write_text(SUITE, encoding="utf-8")
    return file


def closed_early(words: list[str], *, n_lines: int = 1) -> subprocess.CompletedProcess[bytes]:
    """A command whose reader leaves after some lines, as ``| head -n`` does."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    first = b"".join(process.stdout.readline() for _ in range(n_lines))
    process.stdout.close()
    complaint = process.stderr.read()
    return subprocess.CompletedProcess(words, process.wait(timeout=120), first, complaint)


def test_a_run_goes_on_when_its_pager_is_closed_and_says_so_once(
    suite: Path, command_line: Callable[..., list[str]]
) -> None:
    out = suite.parent / "run"
    done = closed_early(command_line("run", suite, "--engine", "inline", "--out", out))
    assert done.stdout
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode() == (
        "augbench: nobody reads the output any more; the work goes on (see augbench status)\n"
    )
    run, opened = open_run(out)
    assert len({row["trial"] for row in read_points(run, opened.plan)}) == 6
    for command in ("status", "report"):  # in a folder whose name is no markup either
        ended = closed_early(command_line(command, out))
        assert (ended.returncode, ended.stderr) == (0, b"")
    assert (out / "report" / "table.md").exists()


def test_a_run_goes_on_when_nobody_reads_its_complaints_either(
    suite: Path, command_line: Callable[..., list[str]]
) -> None:
    out = suite.parent / "run"
    reading, writing = os.pipe()
    words = command_line("run", suite, "--engine", "inline", "--out", out)
    process = subprocess.Popen(words, stdout=writing, stderr=writing)
    os.close(writing)
    os.close(reading)  # as 2>&1 | true
    assert process.wait(timeout=120) == 0
    run, opened = open_run(out)
    assert len({row["trial"] for row in read_points(run, opened.plan)}) == 6


def test_short_commands_end_quietly(command_line: Callable[..., list[str]]) -> None:
    for words in (("methods",), ("methods", "augnet"), ("plan", "quickstart"), ("--help",)):
        ended = closed_early(command_line(*words))
        assert (ended.returncode, ended.stderr) == (0, b""), words


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_letters_that_an_encoding_lacks_are_escaped(
    locale: dict[str, str], suite: Path, command_line: Callable[..., list[str]]
) -> None:
    suite.write_text(SUITE.replace("none [/x]", "сон"), encoding="utf-8")
    words = command_line("plan", suite)
    done = subprocess.run(words, env=os.environ | locale, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = "\\u0441\\u043e\\u043d" if "PYTHONIOENCODING" in locale else "сон"
    assert shown in done.stdout.decode()


def test_a_full_disk_under_the_output_is_still_an_error(
    command_line: Callable[..., list[str]],
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        words = command_line("methods")
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_output_is_no_error(command_line: Callable[..., list[str]]) -> None:
    words = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command_line("methods")]
    assert subprocess.run(words, check=False).returncode == 0
    assert sys.stdout is not None
