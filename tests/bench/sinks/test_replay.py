"""What every sink promises: it holds what the run holds, once, whatever happened meanwhile."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.library import run_suite
from augbench.bench.sinks import SINKS
from augbench.bench.sinks.journal import Journal
from augbench.bench.sinks.replay import Told
from augbench.bench.sinks.sink import SinkError
from augbench.bench.store.files import append_line, hold_lock, write_json
from augbench.bench.store.learned import read_learned
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from by_hand import LEARNED, begin, costs, end, evaluation_of, finish, made_by_hand, model_row
from sink_readers import READERS, Shown

Tell = Callable[..., Told]
Models = Callable[..., UnitDirectory]

every_sink = pytest.mark.parametrize("kind", SINKS)
HAND = "digits/random_policy/fold 0 seed 0"
MODEL = "digits/none/fold 0 seed 0"
LATER = {"costs": costs(search=3600.0)}


def test_every_sink_has_a_reader() -> None:
    assert set(READERS) == set(SINKS)


def valid(shown: Shown) -> list[tuple[int, float]]:
    """Sorted, because MLflow sorts by time, and a short retraining may end before a long one."""
    return sorted((step, round(value, 6)) for step, value in shown.points.get("valid", []))


@every_sink
def test_it_holds_what_the_report_holds(kind: str, learned_run: Path, tell_copy: Tell) -> None:
    run = tell_copy(kind)
    shown = READERS[kind](run)
    directory, suite = open_run(run)
    for point in read_points(directory, suite.plan):
        trial = shown[f"{point['task']}/{point['method']}/fold 0 seed 0"]
        number = point["point"] - 1
        for name, column in (
            ("valid", "valid"),
            ("test", "test"),
            ("device_hours", "hours_paper"),
            ("device_hours_full", "hours_full"),
            ("samples_forward", "forward_paper"),
            ("samples_backward_full", "backward_full"),
        ):
            assert trial.points[name][number] == (point["step"], pytest.approx(point[column]))
        if trial.seconds:
            hours = trial.seconds["valid"][number] / 3600
            assert hours == pytest.approx(point["hours_paper"], abs=1e-6)
        assert trial.ended_well is True
        assert trial.status == "done"
    learned = read_learned(directory, suite.plan)
    assert learned
    for each in learned:
        trial = shown[f"digits/{each['method']}/fold 0 seed 0"]
        above = f"learned/layer {each['layer']}/{each['transform']}"
        found = {name: trial.points[f"{above}/{name}"] for name in ("weight", "magnitude")}
        number = each["point"] - 1
        assert found["weight"][number] == (each["step"], pytest.approx(each["weight"]))
        assert found["magnitude"][number] == (each["step"], pytest.approx(each["magnitude"]))
        in_units = trial.points[f"{above}/{each['unit']}"]
        assert in_units[number] == (each["step"], pytest.approx(each["value"], rel=1e-6))
        assert trial.points["loss"][number][1] == pytest.approx(each["loss"])


@pytest.fixture
def tell_copy(learned_run: Path, tmp_path: Path, told: Tell) -> Callable[[str], Path]:
    """A copy of the finished run, told to a sink."""

    def tell(kind: str) -> Path:
        run = Path(shutil.copytree(learned_run, tmp_path / "copy"))
        told(kind, run)
        return run

    return tell


@every_sink
def test_the_options_of_a_trial_are_its_parameters(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    models(model_row(1))
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert str(shown.parameters["training.epochs"]).removesuffix(".0") == "7"
    assert shown.parameters["method"] == "none"
    assert shown.parameters["budget.steps"] == "none"


@every_sink
def test_it_grows_with_the_run_and_nothing_is_there_twice(
    kind: str, tmp_path: Path, told: Tell
) -> None:
    run = made_by_hand(tmp_path)
    assert told(kind, run.path).n_points == 0
    (shown,) = READERS[kind](run.path).values()
    assert not shown.points
    assert shown.ended_well is None
    finish(run, "first")
    assert told(kind, run.path).n_points == 1
    assert told(kind, run.path).n_points == 0
    shown = READERS[kind](run.path)[HAND]
    assert valid(shown) == [(1, 0.5)]
    assert shown.ended_well is None
    finish(run, "second")
    assert len(told(kind, run.path).trials) == 1
    last = told(kind, run.path)
    assert (last.trials, last.n_up_to_date) == (set(), 1)
    shown = READERS[kind](run.path)[HAND]
    assert valid(shown) == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert [step for step, _ in shown.points["learned/layer 2/t 2/hertz"]] == [2]
    assert shown.ended_well is True
    assert shown.policy is not None
    assert shown.policy["subpolicies"][0]["weight"] == 1.0  # the older of equal ones


@every_sink
def test_an_attempt_that_is_done_again_leaves_no_ghost_points(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    unit = models(model_row(1), model_row(2, valid=0.6), model_row(3, valid=0.7))
    told(kind, tmp_path / "models")
    assert valid(READERS[kind](tmp_path / "models")[MODEL]) == [(1, 0.5), (2, 0.6), (3, 0.7)]
    begin(unit, model_row(2, valid=0.6, **LATER))
    end(unit, points=2, points_digest=unit.points_digest(2))
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert valid(shown) == [(1, 0.5), (2, 0.6)]
    assert shown.points["device_hours"][1] == (2, pytest.approx(1.0))


@every_sink
def test_a_failed_trial_says_why_and_goes_on_when_it_is_tried_again(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    unit = models(model_row(1))
    reason = "a worker died | twice\nof hunger"
    write_json(unit.failure_file, {"reason": reason})
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert shown.ended_well is False
    assert shown.status.startswith("failed: a worker died ")
    unit.failure_file.unlink()
    begin(unit, model_row(2))
    end(unit)
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert shown.ended_well is True
    assert shown.status == "done"
    assert valid(shown) == [(1, 0.5), (2, 0.5)]


@every_sink
def test_a_process_that_is_killed_while_it_writes_leaves_nothing_twice(
    kind: str, models: Models, tmp_path: Path, told: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    unit = models(model_row(1))
    for number in (2, 3):
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "close", killed)  # the sink was told, the journal was not
            with pytest.raises(KeyboardInterrupt):
                told(kind, tmp_path / "models")
        append_line(unit.attempts()[-1].points_file, model_row(number))
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert valid(shown) == [(1, 0.5), (2, 0.5), (3, 0.5)]
    append_line(unit.attempts()[-1].points_file, model_row(4))
    assert told(kind, tmp_path / "models").n_points in (1, 4)  # W&B writes an old run anew
    assert len(valid(READERS[kind](tmp_path / "models")[MODEL])) == 4


@every_sink
def test_a_live_run_is_added_to_as_it_grows(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    unit = models(model_row(1))
    attempt = unit.attempts()[-1]
    left = [model_row(2), model_row(3)]

    def beat() -> None:
        write_json(attempt.pulse_file, {"time": time.time(), "lived": 1.0})

    def wait(_: float) -> None:
        append_line(attempt.points_file, left.pop(0))
        beat()

    beat()
    run = tmp_path / "models"
    assert told(kind, run, is_over=lambda: not left, wait=wait).n_points == 3
    (shown,) = READERS[kind](run).values()
    assert valid(shown) == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert shown.ended_well is None


@every_sink
def test_what_somebody_has_deleted_is_written_again(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    end(models(model_row(1)))
    told(kind, tmp_path / "models")
    shutil.rmtree(tmp_path / "models" / "logs" / kind)
    told(kind, tmp_path / "models")
    assert valid(READERS[kind](tmp_path / "models")[MODEL]) == [(1, 0.5)]


@every_sink
def test_numbers_that_are_not_finite_are_left_out(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    inf = float("inf")
    layer = [{**LEARNED, "value": inf}]
    models(model_row(1, learned={"loss": float("nan"), "entropy": 2.0, "layers": [layer]}))
    told(kind, tmp_path / "models")
    (shown,) = READERS[kind](tmp_path / "models").values()
    assert shown.points["learned/entropy"] == [(1, 2.0)]
    assert "loss" not in shown.points
    assert "learned/layer 1/t/hertz" not in shown.points
    assert shown.points["learned/layer 1/t/weight"] == [(1, 1.0)]


@every_sink
def test_a_run_of_which_nothing_has_begun_is_no_error(
    kind: str, models: Models, tmp_path: Path, told: Tell
) -> None:
    unit = models()
    for folder in (unit.path / "attempts").iterdir():
        (folder / "log.jsonl").unlink()
    answer = told(kind, tmp_path / "models")
    assert (answer.trials, answer.n_points) == (set(), 0)


def test_a_damaged_trial_is_marked_and_the_others_are_there(
    models: Models, tmp_path: Path, told: Tell
) -> None:
    end(models(model_row(1)))
    run, suite = open_run(tmp_path / "models")
    second = run.add_unit(suite.plan[1].spec.unit, suite.plan[1].spec.to_json())
    begin(second, model_row(1))
    second.attempts()[0].points_file.write_text("no point\n")
    told("tensorboard", run.path)
    shown = READERS["tensorboard"](run.path)
    assert valid(shown[MODEL]) == [(1, 0.5)]
    assert shown["digits/none/fold 1 seed 0"].ended_well is False
    assert shown["digits/none/fold 1 seed 0"].status.startswith("damaged: ")


def test_a_diverged_retraining_is_marked_when_it_is_known(tmp_path: Path, told: Tell) -> None:
    run = made_by_hand(tmp_path)
    finish(run, "first")
    write_json(evaluation_of(run, "second").failure_file, {"reason": "no memory"})
    told("tensorboard", run.path)
    assert READERS["tensorboard"](run.path)[HAND].status == "failed: no memory"
    evaluation_of(run, "second").failure_file.unlink()
    finish(run, "second", "diverged: a loss is nan")
    told("tensorboard", run.path)
    shown = READERS["tensorboard"](run.path)[HAND]
    assert shown.status == "diverged: a loss is nan"
    assert valid(shown) == [(1, 0.5), (3, 0.5)]


def test_one_process_looks_again_at_what_failed_before(
    models: Models, tmp_path: Path, told: Tell
) -> None:
    unit = models(model_row(1))
    write_json(unit.failure_file, {"reason": "no memory"})
    looks = iter([False, True])

    def wait(_: float) -> None:
        unit.failure_file.unlink()
        begin(unit, model_row(2))
        end(unit)

    run = tmp_path / "models"
    told("tensorboard", run, is_over=lambda: next(looks), wait=wait)
    assert READERS["tensorboard"](run)[MODEL].status == "done"


def test_two_processes_do_not_log_one_run_to_one_place(
    models: Models, tmp_path: Path, told: Tell
) -> None:
    end(models(model_row(1)))
    run = tmp_path / "models"
    told("tensorboard", run)
    with (
        hold_lock(run / "logs" / "tensorboard.lock", "busy"),
        pytest.raises(UserError, match="another process logs this run to tensorboard already"),
    ):
        told("tensorboard", run)


def test_another_place_has_all_of_the_run_too(models: Models, tmp_path: Path, told: Tell) -> None:
    end(models(model_row(1)))
    told("tensorboard", tmp_path / "models")
    assert told("tensorboard", tmp_path / "models", location=tmp_path / "all").n_points == 1
    assert told("tensorboard", tmp_path / "models", location=tmp_path / "all").n_points == 0
    assert list((tmp_path / "all" / "models" / "digits" / "none").iterdir())


def test_what_a_tool_refuses_is_one_sentence(
    models: Models, tmp_path: Path, told: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    models(model_row(1))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///nowhere/mlruns")
    with pytest.raises(SinkError, match=r"^mlflow failed \(.*\); what it has stays") as caught:
        told("mlflow", tmp_path / "models")
    assert "\n" not in str(caught.value)


def test_a_run_directory_that_moves_keeps_its_place(
    models: Models, tmp_path: Path, told: Tell
) -> None:
    end(models(model_row(1)))
    for kind in SINKS:
        told(kind, tmp_path / "models")
    (tmp_path / "models").rename(tmp_path / "moved")
    for kind in SINKS:
        assert told(kind, tmp_path / "moved").n_points == 0


def test_a_method_that_does_not_fit_is_not_shown(tmp_path: Path, told: Tell) -> None:
    tables = {
        "name": "s",
        "folds": 1,
        "tasks": {"sinusoids": {"n_train": 40, "training": {"epochs": 1}}},
        "methods": {"none": {}, "augerino": {}},
    }
    run = run_suite(tables, out=tmp_path / "run", verbose=False)
    told("tensorboard", run)
    assert list(READERS["tensorboard"](run)) == ["sinusoids/none/fold 0 seed 0"]
