import json

import pytest

from augbench.analysis.html.history import History, Machine, read_history
from augbench.analysis.html.provenance import provenance_section, suite_section
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.tables.frame import load
from augbench.datasets.errors import UserError
from runs import run_inline

SUITE = """
name = "history"
folds = 1
[tasks.sinusoids]
training = { epochs = 2 }
n_train = 40
[methods.none]
[methods.random_policy]
n_policies = 1
"""


@pytest.fixture
def run(tmp_path):
    return run_inline(SUITE, tmp_path / "run")


def test_a_run_says_where_its_results_come_from(run):
    history = read_history(run)
    assert (history.units, history.attempts, history.lost) == (3, 3, 0)  # one is a retraining
    (machine, attempts), *others = history.machines.items()
    assert not others
    assert attempts == 3
    assert machine.device == "cpu"
    assert {"python", "torch", "augbench"} <= dict(machine.versions).keys()
    assert list(history.splits) == ["sinusoids"]
    assert len(history.data["sinusoids"]) == 1
    assert history.suite["tasks"]["sinusoids"]["n_train"] == 40
    assert history.begun <= history.ended


def test_what_a_damaged_unit_says_is_left_out(run):
    log = sorted(run.glob("trials/*/attempts/0001/log.jsonl"))[0]
    log.write_text("not a record\n")
    before = read_history(run)
    assert before.attempts < 3
    assert before.machines


def test_a_log_that_holds_other_things_than_ours_is_read(run):
    for log in run.glob("*/*/attempts/0001/log.jsonl"):
        first, *rest = log.read_text().splitlines()
        event = json.loads(first) | {"versions": "none", "commit": None}
        log.write_text("\n".join([json.dumps(event), *rest]) + "\n")
    assert [dict(m.versions).keys() for m in read_history(run).machines] == [{"python"}]


def test_a_folder_that_is_no_run_is_one_clear_sentence(tmp_path):
    with pytest.raises(UserError, match=r"is no run directory: it holds no run\.json"):
        read_history(tmp_path)


def test_the_page_shows_suite_and_provenance(run):
    report = ReportData(load(run), read_history(run), command=("augbench", "report", "a b"))
    suite = suite_section(report)
    assert suite is not None
    assert "[tasks.sinusoids]\nn_train = 40" in str(suite.body)
    text = str(provenance_section(report).body)
    assert "3 units (trials, retrainings, samplings) in 3 attempts." in text
    assert "Folds: 0." in text
    assert "augbench report &#39;a b&#39;" in text
    assert report.history.data["sinusoids"][0] in text


def test_attempts_that_died_and_changed_code_are_named(trial, gather):
    machines = {Machine("abc-dirty", (), "cpu", "vm", 1): 3, Machine("", (), "cpu", "vm", 1): 1}
    history = History(machines=machines, units=2, attempts=4, lost=2)
    run = gather(trial("none", 0, [(0.5, 0.4, 1, 1)]))
    text = str(provenance_section(ReportData(run, history)).body)
    assert "2 units (trials, retrainings, samplings) in 4 attempts, of which 2 were lost" in text
    assert "had changes that were not committed" in text
    assert "not known" in text
