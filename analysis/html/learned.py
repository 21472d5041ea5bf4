"""What was learned: the operations of augmentation layers, and the shares in policies."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from augbench.analysis.html.curves import again, picture
from augbench.analysis.html.elements import (
    Cell,
    Section,
    bullets,
    details,
    heading,
    join,
    paragraph,
    table,
)
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.tables.agreement import STARTS_UNIFORM, agreement_table
from augbench.analysis.tables.learned import SELECTED
from augbench.analysis.tables.rest import TOLERANCE, rest_table
from augbench.datasets.errors import counted

CHANCE = 0.05  # above it a difference or an agreement counts as one by chance
TRIAL = ["task", "method", "fold", "seed"]


def learned_section(report: ReportData) -> Section | None:
    """Layers, then policies; nothing if no method of the run learns any."""
    parts = [*_layers(report), *_policies(report)]
    return Section("learned", "What was learned", join(parts)) if parts else None


def _layers(report: ReportData) -> list[Markup]:
    learned = report.results.learned
    if learned.empty:
        return []
    last = learned[learned["step"] == learned.groupby("trial")["step"].transform("max")]
    rows = []
    for keys, group in last.groupby(["task", "method", "layer", "transform", "unit"]):
        task, method, layer, transform, unit = map(str, keys)
        times = int((group["weight"] >= SELECTED).sum())
        weight, values = float(group["weight"].median()), group["value"]
        median, low, high = values.median(), values.min(), values.max()
        span = f" [{low:.3g}, {high:.3g}]" if len(group) > 1 else ""
        rows.append(
            [
                Cell(task),
                Cell(named(method, report.styles[method])),
                Cell(transform),
                Cell(layer, float(layer)),
                Cell(f"{times} of {counted(len(group), 'trial')}", times / len(group)),
                Cell(f"{weight:.3f}", weight),
                Cell(f"{median:.3g}{span} {unit}", float(median)),
            ]
        )
    rows.sort(key=lambda row: (str(row[0].text), str(row[1].text), row[3].order, -_order(row[5])))
    header = ["task", "method", "operation", "layer", f"weight of {SELECTED} or more in"]
    header += ["weight, median", "magnitude, median [lowest, highest]"]
    caption = "Augmentation layers at the end of their training, over the trials of a method"
    return [
        heading("Augmentation layers"),
        bullets(rest_sentences(learned)),
        *_pictures(report, "layers", "what layers learn, epoch by epoch"),
        table(caption, header, rows, words=3, sortable=True),
    ]


def _pictures(report: ReportData, name: str, words: str) -> list[Markup]:
    """The figures of that name, one of each task, and how to draw them again."""
    figures = [figure for figure in report.figures if figure.name == name]
    return [_picture(report, figure, f"{figure.task}, {words}") for figure in figures]


def _picture(report: ReportData, figure: DrawnFigure, words: str) -> Markup:
    drawn = picture(figure, f"{words}; the same numbers as in {figure.stem}.csv")
    command = details(f"The command that draws it again: {words}", again(report, figure))
    return join([drawn, command])


def _order(cell: Cell) -> float:
    assert cell.order is not None
    return cell.order


def rest_sentences(learned: pd.DataFrame) -> list[str]:
    """For each task and method, whether its layers have come to rest: (sentences,)."""
    found = []
    for (task, method), rows in rest_table(learned).groupby(["task", "method"]):
        n_moving = int((rows["moved"] >= TOLERANCE).sum())
        n_trials = len(rows[["fold", "seed"]].drop_duplicates())
        layers = f"{counted(len(rows), 'layer')} in {counted(n_trials, 'trial')}"
        still = "still moving" if len(rows) == 1 else f"{n_moving} of them still moving"
        rest = (
            f"{layers}, at rest at the end of the training"
            if not n_moving
            else f"{layers}, {still} at the end of the training, by up to "
            f"{rows['moved'].max():.0%} in its last quarter; a longer training may end elsewhere"
        )
        found.append(f"{method} on {task}: {rest}.")
    return found


def _policies(report: ReportData) -> list[Markup]:
    policies = report.results.policies
    if policies.empty:
        return []
    parts = [
        heading("Policies"),
        bullets(agreement_sentences(report)),
        paragraph(
            "A share counts how often an operation fires in a final policy, at whatever magnitude: "
            "a large share at a magnitude near 0 changes little. The values of p are each of one "
            "method, not corrected for their number."
        ),
    ]
    if report.tables.operations.empty:  # of unfinished trials only the shares are known
        last = policies[policies["point"] == policies.groupby("trial")["point"].transform("max")]
        return parts + [_shares(report, str(task), rows) for task, rows in last.groupby("task")]
    parts += _pictures(report, "policies", "the best policies of each fold")
    for task, rows in report.tables.operations.groupby("task"):
        parts.append(_strengths(report, str(task), rows))
    parts += [_folds(report, figure) for figure in report.figures if figure.name == "policies"]
    return [*parts, _subpolicies(report)]


def _folds(report: ReportData, figure: DrawnFigure) -> Markup:
    """The numbers of the picture: operations down, the folds of each method across."""
    shown = figure.table
    largest = float(shown["strength"].max())
    columns = shown.drop_duplicates(["method", "fold"])[["method", "fold"]]
    header: list[Markup | str] = ["operation"]
    for row in columns.to_dict("records"):
        own = named(row["method"], report.styles[row["method"]])
        header.append(Markup("{} fold {}").format(own, row["fold"]))
    cells = [  # each operation has the same methods and folds, in the same order
        [Cell(str(name)), *(Cell(_shaded(each, largest), each) for each in rows["strength"])]
        for name, rows in shown.groupby("transform", sort=False)
    ]
    caption = f"Strength in the best policies of {figure.task}, mean over the seeds of a fold"
    inside = table(caption, header, cells, sortable=True)
    return details(f"{figure.task}: the numbers of the heat map over folds", inside)


def _subpolicies(report: ReportData) -> Markup:
    """The strongest subpolicies of each trial, in words."""
    header = ["task", "method", "fold", "seed", "subpolicy", "share of samples", "strength"]
    rows = [
        [
            Cell(row["task"]),
            Cell(named(row["method"], report.styles[row["method"]])),
            Cell(str(row["fold"]), row["fold"]),
            Cell(str(row["seed"]), row["seed"]),
            Cell(row["words"]),
            Cell(f"{row['share']:.3f}", row["share"]),
            Cell(f"{row['strength']:.3f}", row["strength"]),
        ]
        for row in report.tables.subpolicies.to_dict("records")
    ]
    words = table(
        "Strength: share of the samples x probability x magnitude, added up over its operations",
        header,
        rows,
        words=5,
        sortable=True,
    )
    return details("The strongest subpolicies of each trial's best policy, in words", words)


def _shares(report: ReportData, task: str, rows: pd.DataFrame) -> Markup:
    """Operations down, methods across: the mean share, shaded."""
    uniform = 1 / rows["transform"].nunique()
    caption = (
        f"Mean shares in the final policies of {task}; a uniform policy has {uniform:.3f} of each"
    )
    return _heat_map(report, caption, rows, "share")


def _strengths(report: ReportData, task: str, rows: pd.DataFrame) -> Markup:
    """Operations down, methods across: how often it acts x how strongly, shaded."""
    caption = (
        f"Mean strength in the best policies of {task}: how often an operation acts on a sample x "
        "its magnitude"
    )
    return _heat_map(report, caption, rows, "strength")


def _heat_map(report: ReportData, caption: str, rows: pd.DataFrame, column: str) -> Markup:
    """The mean of a column over the trials of each method; what a policy lacks counts as 0."""
    methods = sorted(rows["method"].unique(), key=lambda label: report.styles[label].order)
    n_trials = rows.groupby("method")["trial"].nunique()
    means = rows.groupby(["transform", "method"])[column].sum().unstack(fill_value=0)
    means = means[methods] / n_trials[methods]
    largest = float(means.to_numpy().max())
    cells = [
        [Cell(str(name)), *(Cell(_shaded(mean, largest), mean) for mean in row)]
        for name, row in zip(means.index, means.to_numpy(dtype=np.float64), strict=True)
    ]
    header = ["operation", *(named(label, report.styles[label]) for label in methods)]
    return table(caption, header, cells, sortable=True)


def _shaded(share: float, largest: float) -> Markup:
    shade = 100 * share / largest if largest else 0.0
    return Markup('<span class="share" style="--share:{}%">{}</span>').format(
        f"{shade:.0f}", f"{share:.3f}"
    )


def agreement_sentences(report: ReportData) -> list[str]:
    """For each task and method, whether its policies differ from uniform, and agree: (sentences,).

    Then, where it is known of a method, what its distance from its start is. The permutations are
    drawn from a fixed seed, so that a report has the same bytes again.
    """
    table = agreement_table(report.results, np.random.default_rng(0))
    methods = report.results.methods
    labels = dict.fromkeys(map(str, table["method"]))
    known = [label for label in labels if methods.get(label, label) in STARTS_UNIFORM]
    return [*(_agreement(row) for _, row in table.iterrows()), *_starts(known)]


def _starts(labels: list[str]) -> list[str]:
    if not labels:
        return []
    one = len(labels) == 1
    return [
        f"{', '.join(labels)}: {'this search starts' if one else 'these searches start'} with all "
        f"operations chosen alike, so {'its' if one else 'their'} distance from uniform is also "
        "that from the start."
    ]


def _agreement(row: "pd.Series[float]") -> str:
    who = f"{row['method']} on {row['task']}: its {row['transforms']} shares, on average "
    who += f"{row['distance']:.2f} from uniform (of at most {1 - 1 / row['transforms']:.2f}),"
    if row["f_p"] > CHANCE:
        uniform = f"cannot be told from uniform ({_p(row['f_p'])})"
    else:
        uniform = f"are not uniform ({_p(row['f_p'])})"
    correlation = f"mean rank correlation {row['correlation']:.2f}, {_p(row['correlation_p'])}"
    alike = "no more than chance" if row["correlation_p"] > CHANCE else "more than chance"
    return f"{who} {uniform}; its {row['trials']} trials agree {alike} ({correlation})."


def _p(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {p:.2g}"
