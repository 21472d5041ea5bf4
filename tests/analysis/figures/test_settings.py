"""Figures take nothing from the user's settings, whatever these are."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.figures.searches import search_figure
from augbench.analysis.tables.searches import trial_table
from augbench.bench.search.search import Search
from augbench.bench.search.search_results import SearchResults, TrialResult

SETTINGS = {
    "text.usetex": True,
    "font.family": ["monospace"],
    "font.size": 30,
    "axes.facecolor": "black",
    "savefig.dpi": 10,
    "savefig.bbox": "tight",
    "svg.fonttype": "none",
    "axes.grid": False,
    "xtick.labelsize": 20,
    "axes.formatter.use_mathtext": True,
    "legend.frameon": True,
    "path.simplify": False,
}
# Draws a figure from nothing but its words; writes its bytes.
SCRIPT = """
import sys
from pathlib import Path
from augbench.analysis.load_matplotlib import import_matplotlib
import_matplotlib()
from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.tables.frame import POINT_COLUMNS, results
from augbench.analysis.figures.image_files import png
keys = {"task": "toy", "method": "none", "fold": 0, "seed": 0, "trial": "x"}
numbers = {name: 1 for name in POINT_COLUMNS}
row = numbers | keys | {"kind": "model", "metric": "accuracy", "device": "cpu", "shared": False}
trial = keys | {"state": "done", "points_scored": 1, "points_known": 1, "wasted_seconds": 0.0}
run = results([row], [trial | {"reason": ""}], "toys")
drawing = FIGURES["hours"]
Path(sys.argv[1]).write_bytes(png(drawing.draw(drawing.table(run, "toy"))))
"""


def a_search() -> SearchResults:
    values = {"penalty": 0.5, "at_eval": "$x$"}
    trials = (TrialResult(0, "done", values, 0.5, 0.1, 1.0, 1, 1, 1.0),)
    spaces = {"penalty": "log:0.01:50", "at_eval": "choice:$x$,b"}
    return SearchResults(Search({}, "shift", spaces, "tpe", 0, 4, True), 1, trials)


def pictures(grid) -> list[bytes]:
    figures = [drawing.draw(drawing.table(grid(3, 2), "task_0")) for drawing in FIGURES.values()]
    scales = {"penalty": "log", "at_eval": "words"}
    figures.append(search_figure(trial_table(a_search()), scales, "50 % of $x$ and _y_"))
    return [save(figure) for figure in figures for save in (png, svg)]


def test_every_figure_has_the_same_bytes_under_any_settings(grid, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 40)
    expected = pictures(grid)
    with matplotlib.rc_context(SETTINGS):
        assert pictures(grid) == expected
        assert matplotlib.rcParams["font.size"] == 30  # and they are left as they are
    with matplotlib.style.context("dark_background"):
        assert pictures(grid) == expected


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> bytes:
    return drawn(tmp_path_factory.mktemp("plain"), {})


def drawn(folder: Path, environment: dict[str, str]) -> bytes:
    """The picture of a process of its own, in a folder, with an environment."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "MATPLOTLIBRC")}
    words = [sys.executable, "-c", SCRIPT, "picture.png"]
    done = subprocess.run(
        words, cwd=folder, env=clean | environment, capture_output=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return (folder / "picture.png").read_bytes()


SPOILT = {
    "a notebook's": ({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, None),
    "a missing module": ({"MPLBACKEND": "module://nowhere.to.be.found"}, None),
    "nonsense": ({"MPLBACKEND": "nonsense"}, None),
    "tex": ({"MATPLOTLIBRC": "{folder}/own"}, b"text.usetex: True\naxes.facecolor: black\n"),
    "no text": ({"MATPLOTLIBRC": "{folder}/own"}, b"font.size: \xff\xfe\n"),
    "bad values": ({"MATPLOTLIBRC": "{folder}/own"}, b"font.size: big\nno.such.key: 1\nnonsense\n"),
    "here": ({}, b"font.size: \xff\xfe\n"),
    "a style": ({"MPLCONFIGDIR": "{folder}/own"}, b"font.size: \xff\xfe\n"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_no_setting_keeps_a_figure_from_being_drawn(case, plain, tmp_path):
    environment, file = SPOILT[case]
    if case == "a style":
        (tmp_path / "own" / "stylelib").mkdir(parents=True)
        (tmp_path / "own" / "stylelib" / "mine.mplstyle").write_bytes(file)
    elif file is not None:
        (tmp_path / ("own" if environment else "matplotlibrc")).write_bytes(file)
    given = {name: value.format(folder=tmp_path) for name, value in environment.items()}
    assert drawn(tmp_path, given) == plain
