import errno
from pathlib import Path

import pandas as pd
import pytest

from augbench.analysis.figures import image_files
from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.report import write_report
from augbench.datasets.errors import UserError


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr(image_files, "DOTS_PER_INCH", 50)


TABLES = {
    *("report.html", "table.csv", "table.md", "points.csv", "learned.csv", "policies.csv"),
    *("gains.csv", "summary.csv", "overall.csv", "references.csv"),
}


KINDS = ("png", "svg", "csv")


def expected(*tasks, others=("profile",)):
    names = (*FIGURES, *others)
    return TABLES | {f"{task}-{name}.{kind}" for task in tasks for name in names for kind in KINDS}


def test_the_page_and_every_figure_as_png_svg_and_csv_come_beside_the_tables(grid, tmp_path):
    files = write_report(grid(2, 2, 2), tmp_path / "new" / "report")
    assert {file.name for file in files} == expected("task_0", "task_1")
    assert set((tmp_path / "new" / "report").iterdir()) == set(files)
    assert all(file.stat().st_size > 0 for file in files)


def test_six_tasks_have_ranks_too(grid, tmp_path):
    files = write_report(grid(3, 1, 6), tmp_path)
    ranks = {f"ranks.{kind}" for kind in KINDS}
    assert {file.name for file in files} == ranks | expected(*(f"task_{k}" for k in range(6)))
    assert len(pd.read_csv(tmp_path / "ranks.csv")) == 3


def test_the_same_results_give_the_same_bytes(grid, tmp_path):
    first = [file.read_bytes() for file in write_report(grid(2, 1), tmp_path)]
    second = [file.read_bytes() for file in write_report(grid(2, 1), tmp_path)]
    assert first == second


def test_the_points_are_written_as_they_are(grid, tmp_path):
    run = grid(2, 2)
    write_report(run, tmp_path)
    again = pd.read_csv(tmp_path / "points.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(again.astype(run.points.dtypes), run.points)


def test_a_run_without_points_says_so_in_one_sentence(trial, gather, tmp_path):
    run = gather(*(trial("none", fold, [], state="waiting") for fold in range(3)))
    files = write_report(run, tmp_path)
    assert {file.name for file in files} == expected("toy", others=())
    assert "\nNo point has been scored yet (0 of 3 trials done).\n" in (
        tmp_path / "table.md"
    ).read_text(encoding="utf-8")


def test_trials_that_are_skipped_are_told_apart_from_those_that_are_missing(
    trial, gather, tmp_path
):
    skipped = {"state": "skipped", "reason": "not for EEG"}
    run = gather(
        trial("none", 0, [(0.5, 0.4, 1.0, 1.0)]),
        *(trial("augerino", fold, [], **skipped) for fold in range(2)),
        trial("augerino", 0, [], task="waves", **skipped),
    )
    files = write_report(run, tmp_path)
    assert {file.name for file in files} == expected("toy")
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "\n1 of 1 trials done, 1 of 1 points scored.\n" in text
    assert "Not done" not in text
    assert text.endswith("\n- 3 skipped (augerino on toy, augerino on waves): not for EEG\n")
    assert "augerino" not in (tmp_path / "table.csv").read_text()


def test_a_run_without_trials_can_be_reported(gather, tmp_path):
    assert {file.name for file in write_report(gather(), tmp_path)} == TABLES


def test_an_unfinished_run_lists_what_is_missing_and_why(trial, gather, tmp_path):
    point = (0.5, 0.4, 1, 1)
    run = gather(
        trial("none", 0, [point]),
        trial("augnet", 0, [point], state="failed", known=4, reason="the worker was killed"),
    )
    write_report(run, tmp_path)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "1 of 2 trials done, 2 of 5 points scored." in text
    missing = "- toy augnet fold 0 seed 0: failed (the worker was killed), 1 of 4 points scored\n"
    assert text.endswith(f"Not done:\n\n{missing}")


def test_a_finished_run_lists_nothing_as_missing(grid, tmp_path):
    write_report(grid(1, 2), tmp_path)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "2 of 2 trials done, 8 of 8 points scored." in text
    assert "Not done" not in text


def test_a_task_label_cannot_lead_out_of_the_folder(trial, gather, tmp_path):
    run = gather(trial("none", 0, [(0.5, 0.4, 1, 1)], task="../a b"))
    files = write_report(run, tmp_path / "report")
    assert {file.parent for file in files} == {tmp_path / "report"}
    assert [file.name for file in files if file.name.startswith("a_b-")]


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(grid, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot write the report .*file.*; choose a folder"):
        write_report(grid(1, 1), tmp_path / "file" / "report")


def test_a_full_disk_leaves_the_old_report_whole_and_nothing_beside_it(grid, tmp_path, monkeypatch):
    files = write_report(grid(1, 1), tmp_path)
    before = {file: file.read_bytes() for file in files}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_report(grid(1, 2), tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
