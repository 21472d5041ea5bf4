"""A search directory that is damaged in any way ends in one sentence, and never in a wrong result.

The damages are drawn with a fixed seed, about a hundred of them, in this process.
"""

import json
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from augbench.analysis.command import report
from augbench.bench.cli.command import main
from augbench.bench.search.search_results import TrialResult, read_search_results
from augbench.datasets.errors import UserError

Run = Callable[..., tuple[int, str, str]]
Search = Callable[..., tuple[int, str, str]]

LAMBDA = ("--method", "shift", "--param", "lambda", "--space", "log:0.01:50")
WORDS = (*LAMBDA, "--trials", "5", "--set", "folds=1")
N_DAMAGES = 100
SECONDS = 60  # that no command takes, even on a slow machine


@contextmanager
def _time_limit() -> Iterator[None]:
    def late(*_: Any) -> None:
        raise AssertionError("the command hangs")

    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Any command, in this process: its exit code, what it printed and what it complained of."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["augbench", *map(str, words)])
        with _time_limit(), pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(folder: Path, search: Search) -> Path:
    """A search of five trials that ended, made for the first test that asks for it."""
    out = folder / "search"
    if not out.exists():
        assert search(out, *WORDS)[0] == 0
    return out


def cut_short(line: bytes, draw: random.Random) -> bytes:
    return line[: draw.randrange(len(line) or 1)]


def flip_a_bit(line: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(line) or 1)
    return line[:place] + bytes([line[place] ^ 1 << draw.randrange(8)]) + line[place + 1 :]


def change_a_value(line: bytes, draw: random.Random) -> bytes:
    """Another value, or none, in a random place of a piece of JSON."""
    try:
        record = json.loads(line)
    except ValueError:
        return b"[]"
    here: Any = record
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return b"{}"
        key = draw.choice(keys)
        if isinstance(here[key], dict | list) and draw.random() < 0.7:
            here = here[key]
            continue
        wrong = [None, -1, 10**400, 1e308, float("nan"), "", "[/x]", [], {}, True, [[]], 0, 99]
        if draw.random() < 0.3 and isinstance(here, dict):
            del here[key]
        else:
            here[key] = draw.choice(wrong)
        return json.dumps(record).encode()


def nest(line: bytes, draw: random.Random) -> bytes:
    return b'{"a":' + b"[" * 200_000


def long_number(line: bytes, draw: random.Random) -> bytes:
    return b'{"op_code": ' + b"9" * 5000 + b"}"


def garbage(line: bytes, draw: random.Random) -> bytes:
    return draw.randbytes(40).replace(b"\n", b"")


def gone(line: bytes, draw: random.Random) -> bytes:
    return b""


def other_table(line: bytes, draw: random.Random) -> bytes:
    return draw.choice([b"{}", b"[1]", b"null", b'"x"', b"3", b"\xef\xbb\xbf{}"])


IN_LINES = (cut_short, flip_a_bit, change_a_value, nest, long_number, garbage, gone, other_table)


def damage(file: Path, draw: random.Random) -> str:
    """Damage a file; returns how."""
    content = file.read_bytes()
    kind = draw.choice(["line"] * 8 + ["cut", "folder", "missing", "twice", "order", "empty"])
    # A file of JSON that is no file of lines is one line here.
    lines = content.splitlines(keepends=True) if file.suffix in (".log", ".jsonl") else [content]
    place = draw.randrange(len(lines) or 1)
    if kind == "line":
        change = draw.choice(IN_LINES)
        line = lines[place].removesuffix(b"\n")
        lines[place] = change(line, draw) + b"\n" * (change is not gone)
        kind = change.__name__
    elif kind == "cut":
        lines = [content[: draw.randrange(len(content))]]
    elif kind == "twice":
        lines.insert(place, lines[place])
    elif kind == "order":
        draw.shuffle(lines)
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_bytes(b"" if kind == "empty" else b"".join(lines))
    return kind


def results(out: Path) -> list[TrialResult]:
    return [trial._replace(device_hours=0.0) for trial in read_search_results(out).trials]


def test_no_damage_ends_in_a_traceback_a_hang_or_a_wrong_result(
    whole: Path, search: Search, command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(0)
    true = results(whole)
    units = sorted(file for file in whole.rglob("*.json*") if file.is_file())
    # Looking for plug-ins is a third of the time of a command.
    monkeypatch.setattr("augbench.datasets.plugins.entry_points", lambda **group: ())
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    for number in range(N_DAMAGES):
        out = tmp_path / "search"
        shutil.copytree(whole, out)
        if draw.random() < 0.5:  # a driver that was killed: its last trials have not ended
            journal = (out / "journal.log").read_bytes().splitlines(keepends=True)
            keep = draw.randrange(2, len(journal))
            (out / "journal.log").write_bytes(b"".join(journal[:keep]))
        file = draw.choice(
            [out / "journal.log"] * 6
            + [out / "search.json"] * 3
            + [out / draw.choice(units).relative_to(whole)]
        )
        told = f"{number}: {damage(file, draw)} in {file.relative_to(out)}"
        try:
            seen = results(out)
        except UserError:
            seen = []
        for trial in seen:
            assert trial.state == "unfinished" or trial in true, told
        code, printed, complaint = command("status", out)
        _check(code, printed, complaint, out, told)
        if number % 20 == 0:
            assert str(out) in _report(out), told
        code, printed, complaint = search(out, *WORDS)
        _check(code, printed, complaint, out, told)
        if code == 0:
            assert results(out) == true, told
            assert (out / "best.toml").read_text().splitlines()[1:5] == (
                (whole / "best.toml").read_text().splitlines()[1:5]
            ), told
        shutil.rmtree(out)


def _report(out: Path) -> str:
    """What the command complains of; where it does not, the names of the files that it wrote."""
    try:
        report([out])
    except (UserError, OSError) as error:
        return str(error)
    return "".join(map(str, (out / "report").iterdir()))


def _check(code: int, printed: str, complaint: str, out: Path, told: str) -> None:
    assert code in (0, 1, 2), told
    if code == 2:
        assert complaint.startswith("augbench: "), told
        assert complaint.count("\n") == 1, f"{told}: {complaint}"
        assert len(complaint) < 1000, f"{told}: {complaint}"
        assert str(out) in complaint, f"{told}: {complaint}"
