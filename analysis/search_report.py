"""The report of a search: its table and its figure."""

from pathlib import Path

from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.figures.searches import search_figure
from augbench.analysis.files import write
from augbench.analysis.tables.searches import trial_table
from augbench.analysis.text import csv
from augbench.bench.search.search_results import read_search_results
from augbench.bench.search.space import scale


def write_search_report(path: Path, folder: Path) -> list[Path]:
    """Writes ``trials.csv``, ``search.png`` and ``search.svg`` of a search, finished or not."""
    results = read_search_results(path)
    table = trial_table(results)
    scales = {key: scale(space) for key, space in results.search.spaces.items()}
    ended = int((table["state"] != "unfinished").sum())
    title = f"{results.search.method}: {ended} of {results.n_trials} trials ended"
    figure = search_figure(table, scales, title)
    contents = {"trials.csv": csv(table), "search.png": png(figure), "search.svg": svg(figure)}
    return [write(folder / name, content) for name, content in contents.items()]
