"""What a trial of Ray Tune does and reports, in this process and without Ray."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import augbench.bench.unit.job
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import read_suite
from augbench.bench.search.rungs import unit_charge
from augbench.bench.search.search import make_search
from augbench.bench.search.tune import trainable
from augbench.bench.search.tune_trial import FOLDER, Report, TuneTrial, values_of
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.datasets.errors import UserError

Begin = Callable[..., TuneTrial]

SUITE: dict[str, Any] = {
    "name": "tiny",
    "folds": 2,
    "tasks": {
        "sinusoids": {"n_train": 60, "n_test": 8, "training": {"epochs": 4, "patience": 4}},
    },
    "methods": {
        "shift": {"method": "augnet", "layers": [["frequency_shift"]]},
        "policies": {"method": "random_policy", "n_policies": 2},
    },
}
STEPS = [1, 2, 3, 4]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "run" / FOLDER).mkdir(parents=True)
    return RunDirectory(tmp_path / "run")


@pytest.fixture
def begin(run: RunDirectory, tmp_path: Path) -> Begin:
    """A trial of Tune by its name, as its process begins it."""

    def new(
        name: str = "one", *, method: str = "shift", every: int = 0, **values: Any
    ) -> TuneTrial:
        suite = read_suite(SUITE, "tiny")
        search = make_search(suite, method, {}, sampler="tpe", seed=0, batch=1, prune=True)
        host = Host(tmp_path, score_test=False)
        return TuneTrial(run, search, name, values, host, every)

    return new


def to_its_end(trial: TuneTrial) -> list[Report]:
    reports = [trial.advance()]
    while not reports[-1].done:
        assert len(reports) < 20
        reports.append(trial.advance())
    return reports


def units(run: RunDirectory) -> list[UnitDirectory]:
    return [UnitDirectory(file.parent) for file in run.path.glob("*/*/spec.json")]


def ledger_hours(run: RunDirectory) -> float:
    return sum(unit_charge(unit).seconds for unit in units(run)) / 3600


def test_each_report_is_what_the_units_have_shown_and_cost_so_far(
    begin: Begin, run: RunDirectory, tmp_path: Path
) -> None:
    reports = to_its_end(begin(penalty=0.2))
    assert [report.step for report in reports] == STEPS
    assert [report.done for report in reports] == [False, False, False, True]
    rows = [unit.points() for unit in units(run)]
    for report in reports:
        best = [max(row["valid"] for row in each if row["step"] <= report.step) for each in rows]
        assert report.valid == pytest.approx(np.mean(best))
    for field in ("device_hours", "samples"):
        costs = [getattr(report, field) for report in reports]
        assert costs == sorted(set(costs)), field
    assert reports[-1].device_hours == pytest.approx(ledger_hours(run), rel=1e-12)
    results = [unit.result() for unit in units(run)]
    samples = [cost for r in results if r for cost in r["costs"].values()]
    assert reports[-1].samples == sum(cost["forward"] + cost["backward"] for cost in samples)
    assert [accounting_error(unit) for unit in units(run)] == pytest.approx([0, 0], abs=1e-6)


def test_pauses_change_no_result(begin: Begin, run: RunDirectory, tmp_path: Path) -> None:
    to_its_end(begin(penalty=0.2))
    alone = RunDirectory(tmp_path / "alone")
    alone.path.mkdir()
    for unit in units(run):
        name = UnitId("trials", unit.path.name)
        alone.add_unit(name, unit.spec())
        do_unit(alone, name, Host(tmp_path, score_test=False))
        without, paused = alone.unit(name).result(), unit.result()
        assert without is not None
        assert paused is not None
        assert paused["weights"] == without["weights"]  # their digest: the same bits
        assert [row["valid"] for row in unit.points()] == [
            row["valid"] for row in alone.unit(name).points()
        ]


def test_trials_with_equal_values_share_what_they_do_and_one_is_charged(
    begin: Begin, run: RunDirectory
) -> None:
    first, second = begin("first", penalty=0.2), begin("second", penalty=0.2)
    reports: dict[str, list[Report]] = {"first": [], "second": []}
    for name in ("first", "first", "second", "second", "second", "first", "second", "first"):
        trial = first if name == "first" else second
        reports[name].append(trial.advance())
    assert [report.step for report in reports["first"]] == STEPS
    assert [report.step for report in reports["second"]] == STEPS
    assert [r.valid for r in reports["first"]] == [r.valid for r in reports["second"]]
    assert reports["second"][1].device_hours == 0.0  # the first had done it
    assert reports["second"][2].device_hours > 0.0
    hours = reports["first"][-1].device_hours + reports["second"][-1].device_hours
    assert hours == pytest.approx(ledger_hours(run), rel=1e-12)
    assert len(units(run)) == 2
    third = to_its_end(begin("third", penalty=0.2))
    assert [report.step for report in third] == STEPS
    assert [report.device_hours for report in third] == [0.0] * 4


def test_a_trial_that_goes_on_in_another_process_reports_the_next_steps(
    begin: Begin, run: RunDirectory
) -> None:
    trial = begin(penalty=0.2)
    trial.advance()
    trial.advance()
    reports = to_its_end(begin(penalty=0.2))
    assert [report.step for report in reports] == [3, 4]
    assert reports[-1].device_hours == pytest.approx(ledger_hours(run), rel=1e-12)
    # Tune has forgotten that it has ended.
    again = begin(penalty=0.2).advance()
    assert again == reports[-1]


def test_what_a_killed_process_had_no_time_to_note_is_charged_when_it_goes_on(
    begin: Begin, run: RunDirectory
) -> None:
    trial = begin(penalty=0.2)
    trial.advance()
    noted = (run.path / FOLDER / "one.json").read_bytes()
    trial.advance()
    (run.path / FOLDER / "one.json").write_bytes(noted)
    reports = to_its_end(begin(penalty=0.2))
    assert [report.step for report in reports] == [2, 3, 4]
    assert reports[-1].device_hours == pytest.approx(ledger_hours(run), rel=1e-12)


def test_a_trial_that_goes_on_with_other_values_is_refused(begin: Begin) -> None:
    begin(penalty=0.2).advance()
    with pytest.raises(
        UserError, match=r"penalty 0\.2 became penalty 0\.5 .*as PBT does"
    ) as caught:
        begin(penalty=0.5)
    assert "\n" not in str(caught.value)


def test_a_unit_that_fails_is_named_and_goes_on_at_the_next_call(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begin(penalty=0.2)
    trial.advance()
    do, n_calls = augbench.bench.engines.inline.do_unit, 0

    def fails(*args: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise RuntimeError("out of luck")
        do(*args)

    monkeypatch.setattr(augbench.bench.engines.inline, "do_unit", fails)
    with pytest.raises(UserError, match=r"^trials/[0-9a-f]{12} failed: RuntimeError: out of luck$"):
        trial.advance()
    assert [report.step for report in to_its_end(trial)] == [2, 3, 4]


def test_a_trial_that_diverges_ends_with_the_metric_of_none(begin: Begin) -> None:
    reports = to_its_end(begin(penalty=0.2, **{"training.learning_rate": 1e30}))
    assert reports[-1].valid == 0.0
    assert reports[-1].step == 1
    twin = to_its_end(begin("two", penalty=0.2, **{"training.learning_rate": 1e30}))
    assert [(report.valid, report.step) for report in twin] == [(0.0, 1)]


def test_reports_are_at_most_thirty_or_as_far_apart_as_was_asked(begin: Begin) -> None:
    assert [report.step for report in to_its_end(begin(every=3, penalty=0.2))] == [3, 4]
    values = {"training.epochs": 61, "training.patience": 61, "penalty": 0.2}
    assert begin("two", **values).advance().step == 3


def test_an_early_stop_ends_the_trial_at_the_step_of_its_longest_unit(
    begin: Begin, run: RunDirectory
) -> None:
    reports = to_its_end(begin(**{"training.epochs": 20, "training.patience": 1}))
    longest = max(r["steps"] for unit in units(run) if (r := unit.result()))
    assert longest < 20
    assert [report.step for report in reports] == list(range(1, longest + 1))


def test_a_method_that_ends_in_policies_reports_once_and_is_charged_for_retrainings(
    begin: Begin, run: RunDirectory
) -> None:
    (report,) = to_its_end(begin(method="policies"))
    assert list(run.path.glob("evaluations/*/result.json"))
    assert report.device_hours == pytest.approx(ledger_hours(run), rel=1e-12)
    assert 0.0 < report.valid <= 1.0


def test_what_is_damaged_is_done_again(begin: Begin, run: RunDirectory) -> None:
    before = to_its_end(begin(method="policies"))
    next(run.path.glob("trials/*/policies/*.json")).unlink()
    next(run.path.glob("evaluations/*/result.json")).write_text("no result")
    after = to_its_end(begin("two", method="policies"))
    assert after[-1].valid == before[-1].valid
    (run.path / FOLDER / "one.json").write_text("no record")
    with pytest.raises(
        UserError, match=r"one\.json is damaged .* move it away and go on"
    ) as caught:
        begin("three", method="policies").advance()
    assert "\n" not in str(caught.value)


def test_the_test_split_is_never_scored(
    begin: Begin, run: RunDirectory, without_test_split: Callable[[], None]
) -> None:
    without_test_split()
    to_its_end(begin(penalty=0.2))
    assert not any("test" in row for unit in units(run) for row in unit.points())
    assert not list(run.path.rglob("predictions*"))


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"penalti": 1}, "did you mean 'penalty'"),
        ({"penalty": -1.0}, "penalty is -1.0; it has to be 0 or more"),
        ({"training.epoch": 3}, "did you mean 'epochs'"),
        ({"training": 3}, "training"),
    ],
)
def test_bad_values_are_one_sentence_and_begin_nothing(
    values: dict[str, Any], part: str, begin: Begin, run: RunDirectory
) -> None:
    with pytest.raises(UserError) as caught:
        begin(**values)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not units(run)


def test_options_are_read_from_what_tune_chooses() -> None:
    config = {
        "lambda": np.float64(0.5),
        "warm_up": np.int64(3),
        "training": {"learning_rate": 1e-3},
        "training.epochs": 4,
        "at_eval": "blend",
        "layers": [("frequency_shift", "gaussian_noise")],
    }
    assert values_of(config) == {
        "penalty": 0.5,
        "warm_up": 3,
        "training.learning_rate": 1e-3,
        "training.epochs": 4,
        "at_eval": "blend",
        "layers": [["frequency_shift", "gaussian_noise"]],
    }
    assert json.dumps(values_of(config))
    with pytest.raises(UserError, match="param_space gives 'penalty' a object; an option takes"):
        values_of({"penalty": object()})


def test_a_trainable_is_refused_before_anything_begins(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(UserError, match="unknown method 'augnt'; did you mean 'augnet'"):
        trainable(SUITE, "augnt", out=tmp_path / "r")
    with pytest.raises(UserError, match="report_every is 0; it has to be 1 or more"):
        trainable(SUITE, "shift", out=tmp_path / "r", report_every=0)
    with pytest.raises(UserError, match="unknown suite 'sinusoid'; did you mean 'sinusoids'"):
        trainable("sinusoid", "shift", out=tmp_path / "r")
    trainable(SUITE, "shift", out=tmp_path / "r")
    trainable(SUITE, "shift", out=tmp_path / "r")
    with pytest.raises(UserError, match="holds the trials of another method: choose another dir"):
        trainable(SUITE, "policies", out=tmp_path / "r")
    with pytest.raises(UserError, match="holds the trials of another suite"):
        trainable({**SUITE, "folds": 1}, "shift", out=tmp_path / "r")
