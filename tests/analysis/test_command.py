"""What `augbench report` writes and says."""

import errno
from pathlib import Path

import pytest
from rich.console import Console

from augbench.analysis.command import report
from augbench.analysis.figures import image_files
from augbench.bench.driver.run import RunOptions, run_suite
from augbench.bench.plan.suite import load_suite
from augbench.datasets.errors import UserError

SUITE = """
name = "command"
folds = 2
[tasks.sinusoids]
training = { epochs = 2 }
n_train = 40
[methods.none]
[methods.fixed]
"""


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr(image_files, "DOTS_PER_INCH", 50)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "suite.toml").write_text(SUITE)
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(load_suite(tmp_path / "suite.toml"), options, Console(quiet=True))
    return options.out


def test_the_folder_has_the_page_and_the_terminal_its_path_and_summary(run, capsys):
    report(run)
    first, *sentences = capsys.readouterr().out.splitlines()
    assert first == str(run / "report" / "report.html")
    assert sentences[0].startswith("- 4 of 4 trials are done (1 task, 2 methods, 2 folds, 1 seed)")
    assert sentences[-1] == "- No trial failed, and none was skipped."
    assert (run / "report" / "sinusoids-hours.png").exists()
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert all(sentence[2:12] in page for sentence in sentences)


def test_a_name_that_ends_in_html_gets_the_page_alone(run, tmp_path, capsys):
    report(run, out=tmp_path / "new" / "page.html")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["page.html"]
    assert not (run / "report").exists()
    report(run, out=tmp_path / "all")
    pages = [tmp_path / "new" / "page.html", tmp_path / "all" / "report.html"]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_intervals_of_the_mean_can_be_asked_for(run, tmp_path):
    report(run, out=tmp_path / "iqm", band="iqm")
    header = (tmp_path / "iqm" / "sinusoids-hours.csv").read_text().splitlines()[0].split(",")
    assert {"iqm", "low", "high"} < set(header)
    assert "median" not in header
    page = (tmp_path / "iqm" / "report.html").read_text(encoding="utf-8")
    assert f"augbench report {run} --band iqm" in page
    with pytest.raises(UserError, match="unknown band 'mean'; known: iqm, quartiles"):
        report(run, out=tmp_path / "other", band="mean")
    assert not (tmp_path / "other").exists()


def test_the_page_names_the_command_with_its_options(run, tmp_path):
    report(run, out=tmp_path / "page.html", include_shared=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"This page is written by: augbench report {run} --include-shared" in page


def test_a_run_that_has_only_begun_has_a_page(run, tmp_path, capsys):
    for file in run.glob("trials/*/result.json"):
        file.unlink()
    for file in run.glob("trials/*/attempts/0001/points.jsonl"):
        file.write_bytes(file.read_bytes()[:-20])  # the last line is half written
    report(run, out=tmp_path / "page.html")
    assert "0 of 4 trials are done" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["file/page.html", "/proc/page.html"])
def test_a_place_that_cannot_be_written_is_one_sentence(place, run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write the report .*page\.html: .*; choose a fol"):
        report(run, out=tmp_path / place)


def test_a_full_disk_leaves_the_former_page_and_nothing_beside_it(run, tmp_path, monkeypatch):
    page = tmp_path / "new" / "page.html"
    report(run, out=page)
    before = page.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match="No space left on device"):
        report(run, out=page)
    assert [file.name for file in page.parent.iterdir()] == ["page.html"]
    assert page.read_bytes() == before


def test_an_empty_folder_is_one_sentence_and_gets_no_page(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"is no run directory: it holds no run\.json"):
        report(tmp_path / "empty")
    assert not list((tmp_path / "empty").iterdir())


def test_a_search_has_no_page(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(UserError, match=r"is a search, which has no page; give a folder with -o"):
        report(tmp_path, out=tmp_path / "page.html")
