"""Every block of Python in docs/library.md runs, one after the other, as on the page."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def blocks(text: str) -> list[tuple[int, str]]:
    """The blocks of Python, and the line of the page that each begins on."""
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, each.start()) + 2, each[1]) for each in found]


def test_every_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = blocks(PAGE.read_text(encoding="utf-8"))
    assert len(page) >= 18
    names: dict[str, Any] = {"__name__": "library_page"}
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # braindecode's and skorch's own
        torch.manual_seed(0)
        for line, code in page:
            # Blank lines before it, so that an error names the line of the page.
            exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), names)
    assert len(names["accuracies"]) == 3
    assert names["logits"].shape == (32, 10)
    assert [len(layer) for layer in names["learned"].describe()] == [2, 1]
    printed = capsys.readouterr().out
    assert "time_mask: weight" in printed
    assert " samples" in printed
