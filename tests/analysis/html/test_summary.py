from dataclasses import replace

import pytest

from augbench.analysis.html.history import History
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.summary import sentences


def told(results, **options):
    return sentences(ReportData(results, History(), **options))


def one(test, hours=1.0):
    return [(0.5, test, hours, hours)]


def test_the_first_sentence_is_how_far_the_run_is(trial, gather):
    run = gather(trial("none", 0, one(0.5)), trial("none", 1, one(0.5), state="running", known=3))
    assert told(run)[0] == (
        "1 of 2 trials are done (1 task, 1 method, 2 folds, 1 seed); 2 of 4 points are scored."
    )


def test_the_best_stands_beside_the_references(trial, gather):
    tests = {"none": (0.4, 0.5, 0.6), "random_policy": (0.5, 0.6, 0.7), "mine": (0.6, 0.7, 0.8)}
    run = gather(
        *(
            trial(method, fold, one(test))
            for method, values in tests.items()
            for fold, test in enumerate(values)
        )
    )
    assert told(run)[1] == (
        "toy: mine has the highest median test balanced accuracy, 0.700 (quartiles 0.650 to 0.750, "
        "n = 3); the references: none 0.500 (quartiles 0.450 to 0.550, n = 3), random_policy 0.600 "
        "(quartiles 0.550 to 0.650, n = 3)."
    )


def test_a_reference_that_is_best_is_not_compared_with_itself(trial, gather):
    run = gather(trial("none", 0, one(0.8)), trial("mine", 0, one(0.6)))
    assert told(run)[1].startswith("toy: none has the highest")
    assert "reference" not in told(run)[1]


def test_methods_that_are_equal_at_the_digits_shown_are_no_winners(trial, gather):
    ends = {"none": 0.2861, "amp_jitter": 0.2859, "augnet": 0.2}
    run = gather(*(trial(method, 0, one(test)) for method, test in ends.items()))
    assert told(run)[1] == (
        "toy: none and amp_jitter are equal, at 0.286, the highest median test balanced accuracy; "
        "the other method: augnet 0.200."
    )
    run = gather(*(trial(method, 0, one(0.5)) for method in ("none", "mine", "augnet")))
    assert "none, augnet and mine" in told(run)[1] or "none, mine and augnet" in told(run)[1]
    assert told(run)[1].endswith("are equal, at 0.500, the highest median test balanced accuracy.")


def test_a_reference_below_a_tie_is_named(trial, gather):
    ends = {"none": 0.2, "mine": 0.5, "other": 0.5}
    run = gather(*(trial(method, 0, one(test)) for method, test in ends.items()))
    assert told(run)[1].endswith("the reference: none 0.200 (n = 1).")
    assert "mine and other are equal, at 0.500" in told(run)[1]


@pytest.mark.parametrize("n_methods", [5, 6])
def test_the_medians_of_up_to_five_methods_are_named(trial, gather, n_methods):
    run = gather(*(trial(f"m{i}", 0, one(0.9 - i / 10)) for i in range(n_methods)))
    rest = "; the other methods: m1 0.800, m2 0.700, m3 0.600, m4 0.500."
    assert told(run)[1].endswith(rest) is (n_methods == 5)
    assert "m0 has the highest" in told(run)[1]


def spread(trial, gather, within, between, n):
    """Two methods whose trials lie ``within`` of their mean, which lie ``between`` apart."""
    return gather(
        *(
            trial(method, fold, one(0.5 + shift + within * (-1) ** fold))
            for method, shift in (("none", 0.0), ("mine", between))
            for fold in range(n)
        )
    )


def test_it_says_whether_folds_differ_by_more_than_methods(trial, gather):
    more = told(spread(trial, gather, 0.1, 0.02, 8))[2]
    assert more == (
        "toy: between folds, the scores of one method differ by 0.107 (standard deviation); "
        "between methods, the mean scores differ by 0.014. So folds change a score more than "
        "methods do."
    )
    assert (
        "differ by 0.011 (standard deviation); between methods, the mean scores differ by 0.141. "
        "So folds change a score less than methods do."
        in told(spread(trial, gather, 0.01, 0.2, 8))[2]
    )


@pytest.mark.parametrize(("n", "p"), [(2, "0.5"), (3, "0.25"), (5, "0.062")])
def test_with_few_folds_it_says_that_no_order_can_be_read(trial, gather, n, p):
    sentence = told(spread(trial, gather, 0.01, 0.2, n))[2]
    assert f"With n = {n}, a method can be the best in each of them by chance alone" in sentence
    assert sentence.endswith(f"(sign test: p = {p}), so this run shows no order of methods.")


def test_a_trial_under_way_does_not_count_among_the_folds(trial, gather):
    runs = [trial(name, 0, one(score)) for name, score in (("none", 0.8), ("mine", 0.6))]
    half = trial("mine", 1, one(0.4), state="running")
    assert told(gather(*runs, half))[2] == (
        "toy: each method has one trial, so chance cannot be told from a difference."
    )


def test_one_trial_for_each_method_says_nothing_of_chance(trial, gather):
    run = gather(trial("none", 0, one(0.8)), trial("mine", 0, one(0.6)))
    assert told(run)[2] == (
        "toy: each method has one trial, so chance cannot be told from a difference."
    )


def test_costs_are_the_sum_of_all_trials_in_the_full_reading(trial, gather):
    run = gather(
        trial("none", 0, [(0.5, 0.4, 1, 1.5), (0.6, 0.5, 2, 3)]), trial("mine", 0, one(0.4, 4))
    )
    assert told(run)[3] == (
        "All trials together were charged 7.00 device hours on cpu (full reading: the search and "
        "every retraining of a policy; the paper reading counts one retraining) for 7.00 thousand "
        "samples forward."
    )


def test_what_went_wrong_is_counted_by_kind(trial, gather):
    run = gather(
        trial("none", 0, one(0.4)),
        trial("none", 1, [], state="failed", reason="killed"),
        trial("none", 2, [], state="diverged"),
        trial("none", 3, [], state="waiting"),
        trial("none", 4, one(0.4), known=2),
        trial("mine", 0, [], state="skipped", reason="no"),
    )
    assert told(run)[-1] == (
        "Trials that are not done: 1 diverged, 1 over, but without some of their points, 1 failed, "
        "1 waiting, 1 skipped, since the method does not fit the task."
    )
    assert told(gather(trial("none", 0, one(0.4))))[-1] == "No trial failed, and none was skipped."


def test_hours_that_are_too_long_or_left_out_are_named(trial, gather):
    busy = trial("none", 0, one(0.4))
    busy[1][0]["busy"] = 0.5
    run = gather(busy, trial("mine", 0, one(0.4), shared=True))
    sentence = told(run)[4]
    assert sentence == (
        "1 of 2 trials had a processor for less than 90% of their time, so that their hours are "
        "too long; 1 of 2 trials shared their GPU, and their hours are left out."
    )
    assert "kept all the same" in told(run, include_shared=True)[4]


def test_many_tasks_do_not_make_many_sentences(grid):
    assert len(told(grid(2, 3, 9))) <= 8
    assert "The table of scores has 7 tasks more." in told(grid(2, 3, 9))


def test_a_label_cannot_break_a_line_of_the_terminal(trial, gather):
    assert all("\n" not in line for line in told(gather(trial("a\nb\x1b[31m", 0, one(0.4)))))


def test_a_reference_is_what_its_method_is_whatever_its_label(trial, gather):
    ends = {"best": 0.9, "plain": 0.5, "none": 0.4}
    run = gather(*(trial(label, 0, [(0.5, end, 1, 1)]) for label, end in ends.items()))
    run = replace(run, methods={"best": "adda", "plain": "none", "none": "augnet"})
    found = next(sentence for sentence in told(run) if "best" in sentence)
    assert "the reference: plain 0.500" in found
    assert found.endswith("the other method: none 0.400.")  # and no reference
