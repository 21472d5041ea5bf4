"""The method of docs/own-method.md runs as it stands there."""

import re
import sys
from pathlib import Path

import pytest

from augbench.analysis.tables.frame import load
from augbench.datasets import plugins
from augbench.methods import known_methods
from augbench.methods.conformance.finding import failures
from augbench.methods.conformance.method_checks import check_method
from runs import run_inline

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


def blocks() -> list[str]:
    """The blocks of Python: the check of a method, and a method."""
    found: list[str] = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    return found


def test_the_check_of_the_page_runs() -> None:
    block = blocks()[0]
    assert "assert failures(check_method(" in block  # so it fails where the check does
    exec(block, {})


class Entry:
    """The entry point that the page names."""

    name, value = "noise", "my_package.noise:ROW"

    def load(self) -> object:
        from my_package.noise import ROW  # type: ignore[import-not-found]

        return ROW


def test_the_method_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, block = blocks()
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "noise.py").write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [Entry()] * (group == "augbench.methods")
    )
    assert Entry.value in PAGE.read_text()
    assert failures(check_method("noise", known_methods()["noise"])) == []
    run = run_inline(SUITE, tmp_path / "run")
    assert set(load(run).points["method"]) == {"noise"}
    sys.modules.pop("my_package.noise")
