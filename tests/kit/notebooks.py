"""Notebooks, run in a kernel of this interpreter."""

import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

SECONDS = 600  # for a cell; on a slow day Ray takes a minute to start


def run_notebook(notebook: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run the cells in an empty folder; the cells of code, with their outputs.

    Raises an error if a cell does.
    """
    # Found before all others: the user may have a kernel of this name for another interpreter.
    spec = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "here", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    work = folder / "work"
    work.mkdir()
    NotebookClient(
        notebook,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
    ).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def notebook_of(*cells: str) -> Any:
    """A notebook with these cells of code."""
    new = nbformat.v4
    return new.new_notebook(cells=[new.new_code_cell(each) for each in cells])  # type: ignore[no-untyped-call]


def printed(cell: Any) -> str:
    """What a cell printed on its standard output."""
    streams = [each for each in cell.outputs if each.output_type == "stream"]
    return "".join(each.text for each in streams if each.name == "stdout")
