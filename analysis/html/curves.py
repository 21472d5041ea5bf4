"""The curves: what the script curves.js draws, and the same as a picture for print."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.figures.accuracy_labels import value_label, x_label
from augbench.analysis.figures.accuracy_scale import is_logarithmic, value_limits
from augbench.analysis.html.elements import (
    Section,
    code,
    data,
    details,
    heading,
    join,
    pack,
    paragraph,
    safe,
)
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.swatches import named, plotly_symbol
from augbench.analysis.html.thinning import MOST_ROWS, thinned
from augbench.analysis.tables.bands import NEEDS, band_of
from augbench.analysis.tables.curves import CURVE_COLUMNS
from augbench.analysis.tables.panels import same_readings
from augbench.bench.printable import printable

ALL_ROWS = 300_000  # of all curves of the page, whatever the run; some 15 bytes each
LEAST_ROWS = 100  # of a curve, if it has so many
# Digits of an SVG beyond hundredths of a point, of numbers from 1 on: four bytes in ten.
_DIGITS = re.compile(rb"(\b[1-9]\d*\.\d\d)\d+")
DRAWN_HERE = (*FIGURES, "ranges")  # figures that other sections have are not among them
# The functions of the library that draw a figure from its table alone.
DRAWN_BY = dict.fromkeys(FIGURES, "accuracy_figure")
DRAWN_BY |= {"layers": "layer_figure", "policies": "policy_figure"}
AXES = {  # the words of the choice, by how the name of an axis begins
    "hours": "device time",
    "forward": "samples forward",
    "backward": "samples backward",
    "step": "epochs",
    "hours_wall": "wall time",
}
READINGS = ("_paper", "_full")  # how the names of axes that have two readings end


def curves_section(report: ReportData) -> Section | None:
    """For each task: curves along any axis, a legend that hides methods, a picture for print."""
    if report.results.points.empty:
        return None
    curves = [figure for figure in report.figures if figure.name in FIGURES]
    tasks = list(dict.fromkeys(figure.task for figure in curves))
    n_curves = sum(len(figure.table.groupby(["axis", "method"])) for figure in curves)
    most_rows = min(MOST_ROWS, max(LEAST_ROWS, ALL_ROWS // max(1, n_curves)))
    parts = (_task(report, task, n, most_rows) for n, task in enumerate(tasks, start=1))
    return Section("curves", "Curves", join(parts))


def _task(report: ReportData, task: str, number: int, most_rows: int) -> Markup:
    figures = [figure for figure in report.figures if figure.task == task]
    curves = [figure for figure in figures if figure.name in FIGURES]
    return join(
        [
            heading(task),
            Markup(_FIGURE).format(
                id=f"curves-{number}",
                axes=_choices(curves),
                legend=_legend(report, curves),
                alt=safe(_in_words(report, task, curves[0].table)),
                data=data(f"curves-{number}-data", _drawn(report, curves, most_rows)),
                range=band_of(curves[0].table).range,
                caption=safe(_caption(curves)),
            ),
            *(_static(report, figure) for figure in figures if figure.name in DRAWN_HERE),
        ]
    )


_FIGURE = """<figure class="curves" id="{id}">
<div class="choices" role="group" aria-label="What is drawn">
<label>along <select data-choice="axis">{axes}</select></label>
<label>reading <select data-choice="reading">
<option value="paper">paper (one retraining)</option>
<option value="full">full (all retrainings)</option></select></label>
<span data-note="reading" hidden>both readings are the same</span>
<label>scale <select data-choice="scale"><option value="linear">linear</option>
<option value="log">logarithmic</option></select></label>
<label><input type="checkbox" data-choice="bands" checked> {range}</label>
<button type="button" data-action="reset">reset zoom</button>
<button type="button" data-action="csv">save as CSV</button>
</div>
<div class="beside"><div class="plot" role="group" aria-label="{alt}"></div>
<fieldset class="legend"><legend>methods</legend>{legend}
<p><button type="button" data-action="all">show all</button>
<button type="button" data-action="none">hide all</button></p></fieldset></div>
<figcaption>{caption}</figcaption>
{data}
</figure>"""


def _choices(curves: Sequence[DrawnFigure]) -> Markup:
    kinds = dict.fromkeys(_kind(str(axis)) for f in curves for axis in f.table["axis"].unique())
    return join(Markup('<option value="{}">{}</option>').format(kind, AXES[kind]) for kind in kinds)


def _kind(axis: str) -> str:
    """The name of an axis without its reading."""
    return axis.removesuffix(READINGS[0]).removesuffix(READINGS[1])


def _legend(report: ReportData, curves: Sequence[DrawnFigure]) -> Markup:
    """A box to tick for each method, in the order of the figures; the script counts them."""
    rows = curves[0].table.drop_duplicates("method").sort_values("style")
    return join(
        Markup('<label><input type="checkbox" data-method="{}" checked>{}</label>').format(
            number, named(_label(row), report.styles[row["method"]])
        )
        for number, row in enumerate(rows.to_dict("records"))
    )


def _label(row: dict[Any, Any]) -> str:
    counts = f" ({row['done']} of {row['planned']} done)" if row["done"] < row["planned"] else ""
    return f"{row['method']}{counts}"


def _drawn(report: ReportData, curves: Sequence[DrawnFigure], most_rows: int) -> dict[str, Any]:
    """What curves.js reads."""
    methods = curves[0].table.drop_duplicates("method").sort_values("style")["method"]
    return {
        "value": value_label(curves[0].table),
        "columns": list(curves[0].table),  # of the CSV that it saves
        "alike": [  # the axes that have two readings, which are the same
            kind
            for figure in curves
            for kind in dict.fromkeys(map(_kind, figure.table["axis"].unique()))
            if same_readings(figure.table, kind)
        ],
        "methods": [
            {
                "label": printable(label),
                "symbol": plotly_symbol(report.styles[label]),
                "dash": "solid" if report.styles[label].fill == "full" else "dash",
            }
            for label in methods
        ],
        "views": {
            str(axis): _view(figure, str(axis), list(methods), most_rows)
            for figure in curves
            for axis in figure.table["axis"].unique()
        },
    }


def _view(figure: DrawnFigure, axis: str, methods: list[str], most_rows: int) -> dict[str, Any]:
    """One axis: its scale, and the curve of each method, None where it has none.

    ``before`` and ``after`` have the columns of the CSV around those of the curve, by method.
    """
    table = figure.table[figure.table["axis"] == axis]
    drawn = figure.table.dropna(subset="x")
    rows = dict(tuple(thinned(table.dropna(subset="x"), most_rows).groupby("method")))
    first = table.drop_duplicates("method").set_index("method", drop=False).loc[methods]
    start = list(table).index("x")
    texts = [[str(value) for value in row] for row in first.itertuples(index=False)]
    return {
        "x": x_label(axis, table),
        "file": f"{figure.stem}.csv",
        "log": is_logarithmic(drawn),
        "limits": [] if drawn.empty else [round(limit, 5) for limit in value_limits(drawn)],
        "curves": [_curve(rows[method]) if method in rows else None for method in methods],
        "before": [row[:start] for row in texts],
        "after": [row[start + len(CURVE_COLUMNS) :] for row in texts],
    }


def _curve(rows: pd.DataFrame) -> dict[str, Any]:
    """A curve, with more digits than can be seen; its intervals up to the first that is missing.

    None comes after that: trials that still run only become fewer.
    """
    band = band_of(rows)
    known = rows[rows[band.low].notna().cummin()]
    columns = {"value": rows[band.value], "low": known[band.low], "high": known[band.high]}
    return {
        "x": [float(f"{x:.6g}") for x in rows["x"]],
        "n": [int(n) for n in rows["n"]],
        "marked": [place for place, marked in enumerate(rows["marker"]) if marked],
        **{name: [round(float(value), 5) for value in column] for name, column in columns.items()},
    }


def _caption(curves: Sequence[DrawnFigure]) -> str:
    """What is drawn, and which hours are not to be trusted; the first figure is of hours."""
    table = curves[0].table
    band, drawn = band_of(table), pd.concat([figure.table.dropna(subset="x") for figure in curves])
    shade = f"Band: {band.range}. "
    if len(drawn) and not band.is_known(drawn):
        shade = f"There is no {band.range}: {NEEDS}. "
    counts = table[table["axis"] == table["axis"].iloc[0]].drop_duplicates("method")
    planned = sorted(counts["planned"].unique())
    each = " to ".join(dict.fromkeys((str(planned[0]), str(planned[-1]))))
    n_trials, left_out = counts["planned"].sum(), counts["left_out"].sum()
    line = f"{band.line} over the {each} trials of a method of the"
    if each == "1":
        line, shade = "for the one trial of a method, the", ""
    text = (
        f"Line: {line} test metric of the point that was best in validation so far. {shade}"
        "Dotted: fewer trials count than before. A curve begins where all its trials have a "
        "point. Wall time: all that a trial and its "
        "retrainings did, one thing after another, with test scores, loading and checkpoints, but "
        "without the wait for a free worker"
    )
    lost = counts["lost_seconds"].sum()
    text += f" and the {lost:.0f} s that were wasted. " if lost >= 1 else ". "
    if contended := counts["contended"].sum():
        text += f"The hours of {contended} of {n_trials} trials are too long (a busy processor). "
    if left_out:
        text += f"The hours of {left_out} of {n_trials} trials are left out (a shared GPU). "
    return f"{text}Drag to zoom, double-click to go back; tick a method to show or hide it."


def _in_words(report: ReportData, task: str, table: pd.DataFrame) -> str:
    """The figure for those who cannot see it."""
    scores = report.scores
    scores = scores[scores["task"] == task].dropna(subset="test").sort_values("test")
    ends = ", ".join(f"{row['method']} {row['test']:.3f}" for _, row in scores[::-1].iterrows())
    value = " ".join(value_label(table).split())
    return f"Curves of {value} for {task}. The medians at their ends: {ends or 'none yet'}."


def _static(report: ReportData, figure: DrawnFigure) -> Markup:
    """The picture of the paper, which is also what is printed, and how to draw it again."""
    titles = {"ranges": "the range that layers learn", "wall": "along wall time"}
    title = titles.get(figure.name, f"along {figure.name}")
    drawn = picture(figure, f"{figure.task}, {title}: the same numbers as in {figure.stem}.csv")
    return details(
        f"For print, {title}: the picture, and the commands that draw it again",
        join([drawn, again(report, figure)]),
    )


def picture(figure: DrawnFigure, words: str) -> Markup:
    """A figure as it is in a paper, and a button that saves it; ``words`` say what it shows."""
    image = Markup('<img class="paper" alt="{}" data-svg="{}">').format(
        safe(words), pack(_DIGITS.sub(rb"\1", figure.svg))
    )
    save = Markup('<button type="button" data-action="svg" data-file="{}">save as SVG</button>')
    saves = paragraph(save.format(f"{figure.stem}.svg"), "saves")
    return Markup('<div class="picture">{}</div>').format(join([image, saves]))


def again(report: ReportData, figure: DrawnFigure) -> Markup:
    """The command that writes the table behind a figure, and the one that draws from it."""
    stem = figure.stem
    lines = f"# writes {stem}.csv, .svg and .png into its folder\n{report.command_line}"
    if draw := DRAWN_BY.get(figure.name):
        program = f"import pandas as p, augbench.analysis as a; t = p.read_csv('{stem}.csv'); "
        program += f"a.{draw}(t).savefig('{stem}.pdf')"
        saved = ", or from the one saved above" if figure.name in FIGURES else ""
        lines += f'\n# draws from that table{saved}\npython -c "{program}"'
    return code(lines, f"the commands that draw {stem} again")
