from dataclasses import replace

import pytest

from augbench.analysis.tables.frame import results
from augbench.analysis.tables.scores import (
    HEADER,
    SEARCHED,
    score_markdown,
    score_rows,
    score_table,
)


@pytest.fixture
def run(trial, gather):
    """Finals: none .50 .60 .70; augnet .65 .62 .90 (fold 2 under way); adda has fold 1 only."""
    return gather(
        *(trial("none", fold, [(0.5, 0.5 + 0.1 * fold, 1, 1)]) for fold in range(3)),
        trial("augnet", 0, [(0.8, 0.65, 2, 2), (0.7, 0.99, 5, 5)]),
        trial("augnet", 1, [(0.6, 0.62, 4, 4)]),
        trial("augnet", 2, [(0.9, 0.9, 3, 3)], state="running"),
        trial("random_policy", 0, [], state="waiting"),
        trial("random_policy", 1, [(0.5, 0.58, 3, 3), (0.6, 0.61, 2.5, 5)]),
        trial("random_policy", 2, [], state="waiting"),
        *(trial("adda", fold, [], state="waiting") for fold in range(3)),
    )


def row(scores, method):
    return scores.set_index("method").loc[method]


def test_the_final_test_value_is_that_of_the_best_validation(run):
    augnet = row(score_table(run), "augnet")
    assert augnet["test"] == pytest.approx(0.65)  # of .62 .65 .90; never the .99
    assert augnet["test_q1"] == pytest.approx(0.635)
    assert augnet["test_q3"] == pytest.approx(0.775)
    assert augnet["valid"] == pytest.approx(0.8)


def test_trials_scored_done_and_planned_are_told_apart(run):
    scores = score_table(run).set_index("method")[["scored", "done", "planned"]]
    assert scores.loc["augnet"].tolist() == [3, 2, 3]
    assert scores.loc["random_policy"].tolist() == [1, 1, 3]
    assert scores.loc["adda"].tolist() == [0, 0, 3]


def test_the_cost_is_that_of_the_whole_trial_in_either_reading(run):
    scores = score_table(run)
    assert row(scores, "augnet")["hours_full"] == 4  # of 5 4 3
    policy = row(scores, "random_policy")
    assert (policy["hours_paper"], policy["hours_full"]) == (3, 5)  # its curve ends at 3, not 2.5
    assert (policy["forward_paper"], policy["backward_full"]) == (3000, 2500)


def test_gains_are_medians_of_differences_between_trials_of_equal_fold_and_seed(run):
    augnet = row(score_table(run), "augnet")
    assert augnet["gain_none"] == pytest.approx(0.15)  # of .15 .02 .20; medians differ by .05
    assert augnet["pairs_none"] == 3
    assert augnet["gain_random_policy"] == pytest.approx(0.01)  # fold 1 only
    assert augnet["pairs_random_policy"] == 1


def test_a_method_has_no_gain_over_itself_or_over_what_is_not_there(run, trial, gather):
    scores = score_table(run)
    assert row(scores, "none")["pairs_none"] == 0
    alone = score_table(gather(trial("augnet", 0, [(0.8, 0.65, 2, 2)])))
    assert alone[["gain_none", "gain_random_policy"]].isna().all(axis=None)


def test_a_reference_is_what_its_method_is_whatever_its_label(trial, gather):
    run = gather(
        trial("plain", 0, [(0.5, 0.5, 1, 1)]),
        trial("none", 0, [(0.5, 0.7, 1, 1)]),
        trial("augnet", 0, [(0.5, 0.9, 1, 1)]),
    )
    named = score_table(replace(run, methods={"plain": "none", "none": "fixed"}))
    assert row(named, "augnet")["gain_none"] == pytest.approx(0.4)
    assert (row(named, "none")["pairs_none"], row(named, "plain")["pairs_none"]) == (1, 0)
    both = score_table(replace(run, methods={"plain": "none"}))  # the one of that name comes first
    assert row(both, "augnet")["gain_none"] == pytest.approx(0.2)


def test_seeds_are_not_paired_with_each_other(trial, gather):
    scores = score_table(
        gather(
            trial("none", 0, [(0.5, 0.5, 1, 1)], seed=0),
            trial("augnet", 0, [(0.5, 0.9, 1, 1)], seed=1),
        )
    )
    assert row(scores, "augnet")["pairs_none"] == 0


def test_tasks_are_not_mixed(trial, gather):
    scores = score_table(
        gather(
            *(trial("none", 0, [(0.5, test, 1, 1)], task=t) for t, test in (("a", 0.1), ("b", 0.9)))
        )
    )
    assert scores[["task", "test"]].values.tolist() == [["a", 0.1], ["b", 0.9]]


def test_hours_of_a_shared_gpu_are_left_out_unless_asked_for_but_the_score_is_not(trial, gather):
    run = gather(
        trial("augnet", 0, [(0.5, 0.2, 1, 1)]),
        trial("augnet", 1, [(0.5, 0.4, 9, 9)], device="gpu", shared=True),
    )
    alone, asked = (row(score_table(run, include_shared=ask), "augnet") for ask in (False, True))
    assert (alone["hours_full"], alone["timed"], alone["forward_full"]) == (1, 1, 5000)
    assert (asked["hours_full"], asked["timed"]) == (5, 2)
    assert alone["test"] == asked["test"] == pytest.approx(0.3)


def test_the_text_names_what_is_known_and_dashes_what_is_not(run):
    rows = {cells[1]: cells for cells in score_rows(score_table(run))[1:]}
    assert rows["augnet"][2:] == [
        *("0.650 [0.635, 0.775]", "0.800", "+0.150", "+0.010", "4.00 / 4.00 hours"),
        *("4.00k / 4.00k", "2.00k / 2.00k", "2 of 3"),
    ]
    assert rows["adda"][2:] == ["-"] * 7 + ["0 of 3"]


def test_every_text_row_is_as_long_as_the_header(grid):
    rows = score_rows(score_table(grid(7, 5, 2)))
    assert rows[0] == list(HEADER)
    assert [len(cells) for cells in rows] == [len(HEADER)] * 15


def test_short_suites_are_told_in_seconds(trial, gather):
    scores = score_table(gather(trial("none", 0, [(0.5, 0.5, 0.01, 0.01)])))
    assert score_rows(scores)[1][6] == "36.0 / 36.0 seconds"


def test_markdown_keeps_its_columns_when_a_label_holds_a_bar(trial, gather):
    text = score_markdown(score_table(gather(trial("a|b", 0, [(0.5, 0.5, 1, 1)]))))
    assert "| a\\|b |" in text
    assert {line.replace("\\|", "").count("|") for line in text.splitlines()} == {len(HEADER) + 1}


def test_no_trials_give_a_header_only():
    assert score_rows(score_table(results([], [], "nothing"))) == [list(HEADER)]


def test_a_search_that_chose_options_has_a_column_of_its_own(run):
    assert score_table(run)["hours_search"].isna().all()
    searched = replace(run, search_hours={"augnet": 2.5})
    scores = score_table(searched)
    assert row(scores, "augnet")["hours_search"] == 2.5
    assert row(scores, "augnet")["hours_full"] == row(score_table(run), "augnet")["hours_full"]
    header, *rows = score_rows(scores)
    column = header.index(SEARCHED)
    assert {cells[1]: cells[column] for cells in rows} == {
        "none": "-",
        "augnet": "2.50 hours",
        "random_policy": "-",
        "adda": "-",
    }


def test_hours_of_several_devices_name_theirs(trial, gather):
    point = [(0.5, 0.1, 1, 1)]
    run = gather(
        trial("a", 0, point),
        trial("a", 1, point, device="gpu"),
        trial("b", 0, point, device="gpu"),
        trial("a", 0, point, task="zoo"),
    )
    times = [
        cells[HEADER.index("device time, paper / full")]
        for cells in score_rows(score_table(run))[1:]
    ]
    assert times == [
        "60.0 / 60.0 minutes on cpu and gpu",
        "60.0 / 60.0 minutes on gpu",
        "60.0 / 60.0 minutes",
    ]
