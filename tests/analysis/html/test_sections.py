"""What the sections say that are tables and curves."""

import base64
import gzip
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.html.curves import curves_section
from augbench.analysis.html.history import History
from augbench.analysis.html.learned import (
    agreement_sentences,
    learned_section,
    rest_sentences,
)
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.scores import scores_section
from augbench.analysis.report import write_report
from augbench.analysis.tables.best_policies import OPERATION_TABLE
from augbench.analysis.tables.frame import results
from augbench.analysis.tables.policy_folds import policy_folds
from augbench.analysis.tables.run_tables import RunTables
from augbench.analysis.tables.scores import score_rows


def data(run, **options):
    return ReportData(run, History(), **options)


def drawn(body):
    """What curves.js reads, figure by figure."""
    packed = re.findall(r'<script type="text/plain" id="curves-\d+-data">(.*?)</script>', str(body))
    return [json.loads(gzip.decompress(base64.b64decode(each))) for each in packed]


def test_the_curves_are_those_of_the_tables(grid, report_of):
    report = report_of(grid(4, 3, 2))
    found = drawn(curves_section(report).body)
    assert len(found) == 2
    for figure in report.figures:
        views = found[int(figure.task[-1])]["views"]
        methods = [each["label"] for each in found[0]["methods"]]
        for (axis, method), rows in figure.table.groupby(["axis", "method"]):
            curve = views[axis]["curves"][methods.index(method)]
            if rows["x"].isna().all():
                assert curve is None
                continue
            names = {"x": "x", "value": "median", "low": "q1", "high": "q3", "n": "n"}
            for name, column in names.items():
                assert curve[name] == pytest.approx(list(rows[column]), rel=1e-5, abs=1e-5)
            assert curve["marked"] == list(np.flatnonzero(rows["marker"]))


def test_a_page_of_intervals_says_so_and_has_their_numbers(grid):
    run = grid(2, 6)
    tables = {name: each.table(run, "task_0", band="iqm") for name, each in FIGURES.items()}
    figures = [DrawnFigure("task_0", n, n, table, b"<svg/>") for n, table in tables.items()]
    body = curves_section(data(run, figures=tuple(figures))).body
    text = re.sub(r"<[^>]+>", " ", str(body))
    assert "Line: interquartile mean over the 6 trials" in text
    assert "Band: 95 % bootstrap interval. " in text
    assert 'data-choice="bands" checked> 95 % bootstrap interval</label>' in str(body)
    curve = drawn(body)[0]["views"]["hours_full"]["curves"][0]
    rows = tables["hours"].query("axis == 'hours_full' and method == 'method_0'")
    assert curve["value"] == pytest.approx(list(rows["iqm"]), abs=1e-5)
    assert curve["high"] == pytest.approx(list(rows["high"]), abs=1e-5)


def test_intervals_that_are_not_known_are_left_out_and_the_caption_says_why(grid):
    run = grid(1, 3)
    table = FIGURES["hours"].table(run, "task_0", band="iqm")
    figure = DrawnFigure("task_0", "hours", "hours", table, b"<svg/>")
    body = curves_section(data(run, figures=(figure,))).body
    assert "There is no 95 % bootstrap interval: it needs 5 folds" in str(body)
    curve = drawn(body)[0]["views"]["hours_full"]["curves"][0]
    assert curve["low"] == curve["high"] == []
    assert len(curve["value"]) == len(curve["x"]) > 0


def test_the_axes_whose_readings_are_the_same_are_named(trial, gather, report_of):
    same = trial("none", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 2)])
    (figure,) = drawn(curves_section(report_of(gather(same))).body)
    assert figure["alike"] == ["hours", "forward", "backward"]
    other = trial("adda", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 3)])
    (figure,) = drawn(curves_section(report_of(gather(same, other))).body)
    assert figure["alike"] == []


def test_wall_time_is_an_axis_and_the_caption_says_what_it_is(trial, gather, report_of):
    keys, rows = trial("none", 0, [(0.5, 0.4, 1, 2)])
    keys["wasted_seconds"] = 7.0
    body = curves_section(report_of(gather((keys, rows)))).body
    assert '<option value="hours_wall">wall time</option>' in str(body)
    assert "the wait for a free worker and the 7 s that were wasted." in str(body)
    (figure,) = drawn(body)
    assert figure["views"]["hours_wall"]["curves"][0]["x"] == [2.5]  # 1.25 times 2 hours


def test_long_curves_are_thinned_and_keep_their_ends(trial, gather, report_of):
    points = [(0.5 + k * 1e-5, 0.4, k * 0.01, k * 0.01) for k in range(1, 3001)]
    (figure,) = drawn(curves_section(report_of(gather(trial("none", 0, points)))).body)
    curve = figure["views"]["hours_paper"]["curves"][0]
    assert len(curve["x"]) < 1000
    assert curve["x"][-1] / curve["x"][0] == pytest.approx(3000)


def test_the_caption_says_which_hours_are_not_to_be_trusted(trial, gather, report_of):
    busy = trial("none", 0, [(0.5, 0.4, 1, 1)])
    busy[1][0]["busy"] = 0.5
    run = gather(busy, trial("mine", 0, [(0.5, 0.4, 1, 1)], shared=True), trial("third", 0, []))
    text = str(curves_section(report_of(run)).body)
    assert "The hours of 1 of 3 trials are too long (a busy processor)." in text
    assert "The hours of 1 of 3 trials are left out (a shared GPU)." in text


def test_the_commands_under_a_figure_draw_it_again(grid, tmp_path):
    run = grid(2, 2)
    write_report(run, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (line,) = re.findall(r"python -c &#34;(.*task_0-hours.*)&#34;", page)
    program = line.replace("&#39;", "'")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=300)
    assert (tmp_path / "task_0-hours.pdf").read_bytes().startswith(b"%PDF")


def test_each_cell_of_the_scores_has_the_number_by_which_it_sorts(grid):
    report = data(grid(3, 3, 2))
    text = str(scores_section(report).body)
    for row in report.scores.to_dict("records"):
        assert f'data-order="{row["test"]:.9g}"' in text
    for row in score_rows(report.scores)[1:]:
        assert row[2] in text


def test_the_scores_of_one_task_do_not_repeat_its_name(grid):
    assert str(scores_section(data(grid(3, 3, 1))).body).count("task_0") == 2  # caption and label
    assert str(scores_section(data(grid(3, 3, 2))).body).count("task_0") == 3


def test_layers_show_weight_and_magnitude_in_units(trial, gather, learn):
    rows = [
        learn("augnet", {"rotate": (0.9, 0.5, 45.0), "shear_x": (0.1, 0.2, 6.0)}, fold=0),
        learn("augnet", {"rotate": (0.7, 0.3, 27.0), "shear_x": (0.3, 0.2, 6.0)}, fold=1),
    ]
    table = pd.concat(rows).assign(unit="degrees", point=1)
    table["trial"] = "toy-augnet-" + table["fold"].astype("str") + "-0"
    base = gather(*(trial("augnet", fold, [(0.5, 0.4, 1, 1)]) for fold in (0, 1)))
    run = results(base.points, base.trials, "toys", learned=table)
    text = re.sub(r"<[^>]+>", " ", str(learned_section(data(run)).body))
    assert re.search(r"rotate\s+1\s+1 of 2 trials\s+0\.800\s+36 \[27, 45\] degrees", text)
    assert re.search(r"shear_x\s+1\s+0 of 2 trials\s+0\.200\s+6 \[6, 6\] degrees", text)


def test_one_trial_has_no_lowest_and_highest_magnitude(learn, gather, trial):
    base = gather(trial("augnet", 0, [(0.5, 0.4, 1, 1)]))
    table = learn("augnet", {"rotate": (1.0, 0.5, 45.0)}, steps=8)
    table = table.assign(trial="toy-augnet-0-0", point=1, unit="degrees")
    run = results(base.points, base.trials, "toys", learned=table)
    text = re.sub(r"<[^>]+>", " ", str(learned_section(data(run)).body))
    assert re.search(r"rotate\s+1\s+1 of 1 trial\s+1\.000\s+[\d.]+ degrees", text)


def test_layers_that_move_at_the_end_are_named(learn):
    moving = learn("augnet", {"rotate": (1.0, 0.5, 45.0)}, steps=8)
    assert rest_sentences(moving) == [
        "augnet on toy: 1 layer in 1 trial, still moving at the end of the training, by up to 25% "
        "in its last quarter; a longer training may end elsewhere."
    ]
    still = moving.assign(magnitude=0.5, weight=1.0)
    assert rest_sentences(still) == [
        "augnet on toy: 1 layer in 1 trial, at rest at the end of the training."
    ]


def shares(method, values, fold):
    keys = {"task": "toy", "method": method, "fold": fold, "seed": 0, "point": 1, "step": 1}
    keys |= {"trial": f"toy-{method}-{fold}-0", "policy": "p"}
    return [keys | {"transform": name, "share": share} for name, share in values.items()]


def policies(trial, gather, values_of_folds):
    base = gather(
        *(trial("dada", fold, [(0.5, 0.4, 1, 1)]) for fold in range(len(values_of_folds)))
    )
    rows = [
        row for fold, values in enumerate(values_of_folds) for row in shares("dada", values, fold)
    ]
    return data(results(base.points, base.trials, "toys", policies=rows))


def test_policies_are_held_against_uniform_and_one_another(trial, gather):
    names = "abcdef"
    alike = [
        {name: 0.1 * k + 0.001 * ((k * fold) % 3) for k, name in enumerate(names)}
        for fold in range(5)
    ]
    sentence, start = agreement_sentences(policies(trial, gather, alike))
    assert start.startswith("dada: this search starts with all operations chosen alike")
    assert sentence.startswith(
        "dada on toy: its 6 shares, on average 0.48 from uniform (of at most 0.83), are not "
        "uniform (p < .001); its 5 trials"
    )
    assert "agree more than chance (mean rank correlation 1.00" in sentence
    random = np.random.default_rng(1)
    other = [dict(zip(names, random.dirichlet(np.ones(6)), strict=True)) for _ in range(5)]
    sentence, _ = agreement_sentences(policies(trial, gather, other))
    assert "cannot be told from uniform (p = 0." in sentence
    assert "agree no more than chance" in sentence


def test_shares_are_means_over_the_final_policies(trial, gather):
    report = policies(trial, gather, [{"a": 0.75, "b": 0.25}, {"a": 1.0}])
    text = re.sub(r"<[^>]+>", " ", str(learned_section(report).body))
    assert re.search(r"a\s+0\.875\s+b\s+0\.125", text)
    assert "a uniform policy has 0.500 of each" in text


def test_a_run_that_learns_nothing_of_the_kind_has_no_such_section(grid):
    assert learned_section(data(grid(2, 2))) is None


def test_what_searches_start_from_is_said_once_where_it_is_known(trial, gather):
    base = gather(
        *(
            trial(name, fold, [(0.5, 0.4, 1, 1)])
            for name in ("autoaugment", "mine")
            for fold in (0, 1)
        )
    )
    rows = [
        row
        for name in ("autoaugment", "mine")
        for fold in (0, 1)
        for row in shares(name, {"a": 0.7, "b": 0.3}, fold)
    ]
    run = results(base.points, base.trials, "toys", policies=rows, methods={"mine": "adda"})
    *sentences, last = agreement_sentences(data(run))
    assert len(sentences) == 2
    assert last == (
        "mine: this search starts with all operations chosen alike, so its distance from uniform "
        "is also that from the start."
    )
    unknown = results(base.points, base.trials, "toys", policies=rows)
    assert len(agreement_sentences(data(unknown))) == 2


def test_the_policies_of_folds_are_a_picture_and_numbers(trial, gather):
    base = gather(*(trial("adda", fold, [(0.5, 0.4, 1, 1)]) for fold in (0, 1)))
    rows = [row for fold in (0, 1) for row in shares("adda", {"a": 0.7, "b": 0.3}, fold)]
    run = results(base.points, base.trials, "toys", policies=rows)
    keys = {"task": "toy", "method": "adda", "seed": 0, "applied": 0.5, "unit": "hertz"}
    found = pd.DataFrame(
        [
            keys | {"fold": fold, "trial": str(fold), "transform": name, "strength": strength}
            for fold, name, strength in ((0, "a", 0.5), (0, "b", 0.25), (1, "b", 0.125))
        ]
    ).reindex(columns=list(OPERATION_TABLE))
    figure = DrawnFigure(
        "toy", "policies", "toy-policies", policy_folds(found, run, "toy"), b"<svg/>"
    )
    tables = RunTables(operations=found)
    body = str(learned_section(data(run, figures=(figure,), tables=tables)).body)
    assert (
        'alt="toy, the best policies of each fold; the same numbers as in toy-policies.csv"' in body
    )
    text = re.sub(r"<[^>]+>", " ", body)
    assert re.search(r"operation\s+adda\s+fold 0\s+adda\s+fold 1", text)
    assert re.search(r"a\s+0\.500\s+0\.000\s+b\s+0\.250\s+0\.125", text)
    assert "writes toy-policies.csv, .svg and .png" in text
    assert "a.policy_figure(t).savefig(&#39;toy-policies.pdf&#39;)" in text
