"""`augbench fetch`, and suites of recordings, as their user meets them."""

import sys
from pathlib import Path

import pytest

from augbench.bench.cli.command import main
from augbench.datasets import sleep_edf as module
from nights import write_mass

SUITE = """
name = "mine"
folds = 2
[tasks.mine]
task = "recordings"
path = "mass"
files = "* PSG.edf"
events_files = "* Base.edf"
night = "^.{10}"
subject = '-(\\d{4})'
channels = ["C3", "C4"]
n_folds = 3
training = { epochs = 1 }
[tasks.mine.events]
W = "Sleep stage W"
deep = ["Sleep stage 2", "Sleep stage 3"]
[methods.none]
"""


def ask(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["augbench", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("mass",), "MASS is handed out on request"),
        (("cifar10", "--only", "*"), "task 'cifar10' is downloaded as a whole: leave out --only"),
        (("sleep_edf", "--only", "ST*"), "no file of Sleep-EDF has a name like 'ST*'"),
        (("recordings",), "task 'recordings' needs no download"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    assert ask(monkeypatch, "fetch", *words, "--data", tmp_path) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"augbench: {sentence}")
    assert told.count("\n") == 1


def test_a_part_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(module, "fetch", lambda record, folder, names: asked.append([*names]))
    assert ask(monkeypatch, "fetch", "sleep_edf", "--only", "SC4001*", "--data", tmp_path) == 0
    assert asked == [["SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"]]


def test_a_suite_of_recordings_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(SUITE)
    for number in range(1, 5):
        write_mass(tmp_path / "mass", number)
    words = ("run", tmp_path / "mine.toml", "--data", tmp_path, "--out", tmp_path / "run")
    assert ask(monkeypatch, *words, "--engine", "inline") == 0
    told = capsys.readouterr()
    assert "of 4 groups" in told.out
    assert "2 of 2 trials done" in told.out


def test_a_fault_of_a_recording_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(SUITE)
    file = write_mass(tmp_path / "mass", 1)
    file.write_bytes(file.read_bytes()[:-999])
    words = ("run", tmp_path / "mine.toml", "--data", tmp_path, "--out", tmp_path / "run")
    assert ask(monkeypatch, *words, "--engine", "inline") == 2
    told = capsys.readouterr().err
    assert told.startswith("augbench: 01-03-0001 PSG.edf is cut off")
    assert told.count("\n") == 1
