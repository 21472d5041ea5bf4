"""Figure 6: how invariant and how accurate are small networks, trained in three ways?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from augbench.analysis.figures.learned_curves import add_legend, seed_words, strokes
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.paper.claims import ABOVE_0, Claim, judged
from augbench.analysis.paper.intervals import Estimate, median_estimate
from augbench.analysis.paper.invariance import invariances
from augbench.analysis.paper.paper_figure import PaperFigure, Run
from augbench.analysis.paper.trained_models import Trained, trained_models
from augbench.datasets.task import Split
from augbench.datasets.trunks import TRUNKS
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.training.training import score_predictions
from augbench.methods.transforms.transform import Transform

CAPACITY_TABLE = (
    *("task", "neurons", "layers", "parameters", "arm", "fold", "seed"),
    *("invariance", "accuracy"),
)
HERTZ = 0.5  # the largest shift to either side, of the oracle and of equation 4
PERFECT = 0.95  # an invariance that is "almost perfect": our limit
N_COPIES = (1, 4, 10)
BAND = 0.75  # the level of the intervals; the paper's are over the test set, ours over seeds
AVERAGED = "oracle, averaged over 10"  # the control that the paper lacks
# The arms, in the order of the legend: variants of a method have its colour.
ARMS = {
    **strokes("augnet", *(f"augnet, C = {n}" for n in reversed(N_COPIES))),
    **strokes("fixed", "oracle", AVERAGED),
    **strokes("none", "none"),
}


def capacity_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Invariance (median over the test set) and test accuracy of each trial and arm.

    A model is that of a trial's best epoch by validation; the paper has the last epoch.
    """
    rows = [row for trained in trained_models(runs[0]) for row in _rows(trained)]
    return pd.DataFrame(rows, columns=list(CAPACITY_TABLE))


def _rows(trained: Trained) -> Iterator[dict[str, Any]]:
    planned, model, job = trained
    widths = TRUNKS[job.task.trunk].sizes["widths"]
    trunk = model.trunk if isinstance(model, AveragedModel) else model
    assert isinstance(trunk, nn.Module)
    identity = {
        "task": planned.task,
        "neurons": widths[0],
        "layers": len(widths),
        "parameters": sum(each.numel() for each in trunk.parameters()),
        "fold": planned.spec.fold,
        "seed": planned.spec.seed,
    }
    shift = job.setup.bank["frequency_shift"]
    for arm, each in _arms(planned.method, model, shift).items():
        yield identity | {"arm": arm} | _measures(each, job.test, shift)


def _arms(label: str, model: nn.Module, shift: Transform) -> Mapping[str, AveragedModel]:
    """The models that one training gives: with other numbers of copies, or averaged after all."""
    if isinstance(model, AveragedModel):
        return {
            f"{label}, C = {n}": _averaged(list(model.layers), model.trunk, n) for n in N_COPIES
        }
    arms = {label: _averaged([], model, 1)}
    if label == "oracle":
        layer = AugmentationLayer([shift], initial_magnitude=HERTZ / shift.strongest)
        arms[AVERAGED] = _averaged([layer], model, max(N_COPIES))
    return arms


def _averaged(layers: Sequence[nn.Module], trunk: nn.Module, n_copies: int) -> AveragedModel:
    averaged = AveragedModel(layers, trunk, n_copies_test=n_copies)
    averaged.eval()
    return averaged


@torch.no_grad()
def _measures(model: AveragedModel, test: Split, shift: Transform) -> dict[str, float]:
    generator = Generator().manual_seed(0)  # the same noise for every model
    magnitude = torch.full((len(test.x),), HERTZ / shift.strongest)
    moved = shift.apply(test.x, magnitude, shift.draw(test.x, generator))
    outputs: Tensor = model(test.x, generator)
    invariance = invariances(outputs, model(moved, generator), generator)
    accuracy = score_predictions(
        outputs.argmax(1), test.y, metric="accuracy", n_classes=outputs.shape[1]
    )
    return {"invariance": float(invariance.median()), "accuracy": accuracy}


def draw_capacity(table: pd.DataFrame) -> Figure:
    """Figure 6: invariance above, accuracy below; sizes from left to right."""
    sizes = table[["task", "neurons", "layers", "parameters"]].drop_duplicates()
    sizes = sizes.sort_values(["parameters"], ignore_index=True)
    with plot_settings():
        figure = Figure(figsize=(8.8, 6.0), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True)
        for panel, column in ((top, "invariance"), (bottom, "accuracy")):
            _draw_panel(panel, table, sizes, column)
        top.set_title(f"invariance to shifts of up to {HERTZ} Hz, equation 4", loc="left")
        bottom.set_title("test accuracy", loc="left")
        bottom.set_xticks(range(len(sizes)), [_size(row) for _, row in sizes.iterrows()])
        seeds = seed_words(table.groupby(["task", "arm"]).size())
        add_legend(figure, ARMS, f"median of {seeds},\nbar: {BAND:.0%} interval")
    return figure


def _size(row: "pd.Series[Any]") -> str:
    layers = "1 layer" if row["layers"] == 1 else f"{row['layers']} layers"
    return f"{layers} of {row['neurons']}\n{row['parameters']} parameters"


def _draw_panel(panel: Axes, table: pd.DataFrame, sizes: pd.DataFrame, column: str) -> None:
    for place, (arm, stroke) in enumerate(ARMS.items()):
        own = table[table["arm"] == arm]
        got = [
            median_estimate(own.loc[own["task"] == task, column], BAND) for task in sizes["task"]
        ]
        below, above = zip(*((e.value - e.low, e.high - e.value) for e in got), strict=True)
        panel.errorbar(
            [i + 0.1 * (place - (len(ARMS) - 1) / 2) for i in range(len(got))],
            [each.value for each in got],
            yerr=[below, above],
            color=stroke.colour,
            marker=stroke.symbol,
            markersize=6.5,
            markerfacecolor="white" if stroke.hollow else stroke.colour,
            linestyle=stroke.dashes,
            linewidth=0.9,
            elinewidth=1.4,
        )
    panel.set_ylabel(column)
    sns.despine(ax=panel)


def capacity_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 6, and what its missing control says."""
    sizes = table.sort_values("parameters")["task"].unique()
    if not len(sizes):
        return []
    smallest, largest = sizes[0], sizes[-1]
    c10 = f"augnet, C = {max(N_COPIES)}"
    lowest = min(
        (median_estimate(_values(table, task, c10)) for task in sizes), key=lambda each: each.value
    )
    above = _difference(table, (smallest, c10), (smallest, "oracle"), "invariance")
    grows = _difference(table, (largest, "oracle"), (smallest, "oracle"), "invariance")
    control = _difference(table, (smallest, c10), (smallest, AVERAGED), "invariance")
    gain = _difference(table, (smallest, c10), (largest, "oracle"), "accuracy")
    return [
        Claim(
            "AugNet's invariance (C = 10) at the size where it is lowest",
            "almost perfect at every size",
            lowest,
            "",
            judged(lowest, PERFECT),
            f"it holds from {PERFECT} on",
        ),
        Claim(
            "Smallest network: invariance of AugNet minus that of the oracle's training",
            "above 0",
            above,
            "",
            judged(above, ABOVE_0),
        ),
        Claim(
            "Oracle's training: invariance of the largest network minus that of the smallest",
            "above 0: limited by what the network can express",
            grows,
            "",
            judged(grows, ABOVE_0),
        ),
        Claim(
            "Smallest network: invariance of AugNet minus that of the oracle's network with the "
            "same averaging in the test",
            "no such control",
            control,
            "",
            None,
            "0 or below: the averaging makes the invariance, not the training",
        ),
        Claim(
            "Accuracy of AugNet with the smallest network minus the oracle's with the largest",
            "above 0 with 3 times fewer parameters",
            gain,
            "",
            judged(gain, ABOVE_0),
            "the parameters are 2 times fewer at most",
        ),
    ]


def _values(
    table: pd.DataFrame, task: str, arm: str, column: str = "invariance"
) -> "pd.Series[Any]":
    own = table[(table["task"] == task) & (table["arm"] == arm)]
    return own.set_index(["fold", "seed"])[column]


def _difference(
    table: pd.DataFrame, first: tuple[str, str], second: tuple[str, str], column: str
) -> Estimate:
    """The median difference between two arms, seed by seed."""
    pairs = _values(table, *first, column) - _values(table, *second, column)
    return median_estimate(pairs.dropna())


FIGURE_6 = PaperFigure(
    shows="invariance and accuracy of small networks on the sinusoids",
    suites={"small": ("fig6_small",), "paper": ("fig6_paper",)},
    table=capacity_table,
    draw=draw_capacity,
    claims=capacity_claims,
)
