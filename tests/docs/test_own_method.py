"""The methods of docs/own-method.md run as they stand there."""

import re
import sys
from importlib import import_module
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
[methods.NAME]
magnitude = 0.3
"""
METHODS = ("noise", "consistent")


def blocks() -> list[str]:
    """The blocks of Python: the check of a method, and the METHODS."""
    found: list[str] = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    return found


def test_the_check_of_the_page_runs() -> None:
    block = blocks()[0]
    assert "assert failures(check_method(" in block  # so it fails where the check does
    exec(block, {})


class Entry:
    """The entry point of a method, as the page names it for the first."""

    def __init__(self, name: str) -> None:
        self.name, self.value = name, f"my_package.{name}:ROW"

    def load(self) -> object:
        return import_module(f"my_package.{self.name}").ROW


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_the_page_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_package").mkdir()
    block = dict(zip(METHODS, blocks()[1:], strict=True))[name]
    (tmp_path / "my_package" / f"{name}.py").write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [Entry(name)] * (group == "augbench.methods")
    )
    assert failures(check_method(name, known_methods()[name])) == []
    run = run_inline(SUITE.replace("NAME", name), tmp_path / "run")
    assert set(load(run).points["method"]) == {name}
    for module in (f"my_package.{name}", "my_package"):
        sys.modules.pop(module)


def test_the_page_names_an_entry_point_of_its_package() -> None:
    assert f'noise = "{Entry("noise").value}"' in PAGE.read_text()
