"""What a user may call tasks and methods, in figures, tables and file names."""

import io

import matplotlib
import pandas as pd
import pytest

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.report import write_report
from augbench.analysis.tables.frame import results

LABELS = [
    "$x$",
    "$x",
    "_hidden",
    "100%",
    "a|b",
    "=1+1",
    "[/x]",
    "a\nb",
    "\\frac",
    "{x}",
    "<b>&amp;",
]
HOURS = FIGURES["hours"]


def words(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


@pytest.mark.parametrize("label", LABELS)
def test_a_figure_shows_a_label_as_it_is(label, trial, gather):
    run = gather(trial(label, 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 2)], task=label))
    figure = HOURS.draw(HOURS.table(run, label))
    shown = label.replace("\n", "\\n")
    assert figure.get_suptitle() == shown
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [shown]
    drawn = [text for text in figure.findobj(matplotlib.text.Text) if shown in text.get_text()]
    assert len(drawn) == 2
    assert not any(text.get_parse_math() for text in drawn)
    assert png(figure)
    assert svg(figure)


def test_a_long_label_leaves_room_for_the_curves(trial, gather):
    run = gather(trial("x" * 300, 0, [(0.5, 0.4, 1, 1)], task="y" * 300))
    figure = HOURS.draw(HOURS.table(run, "y" * 300))
    figure.draw_without_rendering()  # at the figure's own dots per inch, in which its box is
    width = figure.bbox.width
    assert figure.axes[0].get_window_extent().width > 0.2 * width
    assert figure._suptitle.get_window_extent().width <= width


def test_no_legend_covers_a_panel(trial, gather):
    run = gather(*(trial(f"method {k}", 0, [(0.5, 0.4, 1, 1)]) for k in range(12)))
    for drawing in FIGURES.values():
        figure = drawing.draw(drawing.table(run, "toy"))
        png(figure)
        (legend,) = figure.legends
        for panel in figure.axes:
            assert panel.get_legend() is None
            assert not legend.get_window_extent().overlaps(panel.get_window_extent())


def test_tasks_whose_names_look_alike_keep_their_own_files(trial, gather, tmp_path, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    tasks = ["a b", "a_b", "A_b", "сон", "шум", ".."]
    accuracy = {task: 0.1 * place for place, task in enumerate(tasks, 1)}
    run = gather(*(trial("none", 0, [(0.5, accuracy[task], 1, 1)], task=task) for task in tasks))
    files = write_report(run, tmp_path / "report")
    assert len({str(file).casefold() for file in files}) == len(files) == 6 * 15 + 10
    assert {file.parent for file in files} == {tmp_path / "report"}
    found = {}
    for file in (tmp_path / "report").glob("*-hours.csv"):
        table = pd.read_csv(file)
        found[table["task"].iloc[0]] = table["median"].iloc[0]
    assert found == pytest.approx(accuracy)
    page = (tmp_path / "report" / "table.md").read_text(encoding="utf-8")
    assert "Files of сон: task-" in page
    assert "Files of a_b:" not in page
    alone = write_report(gather(trial("none", 0, [], task="a b")), tmp_path / "alone")
    assert {file.name for file in alone} < {file.name for file in files}  # whoever is beside it


def test_tables_hold_labels_as_text(trial, gather, tmp_path, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    run = gather(
        trial("=1+1", 0, [(0.5, 0.4, 1, 1)], task="a|b"),
        trial("*x*", 0, [], task="a|b", state="failed", reason="| [/x] <b> = 1\nTraceback"),
        trial("@x", 0, [], task="a|b", state="skipped", reason="_no_ `use`"),
    )
    write_report(run, tmp_path)
    page = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| a\\|b | =1+1 | 0.400 |" in page
    assert "- a\\|b \\*x\\* fold 0 seed 0: failed (\\| \\[/x\\] \\<b\\> = 1\\\\nTraceback)" in page
    assert "(@x on a\\|b): \\_no\\_ \\`use\\`" in page
    columns = {line.count("|") - line.count("\\|") for line in page.splitlines() if line[:1] == "|"}
    assert columns == {11}
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    assert "\na|b,'=1+1," in text
    assert "\na|b,*x*," in text


def test_only_methods_that_have_epochs_are_on_their_axis(trial, gather):
    with_epochs = ["none", "augnet", "dada", "faster_autoaugment", "unknown"]
    without = ["random_policy", "random_search", "autoaugment", "fast_autoaugment", "tpe-20"]
    trials = [trial(name, 0, [(0.5, 0.4, 1, 1)]) for name in [*with_epochs, *without]]
    run = results(
        [row for _, rows in trials for row in rows],
        [row for row, _ in trials],
        "toys",
        methods={"tpe-20": "autoaugment"},
    )
    table = FIGURES["epochs"].table(run, "toy")
    assert set(table.loc[table["x"].notna(), "method"]) == set(with_epochs)
    figure = FIGURES["epochs"].draw(table)
    text = words(figure)
    for name in without:
        assert f"{name} (no epochs)" in text
    again = FIGURES["hours"].table(run, "toy")
    assert again["x"].notna().all()
    only = gather(trial("autoaugment", 0, [(0.5, 0.4, 1, 1)]))
    text = words(FIGURES["epochs"].draw(FIGURES["epochs"].table(only, "toy")))
    assert "none of the methods has epochs" in text


def test_trials_that_waited_for_a_processor_are_marked(trial, gather, tmp_path, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    shares = {0: [0.99, 0.95], 1: [0.99, 0.85], 2: [float("nan"), float("nan")]}
    trials = [trial("none", fold, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 2)]) for fold in shares]
    trials.append(trial("augnet", 0, [(0.5, 0.4, 1, 1)]))
    for _, rows in trials:
        for row in rows:
            known = row["method"] == "none"
            row["busy"] = shares[row["fold"]][row["point"] - 1] if known else 1.0
    run = gather(*trials)
    assert HOURS.draw(HOURS.table(run, "toy")).get_suptitle() == "toy, 1 of 4 on a busy processor"
    samples = FIGURES["samples"]
    assert samples.draw(samples.table(run, "toy")).get_suptitle() == "toy"
    write_report(run, tmp_path)
    table = pd.read_csv(tmp_path / "table.csv").set_index("method")
    assert table.loc["none", ["timed", "contended"]].tolist() == [3, 1]
    assert table.loc["none", "busy"] == pytest.approx(0.9)
    assert table.loc["augnet", ["busy", "contended"]].tolist() == [1.0, 0]
    page = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "2.00 / 2.00 hours * |" in page
    assert page.count(" * |") == 1
    assert "\n\\* Hours too long: 1 trial waited for a processor" in page


def test_without_the_column_nothing_is_marked(trial, gather, tmp_path, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    rows = trial("none", 0, [(0.5, 0.4, 1, 1)])
    for row in rows[1]:
        del row["busy"]
    run = gather(rows)
    assert run.points["busy"].isna().all()
    write_report(run, tmp_path)
    assert "Hours too long" not in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "busy" in pd.read_csv(io.StringIO((tmp_path / "points.csv").read_text())).columns
