"""Figures 7 and B.4: accuracy on CIFAR-10 along the epochs, and what lambda and C do to it."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from augbench.analysis.figures.learned_curves import (
    LEGEND,
    Stroke,
    add_legend,
    draw_curves,
    finish,
    seeds_of,
    strokes,
)
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.paper.claims import ABOVE_0, Claim, judged
from augbench.analysis.paper.intervals import Estimate, median_estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run, Suites
from augbench.analysis.paper.trained_models import Trained, trained_models
from augbench.analysis.paper.trainings import training_table
from augbench.analysis.tables.curves import best_so_far
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.learned import TRIAL, final_rows
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.open_run import open_run
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.training.training import score

LAYERS = ("augnet-3", "augnet-2", "augnet-1")
# The labels of the suites, in the order of the legend; all of AugNet have its colour.
ARMS = (*LAYERS, "augerino", "none", "fixed")
ONE_LAYER = "augnet-1"  # whose lambda and C are varied; other lambdas have labels that begin so
N_COPIES = (1, 2, 4, 8)
PANELS = ("epochs", "lambda", "copies")
CURVE_TABLE = (*TRIAL, "panel", "step", "value")
SETTINGS: Suites = {"small": ("fig7_small",), "paper": ("fig7_paper",)}
EQUAL = 0.01  # accuracies that differ by up to a point in a hundred are the same; our limit
NEAR_1 = 0.95  # a training accuracy that is "close to 100%"; our limit
STROKES = {
    **strokes("augnet", *LAYERS),
    **{name: stroke for each in ARMS[3:] for name, stroke in strokes(each, each).items()},
}


def curve_table(runs: Sequence[Run]) -> pd.DataFrame:
    """``CURVE_TABLE``: in the panel "epochs" the test accuracy at the best validation so far.

    In the panels "lambda" and "copies" ``step`` is lambda or C, and ``value`` the test accuracy at
    the end; of the model of the best epoch where C is varied, since training does not know it.
    """
    best = best_so_far(load(runs[0].path).points, "step")
    best = best.rename(columns={"x": "step", "test": "value"})
    parts = [best.assign(panel="epochs")]
    penalties = _penalties(runs[0])
    varied = final_rows(best[best["method"].isin(penalties)])
    parts.append(varied.assign(panel="lambda", step=varied["method"].map(penalties)))
    parts.append(pd.DataFrame(_copies(runs[0]), columns=list(CURVE_TABLE)))
    filled = [part[list(CURVE_TABLE)] for part in parts if len(part)]
    return pd.concat(filled or parts, ignore_index=True)[list(CURVE_TABLE)]


def _penalties(run: Run) -> dict[str, float]:
    """Lambda of AugNet with one layer, by the labels that vary it."""
    return {
        planned.method: float(planned.spec.options["penalty"])
        for planned in open_run(run.path)[1].plan
        if planned.spec.method == "augnet" and planned.method.startswith(ONE_LAYER)
    }


def _copies(run: Run) -> list[dict[str, object]]:
    return [
        {
            "task": trained.planned.task,
            "method": ONE_LAYER,
            "fold": trained.planned.spec.fold,
            "seed": trained.planned.spec.seed,
            "panel": "copies",
            "step": n_copies,
            "value": _score(trained, n_copies),
        }
        for trained in trained_models(run, label=ONE_LAYER)
        for n_copies in N_COPIES
    ]


def _score(trained: Trained, n_copies: int) -> float:
    model, job = trained.model, trained.job
    assert isinstance(model, AveragedModel)
    model.n_copies_test = n_copies
    ledger = Ledger(torch.device("cpu"))  # nobody is charged
    with ledger.phase("evaluate"):
        return score(
            model,
            job.test,
            metric=job.task.metric,
            n_classes=job.task.n_classes,
            seed=job.setup.seeds.integer("score"),
            meter=ledger,
        )


def draw_accuracy(table: pd.DataFrame) -> Figure:
    """Figure 7 on the left; on the right what lambda and C do to AugNet with one layer."""
    of = {name: table[table["panel"] == name] for name in PANELS}
    with plot_settings():
        figure = Figure(figsize=(12.2, 3.8), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=(2.2, 1, 1))
        for label in ARMS:
            rows = of["epochs"][of["epochs"]["method"] == label]
            draw_curves(left, rows, "value", STROKES[label])
        shown = of["epochs"][of["epochs"]["method"].isin(ARMS)]
        finish(left, f"CIFAR-10, {seeds_of(shown)}", y="test accuracy at best validation so far")
        for panel, name, x in ((middle, "lambda", "λ"), (right, "copies", "copies C in the test")):
            _draw_choice(panel, of[name], x, STROKES[ONE_LAYER])
        _add_legend(figure, shown)
    return figure


def _add_legend(figure: Figure, table: pd.DataFrame) -> None:
    present = [label for label in ARMS if label in set(table["method"])]
    add_legend(figure, {label: STROKES[label] for label in present}, LEGEND)


def _draw_choice(panel: Axes, rows: pd.DataFrame, x: str, stroke: Stroke) -> None:
    """The accuracy against the values of a choice, equally far apart."""
    values = sorted(rows["step"].unique())
    places = rows.assign(method=ONE_LAYER, step=rows["step"].map(values.index))
    draw_curves(panel, places, "value", stroke)
    finish(panel, f"{ONE_LAYER}: {x}", x=x, y="test accuracy")
    panel.set_xlim(-0.3, max(len(values) - 0.7, 0.3))
    panel.set_xticks(range(len(values)), [f"{value:g}" for value in values])


def accuracy_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 7."""
    curves = table[table["panel"] == "epochs"]
    final = final_rows(curves)

    def gain(label: str, over: str, paper: str, *, equal: bool = False) -> Claim:
        got = _difference(final, label, over)
        verdict = judged(got, -EQUAL, EQUAL) if equal else judged(got, ABOVE_0)
        return Claim(f"Final test accuracy: {label} minus {over}", paper, got, "", verdict)

    sooner = _sooner(curves)
    return [
        gain("augerino", "none", "above 0: considerable"),
        gain("augnet-1", "none", "above 0: considerable"),
        gain("augnet-2", "augnet-1", "0: a second layer does not help", equal=True),
        gain("augnet-3", "augnet-1", "above 0: three layers are best"),
        gain("augnet-3", "fixed", "0: they reach the same", equal=True),
        Claim(
            "Epochs of augnet-3 to the final accuracy of none, as a share of those of none",
            "0.2: 5 times fewer than the baselines to 80 %",
            sooner,
            "",
            judged(sooner, high=0.2),
        ),
    ]


def _difference(final: pd.DataFrame, label: str, over: str) -> Estimate:
    """The median difference in final accuracy, seed by seed."""
    value = final.set_index(["method", "fold", "seed"])["value"]
    methods = value.index.get_level_values(0)
    if not {label, over} <= set(methods):
        return median_estimate([])
    return median_estimate((value.loc[label] - value.loc[over]).dropna())


def _sooner(curves: pd.DataFrame) -> Estimate:
    """Epochs until three layers are first as good as the trunk alone ends, as a share of its own.

    Seed by seed, of finished trials; infinite if they never are.
    """
    last = curves["step"].max()
    pairs = curves[curves["method"].isin(("augnet-3", "none"))]
    shares = []
    for _, pair in pairs.groupby(["fold", "seed"]):
        own, other = (pair[pair["method"] == name] for name in ("augnet-3", "none"))
        if own["step"].max() == last == other["step"].max():
            end = other.loc[other["step"] == last, "value"].iloc[0]
            first = [rows.loc[rows["value"] >= end, "step"].min() for rows in (own, other)]
            shares.append(float("inf") if isnan(first[0]) else first[0] / first[1])
    return median_estimate(shares)


def training_curves(runs: Sequence[Run]) -> pd.DataFrame:
    """Training accuracy after each epoch, of augmented samples."""
    table = training_table(runs[0].path)
    return table[table["method"].isin(ARMS)].reset_index(drop=True)


def draw_training(table: pd.DataFrame) -> Figure:
    """Figure B.4: training accuracy against the epoch."""
    with plot_settings():
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        panel = figure.subplots()
        for label in ARMS:
            rows = table[table["method"] == label].dropna(subset="train_accuracy")
            draw_curves(panel, rows, "train_accuracy", STROKES[label])
        finish(panel, f"CIFAR-10, {seeds_of(table)}", y="training accuracy, augmented samples")
        _add_legend(figure, table)
    return figure


def training_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure B.4."""
    early = table[table["step"] <= 10]
    first = final_rows(early).set_index("method")["train_accuracy"]

    def after(label: str, paper: str, least: float | None) -> Claim:
        got = median_estimate(first.loc[first.index == label].dropna())
        holds = None if least is None else judged(got, least)
        return Claim(f"Training accuracy of {label} after 10 epochs", paper, got, "", holds)

    return [
        after("augnet-1", "near 1 after a few epochs", NEAR_1),
        after("augnet-3", "near 1 after a few epochs", NEAR_1),
        after("none", "lower", None),
    ]


FIGURE_7 = PaperFigure(
    shows="accuracy on CIFAR-10",
    suites=SETTINGS,
    table=curve_table,
    draw=draw_accuracy,
    claims=accuracy_claims,
)
FIGURE_B4 = PaperFigure(
    shows="training accuracy on CIFAR-10",
    suites=SETTINGS,
    table=training_curves,
    draw=draw_training,
    claims=training_claims,
)
