"""A search of seconds, in this process."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.cli.command import main
from augbench.bench.search.search_results import SearchResults, read_search_results

Search = Callable[..., tuple[int, str, str]]

TINY = """
name = "tiny"
folds = 2
[tasks.sinusoids]
n_train = 60
n_test = 8
training = { epochs = 9, patience = 9 }
[methods.none]
[methods.shift]
method = "augnet"
layers = [["frequency_shift"]]
penalty = 0.2
[methods.policies]
method = "random_policy"
"""
LAMBDA = ("--method", "shift", "--param", "lambda", "--space", "log:0.01:50")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite whose trials take a tenth of a second."""
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    return file


@pytest.fixture
def search(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Search:
    """The command: its exit code, what it printed and what it complained of."""
    # The report is tested with the analysis, which is a layer below.
    monkeypatch.setattr("augbench.bench.cli.search_command.entry_points", lambda **group: ())

    def run(out: Path, *words: str) -> tuple[int, str, str]:
        command = ["augbench", "search", str(tiny), "--engine", "inline", "--out", str(out)]
        monkeypatch.setattr(sys, "argv", [*command, *words])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def timeless() -> Callable[[Path], list[dict[str, Any]]]:
    """All trials of a search, without what the clock says."""

    def read(out: Path) -> list[dict[str, Any]]:
        results: SearchResults = read_search_results(out)
        return [{**trial._asdict(), "device_hours": 0} for trial in results.trials]

    return read
