"""The method of docs/own-method.md runs as it stands there."""

import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from augbench.analysis.tables.frame import load
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.datasets import plugins

PAGE = Path(__file__).parents[2] / "docs" / "own-method.md"
SUITE = """
name = "own"
folds = 1
[tasks.sinusoids]
training = { epochs = 2 }
n_train = 40
[methods.noise]
magnitude = 0.3
"""


class Entry:
    """The entry point that the page names."""

    name, value = "noise", "my_package.noise:ROW"

    def load(self) -> object:
        from my_package.noise import ROW  # type: ignore[import-not-found]

        return ROW


def test_the_method_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "noise.py").write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [Entry()] * (group == "augbench.methods")
    )
    assert Entry.value in PAGE.read_text()
    (tmp_path / "own.toml").write_text(SUITE)
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(load_suite(tmp_path / "own.toml"), options, Console(quiet=True))
    assert set(load(tmp_path / "run").points["method"]) == {"noise"}
    sys.modules.pop("my_package.noise")
