import csv
import shutil
from pathlib import Path

import pytest

from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.claims import COLUMNS
from augbench.analysis.paper.page import page, read_rows
from augbench.datasets.errors import UserError

DOCS = Path(__file__).parents[3] / "docs"
RESULTS = sorted((DOCS / "results").glob("*.csv"))
WORDS = ("why.csv", "remarks.csv", "disagreements.csv", "settings.csv")


def test_the_page_is_what_its_tables_say():
    assert (DOCS / "reproduction.md").read_text(encoding="utf-8") == page(DOCS)


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_a_table_of_results_is_one_that_augbench_wrote(file):
    rows = read_rows(file)
    assert rows
    assert {tuple(row) for row in rows} == {COLUMNS}
    stems = {"-".join(filter(None, (row["figure"], row["task"], row["scale"]))) for row in rows}
    assert stems == {file.stem}
    assert all("dirty" not in row["commit"] and row["commit"] != "unknown" for row in rows)


def test_every_claim_that_does_not_hold_has_a_reason():
    claims = [row for file in RESULTS for row in read_rows(file)]
    failed = {(row["figure"], row["measured"]) for row in claims if row["holds"] == "no"}
    reasons = {(row["figure"], row["measured"]) for row in read_rows(DOCS / "why.csv")}
    assert failed <= reasons
    assert reasons <= {(row["figure"], row["measured"]) for row in claims}


def test_every_figure_has_a_section_with_or_without_results(tmp_path):
    for name in WORDS:
        shutil.copy(DOCS / name, tmp_path)
    text = page(tmp_path)
    for name in FIGURES:
        assert f"## {name}\n\nNot run yet for this page; `augbench reproduce {name}` does." in text


def test_a_new_result_comes_onto_the_page(tmp_path):
    for name in WORDS:
        shutil.copy(DOCS / name, tmp_path)
    (tmp_path / "remarks.csv").write_text(
        "figures,task,scale,remark\nfig3 fig4,,small,From another suite.\n"
    )
    (tmp_path / "results").mkdir()
    row = dict.fromkeys(COLUMNS, "") | {"figure": "fig3", "scale": "small", "measured": "an angle"}
    row |= {"paper_said": "45", "value": "30.25", "low": "29", "high": "31", "unit": "degrees"}
    row |= {"seeds": "5", "holds": "no", "device": "cpu", "date": "2026-01-02", "commit": "abc"}
    row |= {"trials": "9 of 25"}
    with (tmp_path / "results" / "fig3-small.csv").open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerow(row)
    text = page(tmp_path)
    assert "| an angle | 45 | 30.2 degrees \\[29 to 31\\] | 5 | no |" in text
    assert (
        "`augbench reproduce fig3 --scale small`, on cpu, begun 2026-01-02 at commit abc; "
        "9 of 25 trials done. From another suite.\n"
    ) in text
    assert "| fig3 | an angle | not known |" in text


def test_every_unfinished_run_is_remarked_upon():
    remarks = read_rows(DOCS / "remarks.csv")
    remarked = {
        (name, row["task"], row["scale"]) for row in remarks for name in row["figures"].split()
    }
    for file in RESULTS:
        for row in read_rows(file):
            done, planned = row["trials"].split(" of ")
            run = (row["figure"], row["task"], row["scale"])
            assert done == planned or run in remarked, file


def test_a_missing_table_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*remarks.csv: No such file"):
        page(tmp_path)
