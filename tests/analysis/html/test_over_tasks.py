"""What the page says over tasks, and where there are too few."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.html.history import History
from augbench.analysis.html.over_tasks import over_tasks_section, over_tasks_sentences
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.report import write_report
from augbench.analysis.tables.imputed import impute_failed

nan = np.nan
LEVEL = np.array([0.3, 0.4, 0.5, 0.6, 0.35, 0.45, 0.55, 0.65])
NOISE = np.array([0, 0.01, -0.01, 0.02, 0.004, 0.006, -0.003, 0.001])


def sentences(run):
    return over_tasks_sentences(ReportData(run, History()))


def section(run):
    found = over_tasks_section(ReportData(run, History()))
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(found.body)))


@pytest.fixture
def ahead(over_tasks):
    return over_tasks(
        {
            "none": LEVEL,
            "augnet": LEVEL + 0.1 + NOISE,
            "adda": LEVEL + NOISE * np.tile([1, -1], 4),
            "dada": LEVEL - 0.05 + NOISE,
        }
    )


def test_methods_are_named_that_are_better_worse_or_neither(ahead):
    friedman, against, *_ = sentences(ahead)
    assert friedman.startswith(
        "Over 8 tasks the mean ranks of 4 methods differ (Friedman's test in the form of Iman and "
        "Davenport: F = "
    )
    assert "p < .001): augnet 1.00, " in friedman
    assert friedman.endswith(
        "two ranks that differ by less than 1.66 cannot be told apart (Nemenyi, at the level of "
        "5 %)."
    )
    assert against == (
        "Against none over tasks (signed-rank test, p after Holm's correction): better: augnet "
        "(p = .023); worse: dada (p = .023); cannot be told from it: adda."
    )


def test_ranks_that_do_not_differ_are_said_to_be_alike(over_tasks):
    found = sentences(over_tasks(dict.fromkeys(["none", "mine", "yours"], LEVEL)))[0]
    assert "cannot be told apart" in found
    assert "p = 1.00): mine 2.00, none 2.00, yours 2.00." in found


def test_too_few_tasks_are_a_sentence_and_no_p(over_tasks):
    run = over_tasks({"none": LEVEL[:3], "augnet": LEVEL[:3] + 0.1, "adda": LEVEL[:3]})
    text = section(run)
    assert "The ranks of methods over tasks are not tested: too few tasks: 3 of 6 needed." in text
    assert (
        "No method is tested against none over tasks: too few tasks on which both have a run and "
        "differ: 3 of 6 needed."
    ) in text
    assert "p =" not in text
    assert "p <" not in text
    assert "p after Holm ↕" not in text
    assert "3 / 0 / 0" in text


def test_one_task_says_so_and_shows_what_one_task_can(over_tasks):
    text = section(over_tasks({"none": [[0.5, 0.6]], "augnet": [[0.7, 0.8]]}))
    assert "This run has one task, so no test over tasks is made" in text
    assert "Methods over all tasks" not in text
    assert "100%" in text  # better run
    assert "p =" not in text


def test_enough_tasks_for_a_test_may_be_too_few_after_the_correction(over_tasks):
    methods = {f"m{k}": LEVEL[:7] + 0.01 * (k + 1) for k in range(9)}
    found = sentences(over_tasks({"none": LEVEL[:7], **methods}))[1]
    assert found == (
        "Against none, 7 tasks cannot tell any of 9 methods from it after Holm's "
        "correction: 9 are needed."
    )


def test_missing_runs_are_counted_and_imputed_ones_marked(over_tasks):
    mine = np.where(np.arange(8) == 3, nan, LEVEL + 0.1)
    run = over_tasks({"none": LEVEL, "mine": mine, "other": LEVEL + NOISE}, chance=0.2)
    text = section(run)
    assert "1 of 24 runs have no final score, and nothing stands in for them" in text
    assert "Tasks without ranks, for no fold has a run of every method: task_3." in text
    assert "no run on 1 of 8 tasks" in text
    text = section(impute_failed(run))
    assert "* 1 of 24 runs failed and count as runs at chance level" in text
    assert "8 of 8 (1 failed *)" in text
    assert "nothing stands in" not in text


def test_methods_without_a_rank_are_named(over_tasks, trial, gather):
    run = over_tasks({"none": LEVEL, "mine": LEVEL, "lost": [nan] * 8})
    assert "Not ranked, since they have no run: lost." in sentences(run)
    some = gather(
        trial("none", 0, [(0.5, 0.5, 1, 1)], task="a"),
        trial("none", 0, [(0.5, 0.5, 1, 1)], task="b"),
        trial("mine", 0, [(0.5, 0.5, 1, 1)], task="b", device="gpu"),
    )
    found = sentences(some)
    assert "Not ranked, since some task is without them: mine." in found
    assert "Hours of several devices do not compare: on b no time counts." in found


def test_it_says_on_which_scale_means_over_tasks_are(over_tasks):
    run = over_tasks({"none": LEVEL})
    assert sentences(run)[-1].startswith("Means over tasks are those of the metric as it is")
    scaled = replace(run, chance=dict.fromkeys(run.trials["task"], 0.1))
    assert sentences(scaled)[-1].endswith("0 is chance level, 1 is perfect.")


def test_there_is_no_section_before_a_run_has_ended(over_tasks, gather):
    for run in (gather(), over_tasks({"none": [nan, nan]})):
        assert over_tasks_section(ReportData(run, History())) is None


def test_the_pictures_come_with_the_commands_that_draw_them_again(ahead, tmp_path, monkeypatch):
    monkeypatch.setattr("augbench.analysis.figures.image_files.DOTS_PER_INCH", 20)
    monkeypatch.setattr("augbench.analysis.report.FIGURES", {"hours": FIGURES["hours"]})
    write_report(ahead, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    body = page[page.index('<section id="over-tasks">') :]
    body = body[: body.index("</section>")]
    assert body.count('<img class="paper"') == 9  # ranks, and a profile of each task
    assert "Critical-difference diagram. Mean ranks over tasks, the best first: augnet 1.00" in body
    programs = [
        line.replace("&#39;", "'") for line in re.findall(r"python -c &#34;(.*)&#34;", body)
    ]
    both = [next(each for each in programs if name in each) for name in ("ranks", "task_0-profile")]
    subprocess.run([sys.executable, "-c", "; ".join(both)], cwd=tmp_path, check=True, timeout=300)
    assert (tmp_path / "ranks.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "task_0-profile.pdf").read_bytes().startswith(b"%PDF")
    # The sections of curves and costs do not show them again.
    assert page.count('data-file="ranks.svg"') == page.count('data-file="task_0-profile.svg"') == 1
