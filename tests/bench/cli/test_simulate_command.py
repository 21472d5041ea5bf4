"""The command that writes simulated nights."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augbench.bench.cli.command import main
from augbench.datasets.simulated_nights.hypnograms import FOLDER
from augbench.datasets.simulated_nights.layouts import LAYOUTS


def run(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["augbench", "simulate-nights", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture(autouse=True)
def _no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGBENCH_DATA", raising=False)


def test_nights_are_written_and_the_last_line_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = (tmp_path / "a", "--layout", "mass", "--nights", "2", "--hours", "0.1")
    assert run(monkeypatch, *words, "--data", tmp_path) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "stages from a Markov chain"
    assert "2/2" in printed[-2] or "100%" in printed[-2]
    assert printed[-1] == f"2 simulated nights are in {tmp_path / 'a'}"
    assert len([*(tmp_path / "a").glob("*PSG.edf")]) == 2


def test_real_hypnograms_are_used_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "a.csv").write_text("R\r" * 500)
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path))
    words = (tmp_path / "a", "--layout", "sleep-edf", "--nights", "1", "--hours", "0.1")
    assert run(monkeypatch, *words) == 0
    assert "stages from 1 real hypnogram" in capsys.readouterr().out
    assert b"Sleep stage R" in (tmp_path / "a" / "SC4001EC-Hypnogram.edf").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--layout", "edf", "--nights", "1"), "augbench: unknown layout 'edf'; "),
        (("--layout", "mass", "--nights", "0"), "augbench: nights is 0; it has to be from 1 to"),
        (("--layout", "mass", "--nights", "1", "--hours", "nan"), "augbench: hours is nan; "),
        (("--layout", "mass", "--nights", "1", "--data", "FILE"), None),
    ],
)
def test_bad_input_ends_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str | None,
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    given = [str(file) if word == "FILE" else word for word in words]
    if message is None:  # a data folder without hypnograms is no error
        assert run(monkeypatch, tmp_path / "a", *given, "--hours", "0.01") == 0
        return
    assert run(monkeypatch, tmp_path / "a", *given) == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_the_help_names_every_layout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(monkeypatch, "--help") == 0
    assert f"The layout of the files: {' or '.join(LAYOUTS)}." in capsys.readouterr().out


def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert run(monkeypatch, tmp_path, "--layout", "mass", "--nights", "1") == 2
    assert "holds notes.txt, which is none of the 1 simulated nights" in capsys.readouterr().err


def test_an_interrupted_command_says_how_to_go_on(tmp_path: Path) -> None:
    script = """
import sys
from augbench.bench.cli.command import main
from augbench.datasets.simulated_nights import folder
def interrupted(*args):
    raise KeyboardInterrupt
folder.write_hypnogram = interrupted
sys.argv = ["augbench", *sys.argv[1:]]
main()
"""
    words = ["simulate-nights", str(tmp_path / "a"), "--layout", "mass", "--nights", "1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words, "--hours", "0.1"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"AUGBENCH_DATA": str(tmp_path)},
    )
    assert done.returncode == 130
    assert "the same command goes on" in done.stderr
    assert "Traceback" not in done.stderr
