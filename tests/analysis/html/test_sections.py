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

from augbench.analysis.html.curves import curves_section
from augbench.analysis.html.history import History
from augbench.analysis.html.learned import (
    agreement_sentences,
    learned_section,
    rest_sentences,
)
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.scores import scores_section
from augbench.analysis.report import write_report
from augbench.analysis.tables.frame import results
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
            for name in ("x", "median", "q1", "q3", "n"):
                assert curve[name] == pytest.approx(list(rows[name]), rel=1e-5, abs=1e-5)
            assert curve["marked"] == list(np.flatnonzero(rows["marker"]))


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


def test_layers_that_move_at_the_end_are_named(learn):
    moving = learn("augnet", {"rotate": (1.0, 0.5, 45.0)}, steps=8)
    assert rest_sentences(moving) == [
        "augnet on toy: of its 1 layers in 1 trials, 1 still move at the end of the training, by "
        "up to 25% in its last quarter; a longer training may end elsewhere."
    ]
    still = moving.assign(magnitude=0.5, weight=1.0)
    assert rest_sentences(still) == ["augnet on toy: its 1 layers in 1 trials have come to rest."]


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
    (sentence,) = agreement_sentences(policies(trial, gather, alike))
    assert sentence.startswith("dada on toy: its 6 shares are not uniform (p < .001); its 5 trials")
    assert "agree more than chance (mean rank correlation 1.00" in sentence
    random = np.random.default_rng(1)
    other = [dict(zip(names, random.dirichlet(np.ones(6)), strict=True)) for _ in range(5)]
    (sentence,) = agreement_sentences(policies(trial, gather, other))
    assert "cannot be told from uniform (p = 0." in sentence
    assert "agree no more than chance" in sentence


def test_shares_are_means_over_the_final_policies(trial, gather):
    report = policies(trial, gather, [{"a": 0.75, "b": 0.25}, {"a": 1.0}])
    text = re.sub(r"<[^>]+>", " ", str(learned_section(report).body))
    assert re.search(r"a\s+0\.875\s+b\s+0\.125", text)
    assert "a uniform policy has 0.500 of each" in text


def test_a_run_that_learns_nothing_of_the_kind_has_no_such_section(grid):
    assert learned_section(data(grid(2, 2))) is None
