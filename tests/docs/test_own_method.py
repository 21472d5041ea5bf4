"""The method of docs/own-method.md runs as it stands there."""

import re
import sys
from pathlib import Path

import pytest

from augbench.analysis.tables.frame import load
from augbench.datasets import plugins
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
    run = run_inline(SUITE, tmp_path / "run")
    assert set(load(run).points["method"]) == {"noise"}
    sys.modules.pop("my_package.noise")
