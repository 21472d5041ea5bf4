"""The notebook of docs/ runs, and what is committed of it is small and whole."""

from pathlib import Path

import nbformat
import pytest

from notebooks import printed, run_notebook

FILE = Path(__file__).parents[2] / "docs" / "arrays-to-policy.ipynb"
MOST_BYTES = 100_000


def test_every_cell_runs_and_the_last_one_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = run_notebook(nbformat.read(FILE, 4), tmp_path, monkeypatch)
    (accuracy,) = [float(text.split()[-1]) for text in map(printed, cells) if "accuracy on" in text]
    assert accuracy > 0.8  # the classes are far apart
    (figure,) = cells[-1].outputs
    assert "image/png" in figure.data


def test_it_is_committed_with_its_outputs_and_is_small() -> None:
    notebook = nbformat.read(FILE, 4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert 10 <= len(notebook.cells) <= 16
    assert FILE.stat().st_size < MOST_BYTES
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [output.output_type for cell in cells for output in cell.outputs]
    assert "display_data" in kinds
    assert "error" not in kinds
    assert "/home/" not in FILE.read_text()
    assert "/tmp/" not in FILE.read_text()
