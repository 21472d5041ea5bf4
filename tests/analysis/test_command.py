"""What `augbench report` writes and says."""

import errno
from pathlib import Path

import pandas as pd
import pytest

from augbench.analysis.command import report
from augbench.analysis.figures import image_files
from augbench.datasets.errors import UserError
from runs import run_inline

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
    return run_inline(SUITE, tmp_path / "run")


def test_the_folder_has_the_page_and_the_terminal_its_path_and_summary(run, capsys):
    report([run])
    first, *sentences = capsys.readouterr().out.splitlines()
    assert first == str(run / "report" / "report.html")
    assert sentences[0].startswith("- 4 of 4 trials are done (1 task, 2 methods, 2 folds, 1 seed)")
    assert sentences[-1] == "- No trial failed, and none was skipped."
    assert (run / "report" / "sinusoids-hours.png").exists()
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert all(sentence[2:12] in page for sentence in sentences)


def test_a_name_that_ends_in_html_gets_the_page_alone(run, tmp_path, capsys):
    report([run], out=tmp_path / "new" / "page.html")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["page.html"]
    assert not (run / "report").exists()
    report([run], out=tmp_path / "all")
    pages = [tmp_path / "new" / "page.html", tmp_path / "all" / "report.html"]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_intervals_of_the_mean_can_be_asked_for(run, tmp_path):
    report([run], out=tmp_path / "iqm", band="iqm")
    header = (tmp_path / "iqm" / "sinusoids-hours.csv").read_text().splitlines()[0].split(",")
    assert {"iqm", "low", "high"} < set(header)
    assert "median" not in header
    page = (tmp_path / "iqm" / "report.html").read_text(encoding="utf-8")
    assert f"augbench report {run} --band iqm" in page
    with pytest.raises(UserError, match="unknown band 'mean'; known: iqm, quartiles"):
        report([run], out=tmp_path / "other", band="mean")
    assert not (tmp_path / "other").exists()


def test_the_page_names_the_command_with_its_options(run, tmp_path):
    report([run], out=tmp_path / "page.html", include_shared=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"This page is written by: augbench report {run} --include-shared" in page


def test_failed_runs_count_as_chance_only_where_that_is_asked_for(run, tmp_path):
    report([run], out=tmp_path / "page.html", impute_failed=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"This page is written by: augbench report {run} --impute-failed" in page
    assert "--impute-failed changes nothing: no run failed." in page
    report([run], out=tmp_path / "page.html")
    assert "--impute-failed" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_run_that_has_only_begun_has_a_page(run, tmp_path, capsys):
    for file in run.glob("trials/*/result.json"):
        file.unlink()
    for file in run.glob("trials/*/attempts/0001/points.jsonl"):
        file.write_bytes(file.read_bytes()[:-20])  # the last line is half written
    report([run], out=tmp_path / "page.html")
    assert "0 of 4 trials are done" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["file/page.html", "/proc/page.html"])
def test_a_place_that_cannot_be_written_is_one_sentence(place, run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write the report .*page\.html: .*; choose a fol"):
        report([run], out=tmp_path / place)


def test_a_full_disk_leaves_the_former_page_and_nothing_beside_it(run, tmp_path, monkeypatch):
    page = tmp_path / "new" / "page.html"
    report([run], out=page)
    before = page.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match="No space left on device"):
        report([run], out=page)
    assert [file.name for file in page.parent.iterdir()] == ["page.html"]
    assert page.read_bytes() == before


def test_an_empty_folder_is_one_sentence_and_gets_no_page(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"is no run directory: it holds no run\.json"):
        report([tmp_path / "empty"])
    assert not list((tmp_path / "empty").iterdir())


def test_a_search_has_no_page(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(UserError, match=r"is a search, which has no page; give a folder with -o"):
        report([tmp_path], out=tmp_path / "page.html")


def test_only_the_formats_that_are_asked_for_are_written(run, tmp_path, capsys):
    report([run], out=tmp_path / "all", formats=["latex", "pdf", "parquet"])
    names = {file.name for file in (tmp_path / "all").iterdir()}
    kinds = {name.rpartition(".")[2] for name in names}
    assert kinds == {"html", "md", "tex", "pdf", "parquet"}
    assert {"table.tex", "sinusoids-hours.pdf", "points.parquet"} <= names
    text = (tmp_path / "all" / "table.tex").read_text()
    assert text.startswith(r"\begin{tabular}")
    assert r"gain\_random\_policy" in text
    assert (tmp_path / "all" / "sinusoids-hours.pdf").read_bytes().startswith(b"%PDF")
    report([run], out=tmp_path / "again", formats=["csv"])
    csv = pd.read_csv(tmp_path / "again" / "points.csv")
    parquet = pd.read_parquet(tmp_path / "all" / "points.parquet")
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    first = (tmp_path / "all" / "sinusoids-hours.pdf").read_bytes()
    report([run], out=tmp_path / "third", formats=["pdf"])
    assert (tmp_path / "third" / "sinusoids-hours.pdf").read_bytes() == first


def test_an_unknown_format_is_one_sentence(run):
    with pytest.raises(UserError, match=r"unknown format 'pgn'.*png"):
        report([run], formats=["pgn"])
    assert not (run / "report").exists()


def test_a_page_alone_takes_no_format(run, tmp_path):
    with pytest.raises(UserError, match="--format is for the files beside the page"):
        report([run], out=tmp_path / "page.html", formats=["csv"])


@pytest.fixture
def other(tmp_path):
    """A run of the same task with another method."""
    return run_inline(SUITE.replace("[methods.fixed]", "[methods.randaugment]"), tmp_path / "other")


def test_several_runs_are_shown_as_one(run, other, tmp_path, capsys):
    report([run, other], out=tmp_path / "both")
    first, *sentences = capsys.readouterr().out.splitlines()
    assert first == str(tmp_path / "both" / "report.html")
    assert sentences[0].startswith("- 6 of 6 trials are done (1 task, 3 methods, 2 folds, 1 seed)")
    table = pd.read_csv(tmp_path / "both" / "table.csv")
    assert list(table["method"]) == ["fixed", "none", "randaugment"]
    page = (tmp_path / "both" / "report.html").read_text(encoding="utf-8")
    assert f"augbench report {run} {other}" in page
    assert "several of the runs hold 2 finished units, with the same results" in page
    report([run, run], out=tmp_path / "one.html")
    assert "4 of 4 trials are done" in capsys.readouterr().out


@pytest.mark.parametrize("option", [{"band": "iqm"}, {"impute_failed": True}, {"formats": ["csv"]}])
def test_options_of_runs_are_refused_for_a_search(tmp_path, option):
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(UserError, match="is a search, whose report is not changed by --"):
        report([tmp_path], **option)


def test_several_runs_need_a_place(run, other):
    with pytest.raises(UserError, match="choose one with -o"):
        report([run, other])


def test_several_runs_of_other_options_are_one_sentence_and_no_page(run, tmp_path):
    out = run_inline(SUITE.replace("epochs = 2", "epochs = 1"), tmp_path / "third")
    with pytest.raises(UserError, match=r"means other options .*training\.epochs is 2 .* and 1"):
        report([run, out], out=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
