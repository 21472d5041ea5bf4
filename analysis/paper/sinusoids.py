"""Figures 5, B.1 and B.2: does AugNet select the frequency shift, and how far does it go?"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures.learned_curves import (
    LEGEND,
    LINE,
    OPERATIONS,
    Stroke,
    add_legend,
    draw_curves,
    draw_line,
    finish,
    seeds_of,
    strokes,
)
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.paper.claims import SHARE, Claim, judged, judged_share
from augbench.analysis.paper.intervals import median_estimate, share_estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run, Suites
from augbench.analysis.paper.trainings import training_table
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.learned import SELECTED, TRIAL, chosen_rows, final_rows, learned_table
from augbench.datasets.options.margins import of_sinusoids
from augbench.datasets.options.tasks import SinusoidsOptions

# The margin between the classes, which is half the band in the data too: 0.5 hertz.
HERTZ = of_sinusoids(SinusoidsOptions()).largest
STRONGEST = 2.0  # hertz: a shift of magnitude 1
NEAR = 0.1  # hertz from there that count as the same: a fifth of it
SHIFT = "frequency_shift"
# Of the losses of two operations, each alone: closer than this they are equally good. Set after the
# first runs: surrogate and noise, which do no harm at any magnitude, differed by less than .01 on
# 11 of 12 seeds, and the shift was worse than the better of them by .047 to .183.
EQUAL_LOSS = 0.02
ALONE = {
    SHIFT: "shift-alone",
    "ft_surrogate": "surrogate-alone",
    "gaussian_noise": "noise-alone",
}
SETTINGS: Suites = {"small": ("fig5_small",), "paper": ("fig5_paper",)}
LOSS_STROKES = strokes("augnet", "augnet") | strokes("none", "none")
SELECTS = LOSS_STROKES["augnet"]
SELECTS_ANOTHER = Stroke("#777777", ":", "x")
OFFICIAL_SHARE = "it does, for one seed (the official code: 3 of 12, 2 of 6 in another run)"


def operation_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Weights and magnitudes of all arms after each epoch."""
    return learned_table(load(runs[0].path))


def draw_shifts(table: pd.DataFrame) -> Figure:
    """Figure 5: the learned shift against the epoch; in the layer of three, and alone."""
    titles = {"augnet": "a layer of three, as in the paper", "shift-alone": "the shift alone"}
    with plot_settings():
        figure = Figure(figsize=(9.4, 3.7), layout="constrained")
        for panel, (label, title) in zip(
            figure.subplots(1, 2, sharey=True), titles.items(), strict=True
        ):
            rows = table[(table["method"] == label) & (table["transform"] == SHIFT)]
            selecting = _selecting(table, label, SHIFT)
            others = set(map(tuple, rows[TRIAL].to_numpy())) - selecting
            for trials, stroke in ((selecting, SELECTS), (others, SELECTS_ANOTHER)):
                draw_curves(panel, _of_trials(rows, trials), "value", stroke)
            draw_line(panel, HERTZ)
            finish(panel, f"{title}, {seeds_of(rows)}", y="learned shift, hertz to either side")
        figure.axes[0].set_ylim(bottom=0)  # once all is drawn: it ends the automatic scaling
        kinds = {"selects the shift": SELECTS, "selects another": SELECTS_ANOTHER}
        add_legend(figure, kinds | {"band = margin: 0.5 Hz": LINE}, f"AugNet,\n{LEGEND}")
    return figure


def _selecting(table: pd.DataFrame, label: str, name: str) -> set[tuple[object, ...]]:
    """The trials of an arm whose operation of the largest weight, in the last epoch so far, is it.

    The four numbers of a trial are those of ``TRIAL``.
    """
    rows = table[table["method"] == label]
    last = rows[rows["step"] == rows.groupby(TRIAL)["step"].transform("max")].reset_index(drop=True)
    chosen = last.loc[last.groupby(TRIAL)["weight"].idxmax()]
    return set(map(tuple, chosen.loc[chosen["transform"] == name, TRIAL].to_numpy()))


def _of_trials(rows: pd.DataFrame, trials: set[tuple[object, ...]]) -> pd.DataFrame:
    which = [tuple(key) in trials for key in rows[TRIAL].to_numpy()]
    return rows.loc[pd.Series(which, rows.index, dtype=bool)]


def shift_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 5, and what its objective prefers."""
    chosen = chosen_rows(table)
    own = chosen[chosen["method"] == "augnet"]
    selects = share_estimate(int((own["transform"] == SHIFT).sum()), len(own))
    learned = median_estimate(own.loc[own["transform"] == SHIFT, "value"])
    alone = median_estimate(chosen.loc[chosen["method"] == "shift-alone", "value"])
    claims = [
        Claim(
            "AugNet selects the frequency shift",
            OFFICIAL_SHARE,
            selects,
            SHARE,
            judged_share(selects),
        ),
        Claim(
            "Its shift in the seeds that do",
            "0.5 hertz",
            learned,
            "hertz",
            judged(learned, HERTZ - NEAR, HERTZ + NEAR),
        ),
        Claim(
            "The shift that a layer of the shift alone learns",
            "0.5 hertz",
            alone,
            "hertz",
            judged(alone, HERTZ - NEAR, HERTZ + NEAR),
        ),
    ]
    return [*claims, *_objective_claims(table, chosen)]


def _objective_claims(table: pd.DataFrame, chosen: pd.DataFrame) -> list[Claim]:
    """Which operation the objective prefers: the one whose loss, alone in a layer, is lowest."""
    final = final_rows(table)
    losses = pd.DataFrame(
        {
            name: final[final["method"] == label].groupby(["fold", "seed"])["loss"].first()
            for name, label in ALONE.items()
        }
    ).dropna()
    best = losses.min(axis=1)
    prefers = share_estimate(int((losses[SHIFT] <= best).sum()), len(losses))
    claims = [
        Claim(
            "The objective prefers the shift: alone in a layer it has the lowest loss",
            "yes: the highest admissible magnitude wins (section 3.4)",
            prefers,
            SHARE,
            judged_share(prefers),
            "surrogate and noise do no harm at magnitude 1, the shift does above 0.25",
        )
    ]
    for label, name in (("augnet", "The paper's layer"), ("patient", "A late choice")):
        own = chosen[chosen["method"] == label].set_index(["fold", "seed"])["transform"]
        both = [key for key in own.index if key in losses.index]
        agree = [losses.loc[key, own[key]] <= best[key] + EQUAL_LOSS for key in both]
        share = share_estimate(sum(agree), len(agree))
        claims.append(
            Claim(
                f"{name} selects what the objective prefers (within {EQUAL_LOSS} of its loss)",
                "yes (section 3.4)",
                share,
                SHARE,
                judged_share(share),
            )
        )
    return claims


def draw_operations(table: pd.DataFrame) -> Figure:
    """Figure B.1: weights and magnitudes of the paper's layer; seeds by what they select."""
    rows = table[table["method"] == "augnet"]
    n_seeds = len(rows.drop_duplicates(TRIAL))
    with plot_settings():
        figure = Figure(figsize=(9.4, 7.4), layout="constrained")
        grid = figure.subplots(len(ALONE), 2, sharex=True, sharey=True)
        for panels, chosen in zip(grid, ALONE, strict=True):
            group = _of_trials(rows, _selecting(table, "augnet", chosen))
            n = len(group.drop_duplicates(TRIAL))
            for panel, column in zip(panels, ("weight", "magnitude"), strict=True):
                for name in reversed(list(ALONE)):
                    curve = group[group["transform"] == name]
                    draw_curves(panel, curve, column, OPERATIONS[name])
                below = "epoch" if chosen == list(ALONE)[-1] else ""
                finish(panel, f"{n} of {n_seeds} seeds select {chosen}", x=below, y=column)
                panel.set_ylim(-0.02, 1.02)
            draw_line(panels[1], HERTZ / STRONGEST)
        operations = {name: OPERATIONS[name] for name in ALONE}
        add_legend(figure, operations | {"0.5 Hz for the shift": LINE}, LEGEND)
    return figure


def operation_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure B.1."""
    final = final_rows(table)
    own = final[(final["method"] == "augnet") & (final["transform"] == SHIFT)]
    keeps = share_estimate(int((own["weight"] >= SELECTED).sum()), len(own))
    return [
        Claim(
            f"The shift ends with a weight of {SELECTED} or more in the paper's layer",
            "it does: the others are quickly dropped",
            keeps,
            SHARE,
            judged_share(keeps),
        )
    ]


def loss_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Loss and accuracies of AugNet and of the trunk alone after each epoch."""
    table = training_table(runs[0].path)
    return table[table["method"].isin(("augnet", "none"))].reset_index(drop=True)


def draw_losses(table: pd.DataFrame) -> Figure:
    """Figure B.2: training loss, and accuracy on training and test data, against the epoch."""
    panels = {
        "loss": ("training loss, penalty included", "loss"),
        "train_accuracy": ("accuracy on augmented training data", "accuracy"),
        "test": ("test accuracy", "accuracy"),
    }
    with plot_settings():
        figure = Figure(figsize=(11.5, 3.5), layout="constrained")
        for panel, (column, (title, y)) in zip(figure.subplots(1, 3), panels.items(), strict=True):
            for label in ("none", "augnet"):
                rows = table[table["method"] == label].dropna(subset=column)
                draw_curves(panel, rows, column, LOSS_STROKES[label])
            finish(panel, title, y=y)
        add_legend(figure, LOSS_STROKES, f"{seeds_of(table)},\n{LEGEND}")
    return figure


def loss_claims(table: pd.DataFrame) -> list[Claim]:
    """What figure B.2 shows; the text of the paper gives no number."""
    final = final_rows(table)

    def accuracy(label: str, note: str) -> Claim:
        got = median_estimate(final.loc[final["method"] == label, "test"])
        return Claim(f"Final test accuracy of {label}", "no number", got, "", None, note)

    return [
        accuracy("augnet", ""),
        accuracy("none", "as good without any augmentation: accuracy says nothing on this task"),
    ]


FIGURE_5 = PaperFigure(
    shows="the shift that is learned on the sinusoids",
    suites=SETTINGS,
    table=operation_table,
    draw=draw_shifts,
    claims=shift_claims,
)
FIGURE_B1 = PaperFigure(
    shows="weights and magnitudes on the sinusoids",
    suites=SETTINGS,
    table=operation_table,
    draw=draw_operations,
    claims=operation_claims,
)
FIGURE_B2 = PaperFigure(
    shows="loss and accuracy on the sinusoids",
    suites=SETTINGS,
    table=loss_table,
    draw=draw_losses,
    claims=loss_claims,
)
