"""The layers of a task, epoch by epoch: weights, and magnitudes in the units of the operations."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from augbench.analysis.figures.accuracy_labels import TITLE_WIDTH
from augbench.analysis.figures.learned_curves import Stroke, add_legend, seeds_of
from augbench.analysis.figures.settings import plot_settings, top_title
from augbench.analysis.text import shorten

NAMED_FROM = 0.1  # the weight that an operation reaches at some epoch of some trial, to be named
MOST_NAMED = 8  # of a layer: those that reach most
DRAWN_FROM = 0.5  # the weight that an operation reaches, for its magnitude to be drawn
MOST_UNITS = 3  # panels of magnitudes for a layer
MOST_LAYERS = 12  # rows of the figure
# Characters over a row of panels, beside a panel, and over it.
TITLE_LETTERS, UNIT_LETTERS, NAME_LETTERS = 40, 24, 30
SIDES = {"share of the width": "share of the side", "share of the height": "share of the side"}
PANEL = (2.1, 1.5)  # inches, and the room around a panel, and that of the legend
ROOM = (0.7, 0.65)
LEGEND_INCHES = 2.4
# Of the operations that are named: Paul Tol's "bright" scheme (2021), and two more; then dashes.
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#000000", "#8c510a")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
FAINT = Stroke("0.75", width=1.0)  # of the operations that are not named
LINES = "thick: median\nthin: each trial\n"  # where there are several
MARKER = "marker: the epoch of best\nvalidation, reported"


class _Layer(NamedTuple):
    """A layer of a method, all of its trials."""

    title: str
    steps: NDArray[np.float64]  # (steps,)
    weights: dict[str, NDArray[np.float64]]  # by operation: (steps, trials), NaN where not reached
    values: dict[str, NDArray[np.float64]]  # likewise
    units: dict[str, str]
    chosen: NDArray[np.bool_]  # (steps, trials)

    @property
    def peaks(self) -> "pd.Series[float]":
        """By operation the largest weight at any epoch of any trial."""
        return pd.Series({name: np.nanmax(each) for name, each in self.weights.items()})

    @property
    def named(self) -> list[str]:
        """The operations that have a name in the figure, as the layer has them."""
        peaks = self.peaks
        largest = peaks[peaks >= NAMED_FROM].nlargest(MOST_NAMED).index
        return [name for name in self.weights if name in largest]

    @property
    def drawn(self) -> dict[str, list[str]]:
        """The operations whose magnitudes are drawn, by unit: that of the largest weight first."""
        peaks = self.peaks[self.named].sort_values(ascending=False, kind="stable")
        found: dict[str, list[str]] = {}
        for name, peak in peaks.items():
            if peak >= min(DRAWN_FROM, peaks.max()):
                unit = self.units[str(name)]
                found.setdefault(SIDES.get(unit, unit), []).append(str(name))
        return dict(list(found.items())[:MOST_UNITS])


def layer_figure(table: pd.DataFrame) -> Figure:
    """A ``layer_table`` with rows: a row of panels for each layer of each method.

    On the left the weights of all operations; those that reach ``NAMED_FROM`` in any trial have a
    colour and a name, at most ``MOST_NAMED`` of a layer. Beside them the magnitudes of those that
    reach ``DRAWN_FROM``, or of the largest, in a panel for each unit, at most ``MOST_UNITS``; both
    sides of an image share one. A marker is the epoch of a trial that is reported. Layers beyond
    ``MOST_LAYERS`` are in the table alone.
    """
    groups = [rows for _, rows in table.groupby(["method", "layer"], sort=False)]
    layers = [_layer(rows) for rows in groups[:MOST_LAYERS]]
    strokes = operation_strokes(dict.fromkeys(n for layer in layers for n in layer.named))
    n_columns = 1 + max(len(layer.drawn) for layer in layers)
    with plot_settings():
        figure, grid = _grid(len(layers), n_columns)
        for panels, layer in zip(grid, layers, strict=True):
            _draw_layer(list(panels), layer, {name: strokes[name] for name in layer.named})
        top_title(figure, _title(table, len(groups)))
        has_faint = any(len(layer.named) < len(layer.weights) for layer in layers)
        faint = {f"others, below {NAMED_FROM:g}": FAINT} if has_faint else {}
        several = any(own.shape[1] > 1 for layer in layers for own in layer.weights.values())
        add_legend(figure, {**strokes, **faint}, LINES * several + MARKER)
    return figure


def operation_strokes(names: Iterable[str]) -> dict[str, Stroke]:
    """A stroke for each operation: colours first, so that few operations need no dashes."""
    looks = cycle((colour, dashes) for dashes in DASHES for colour in COLOURS)
    return {name: Stroke(*look, width=1.8) for name, look in zip(names, looks, strict=False)}


def _grid(n_rows: int, n_columns: int) -> tuple[Figure, NDArray[Any]]:
    """Panels of fixed sizes, which are laid out in no time."""
    width = n_columns * (PANEL[0] + ROOM[0]) + LEGEND_INCHES
    height = n_rows * (PANEL[1] + ROOM[1]) + 0.6
    height = max(height, 3.4)  # of the legend
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    figure.subplots_adjust(
        left=ROOM[0] / width,
        right=1 - (LEGEND_INCHES + 0.1) / width,
        top=1 - 0.7 / height,
        bottom=0.5 / height,
        wspace=ROOM[0] / PANEL[0],
        hspace=ROOM[1] / PANEL[1],
    )
    return figure, grid


def _layer(rows: pd.DataFrame) -> _Layer:
    names = [str(name) for name in rows["transform"].unique()]
    trial = ["fold", "seed"]
    chosen = rows.groupby(["step", *trial])["chosen"].any().unstack(trial, fill_value=False)

    def by_operation(column: str) -> dict[str, NDArray[np.float64]]:
        wide = rows.pivot(index="step", columns=["transform", *trial], values=column)
        # An operation may be missing in some trials, whose numbers were not finite.
        parts = {name: pd.DataFrame(wide[name]) for name in names}
        return {
            name: part.reindex(index=chosen.index, columns=chosen.columns).to_numpy(np.float64)
            for name, part in parts.items()
        }

    method = shorten(str(rows["method"].iloc[0]), TITLE_LETTERS - 10)
    return _Layer(
        f"{method}, layer {rows['layer'].iloc[0]}",
        chosen.index.to_numpy(dtype=np.float64),
        by_operation("weight"),
        by_operation("value"),
        {name: str(rows.loc[rows["transform"] == name, "unit"].iloc[0]) for name in names},
        chosen.to_numpy(dtype=np.bool_),
    )


def _draw_layer(panels: list[Axes], layer: _Layer, strokes: dict[str, Stroke]) -> None:
    first, *others = panels
    faint = [each for name, each in layer.weights.items() if name not in strokes]
    if faint:
        _draw_trials(first, layer.steps, np.hstack(faint), FAINT)
    for name, stroke in strokes.items():
        _draw(first, layer, layer.weights[name], stroke)
    _finish(first, layer.title, "weight")
    first.set_ylim(-0.04, 1.04)
    for panel, (unit, names) in zip(others, layer.drawn.items(), strict=False):
        for name in names:
            _draw(panel, layer, layer.values[name], strokes[name])
        _finish(panel, "", shorten(unit, UNIT_LETTERS))
        panel.set_title(shorten(", ".join(names), NAME_LETTERS), loc="right", fontsize=8)
        panel.set_ylim(bottom=0)
    for panel in others[len(layer.drawn) :]:
        panel.remove()


def _draw(panel: Axes, layer: _Layer, values: NDArray[np.float64], stroke: Stroke) -> None:
    """One operation: trials, the median of those that are as far as any, the epochs reported."""
    if values.shape[1] > 1:
        _draw_trials(panel, layer.steps, values, stroke)
    furthest = values[:, np.isfinite(values[-1])]
    if furthest.size:
        thick: dict[str, Any] = {"linewidth": stroke.width, "linestyle": stroke.dashes}
        panel.plot(layer.steps, np.median(furthest, axis=1), color=stroke.colour, zorder=3, **thick)
    step, trial = np.nonzero(layer.chosen)
    marker: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 5, "zorder": 4}
    edge: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.7}
    panel.plot(layer.steps[step], values[step, trial], color=stroke.colour, **marker, **edge)


def _draw_trials(
    panel: Axes, steps: NDArray[np.float64], values: NDArray[np.float64], stroke: Stroke
) -> None:
    """Thin lines, as one that is broken between trials: (steps,), (steps, trials)."""
    gap = np.full((1, values.shape[1]), np.nan)
    y = np.vstack([values, gap]).T.ravel()
    x = np.tile(np.append(steps, np.nan), values.shape[1])
    look: dict[str, Any] = {"color": stroke.colour, "linestyle": stroke.dashes}
    panel.plot(x, y, linewidth=0.9, alpha=0.55, zorder=2, **look)


def _finish(panel: Axes, title: str, label: str) -> None:
    panel.set_title(title, loc="left")
    panel.set_ylabel(label, fontsize=9)
    panel.set_xlabel("epoch", fontsize=9)
    panel.set_xlim(left=0)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    panel.spines[["top", "right"]].set_visible(False)


def _title(table: pd.DataFrame, n_layers: int) -> str:
    task = shorten(str(table["task"].iloc[0]), TITLE_WIDTH)
    title = f"{task}: weights and magnitudes of layers, {seeds_of(table).replace('seed', 'trial')}"
    return f"{title}, {MOST_LAYERS} of {n_layers} layers" if n_layers > MOST_LAYERS else title
