"""Searches by Ray Tune over a real Ray on this machine, in processes of their own."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forked
from augbench.bench.search.rungs import unit_charge
from augbench.bench.search.search_results import read_search_results
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.unit_directory import UnitDirectory
from processes import background, wait_until

pytest.importorskip("ray")

SUITE = """
name = "tuned"
folds = 2
[tasks.sinusoids]
n_train = 60
n_test = 8
training = { epochs = 6, patience = 6 }
[methods.shift]
method = "augnet"
layers = [["frequency_shift"]]
"""

# A user's script: what is between the first lines and the last ones differs.
BEGIN = """
import json, sys
from pathlib import Path
import ray
from ray import tune
from ray.tune.schedulers import *
from ray.tune.search.optuna import OptunaSearch
from augbench.bench.search.tune import trainable
from augbench.datasets.errors import UserError

KEYS = ("valid", "step", "device_hours", "samples", "trial_id")
here, ray_folder, n_cpus = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ray.init(address="local", num_cpus=n_cpus, include_dashboard=False, log_to_driver=False,
         object_store_memory=80 * 2**20, _temp_dir=ray_folder)

def told(results):
    def one(result):
        log, metrics = Path(result.path) / "result.json", result.metrics or {}
        lines = log.read_text().splitlines() if log.exists() else []
        error = result.error and str(getattr(result.error, "cause", None) or result.error)
        return {**{key: metrics.get(key) for key in KEYS}, "config": result.config, "error": error,
                "steps": [json.loads(line)["step"] for line in lines]}
    return list(map(one, results))
"""
END = """
(here / "told.json").write_text(json.dumps(found))
"""

Script = Callable[[str, int], list[str]]


@pytest.fixture
def ray_folder() -> Iterator[str]:
    """A short one: the path of a socket has 107 bytes at most."""
    folder = tempfile.mkdtemp(prefix="tune-", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment() -> dict[str, str]:
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_worker_niceness": "0",  # else other tests on this machine let it starve
        "TUNE_GLOBAL_CHECKPOINT_S": "1",  # or Tune would forget the last ten seconds
        "RAY_AIR_NEW_OUTPUT": "0",
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    return {**os.environ, **settings}


@pytest.fixture
def script(tmp_path: Path, ray_folder: str) -> Script:
    """The words that run a script in a process of its own, with so many processors for Ray."""
    (tmp_path / "tuned.toml").write_text(SUITE)

    def words(text: str, n_cpus: int) -> list[str]:
        arguments = [str(tmp_path), ray_folder, str(n_cpus)]
        return [sys.executable, "-c", BEGIN + text + END, *arguments]

    return words


def read_told(folder: Path) -> Any:
    return json.loads((folder / "told.json").read_text())


def units(out: Path) -> dict[str, UnitDirectory]:
    folders = [file.parent for file in out.glob("trials/*/spec.json")]
    return {f"trials/{folder.name}": UnitDirectory(folder) for folder in folders}


def notes(out: Path) -> dict[str, Any]:
    """What the run directory keeps of each of Tune's trials, by Tune's name for it."""
    return {file.stem: json.loads(file.read_text()) for file in out.glob("tune/*.json")}


TUNER = """
made = trainable(here / "tuned.toml", "shift", out=here / "run", data=here)
tuner = tune.Tuner(
    made,
    param_space={"penalty": tune.loguniform(0.01, 50)},
    tune_config=tune.TuneConfig(
        metric="valid", mode="max", num_samples=4, reuse_actors=True,
        search_alg=OptunaSearch(seed=1),
        scheduler=ASHAScheduler(time_attr="step", max_t=6, grace_period=2, reduction_factor=2),
    ),
    run_config=tune.RunConfig(name="tuned", storage_path=str(here / "tune"), verbose=0),
)
found = told(tuner.fit())
"""
RESTORED = """
made = trainable(here / "tuned.toml", "shift", out=here / "run", data=here)
found = told(tune.Tuner.restore(str(here / "tune" / "tuned"), made).fit())
"""


def test_a_search_whose_driver_is_killed_is_restored_with_exact_hours(
    script: Script, environment: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "run"

    def is_half_done() -> bool:
        kept = list(tmp_path.glob("tune/tuned/experiment_state-*.json"))
        return bool(kept) and sum(each["step"] >= 2 for each in notes(out).values()) >= 2

    with background(script(TUNER, 2), tmp_path / "log", environment) as process:
        wait_until(is_half_done)
        process.kill()
        process.wait()
    before = notes(out)
    assert any(unit.result() is None for unit in units(out).values()), "too late to kill it"

    restored = forked.run(script(RESTORED, 2), environment, timeout=600)
    assert restored.returncode == 0, restored.stderr
    found = read_told(tmp_path)
    assert [trial["error"] for trial in found] == [None] * 4
    for trial in found:
        note = notes(out)[trial["trial_id"]]
        assert trial["step"] == note["step"]
        assert trial["device_hours"] * 3600 == pytest.approx(
            sum(seconds for seconds, _, _ in note["charges"].values()), rel=1e-12
        )
        # They go on where they were, but for a last one of which Tune has forgotten the end.
        steps = trial["steps"]
        assert steps[:-1] == sorted(set(steps[:-1]))
        assert steps[-1] >= max(steps)
        was = before.get(trial["trial_id"], {"step": 0})["step"]
        assert trial["step"] >= was
    assert any(trial["trial_id"] in before for trial in found), "nothing was restored"
    # What the trials were charged is what their units have cost: nothing twice, all of it.
    of_found = {unit for trial in found for unit in notes(out)[trial["trial_id"]]["charges"]}
    for name in of_found:
        charged = [note["charges"].get(name, (0.0, 0, 0)) for note in notes(out).values()]
        total = unit_charge(units(out)[name])
        assert sum(each[0] for each in charged) == pytest.approx(total.seconds, rel=1e-9)
        assert sum(each[1] for each in charged) == total.forward
    # And the ledgers agree with how long the processes have lived.
    done = [unit for unit in units(out).values() if unit.result() is not None]
    assert done
    assert [accounting_error(unit) for unit in done] == pytest.approx([0.0] * len(done), abs=1e-6)
    assert not any("test" in row for unit in units(out).values() for row in unit.points())


TUNERS = """
def tuner(out, space, *, n=1, scheduler=None, failures=0, callbacks=(), **config):
    return tune.Tuner(
        trainable(here / "tuned.toml", "shift", out=here / out, data=here,
                  overrides=["folds=1", "tasks.sinusoids.training.epochs=3"]),
        param_space=space,
        tune_config=tune.TuneConfig(metric="valid", mode="max", num_samples=n, scheduler=scheduler,
                                    reuse_actors=True, **config),
        run_config=tune.RunConfig(name=out, storage_path=str(here / "tune"), verbose=0,
                                  failure_config=tune.FailureConfig(max_failures=failures),
                                  callbacks=list(callbacks)),
    )

def refusal(out, space, scheduler=None):
    try:
        tuner(out, space, scheduler=scheduler).fit()
    except UserError as error:
        return str(error)
    return "nothing was refused"

penalty = {"penalty": tune.loguniform(0.01, 50)}
"""

REFUSED = """
changes = dict(time_attr="step", perturbation_interval=1)
pbt = lambda: PopulationBasedTraining(hyperparam_mutations=penalty, **changes)
from ray.tune.schedulers.pb2 import PB2
found = {"refused": {
    "name": refusal("a", {"penalti": tune.uniform(0, 1)}),
    "value": refusal("a", {"penalty": tune.uniform(-2, -1)}),
    "pbt": refusal("a", penalty, pbt()),
    "pb2": refusal("a", penalty, PB2(hyperparam_bounds={"penalty": [0.01, 50]}, **changes)),
    "resources": refusal("a", penalty, ResourceChangingScheduler(pbt())),
}}

# One that nobody knows: the trial itself has to refuse.
class Changes(FIFOScheduler):
    def on_trial_result(self, controller, trial, result):
        if result["step"] != 1:
            return self.CONTINUE
        controller.pause_trial(trial, should_checkpoint=False)
        trial.set_config({"penalty": 0.5})
        return self.NOOP

found["late"] = told(tuner("b", {"penalty": 0.2}, scheduler=Changes()).fit())
"""

GRID = """
space = {"penalty": tune.grid_search([0.2, -1.0, 0.2]),
         "training": {"learning_rate": tune.choice([1e-3])}, "at_eval": "blend"}
from ray.air.integrations.mlflow import MLflowLoggerCallback
beside = MLflowLoggerCallback(tracking_uri=f"file:{here}/mlflow", experiment_name="x")
found = told(tuner("c", space, callbacks=[beside]).fit())
"""


def test_schedulers_that_change_options_and_bad_names_are_refused(
    script: Script, environment: dict[str, str], tmp_path: Path
) -> None:
    done = forked.run(script(TUNERS + REFUSED, 1), environment, timeout=600)
    assert done.returncode == 0, done.stderr
    found = read_told(tmp_path)
    refused = found["refused"]
    assert "did you mean 'penalty'" in refused["name"]
    assert "it has to be 0 or more" in refused["value"]
    for name, scheduler in (
        ("pbt", "PopulationBasedTraining"),
        ("pb2", "PB2"),
        ("resources", "PopulationBasedTraining"),
    ):
        assert refused[name].startswith(f"scheduler={scheduler}(...): a scheduler that changes")
        assert "\n" not in refused[name]
    assert not units(tmp_path / "a")

    (late,) = found["late"]
    assert (
        "penalty 0.2 became penalty 0.5 within a trial: a scheduler that changes" in late["error"]
    )
    assert late["steps"] == [1]


def test_a_grid_with_equal_values_and_wrong_ones_beside_a_callback(
    script: Script, environment: dict[str, str], tmp_path: Path
) -> None:
    done = forked.run(script(TUNERS + GRID, 1), environment, timeout=600)
    assert done.returncode == 0, done.stderr
    first, wrong, twin = read_told(tmp_path)
    assert "penalty is -1.0; it has to be 0 or more" in wrong["error"]
    assert first["error"] is twin["error"] is None
    assert first["steps"] == twin["steps"] == [1, 2, 3]
    assert first["valid"] == twin["valid"]
    assert sorted([first["device_hours"], twin["device_hours"]])[0] == 0.0
    (unit,) = units(tmp_path / "c").values()
    hours = first["device_hours"] + twin["device_hours"]
    assert hours * 3600 == pytest.approx(unit_charge(unit).seconds, rel=1e-12)
    assert unit.spec()["task"]["training"]["learning_rate"] == 1e-3
    logged = [file.read_text().splitlines() for file in tmp_path.glob("mlflow/*/*/metrics/step")]
    assert [[float(line.split()[1]) for line in lines] for lines in logged] == [[1, 2, 3]] * 2


PAUSED = """
paused = HyperBandScheduler(time_attr="step", max_t=3)
found = told(tuner("d", penalty, n=2, scheduler=paused).fit())
"""


def test_a_scheduler_that_pauses_trials_loses_and_repeats_nothing(
    script: Script, environment: dict[str, str], tmp_path: Path
) -> None:
    done = forked.run(script(TUNERS + PAUSED, 1), environment, timeout=600)
    assert done.returncode == 0, done.stderr
    found = read_told(tmp_path)
    assert [trial["error"] for trial in found] == [None] * 2
    for trial in found:
        assert trial["steps"] == sorted(set(trial["steps"]))


FAILING = """
made = trainable(here / "tuned.toml", "shift", out=here / "run", data=here,
                 overrides=["folds=1", "tasks.sinusoids.training.epochs=3"])
def fit(name, failures):
    return told(tune.Tuner(
        made, param_space={"penalty": tune.grid_search([0.2])},
        run_config=tune.RunConfig(name=name, storage_path=str(here / "tune"), verbose=0,
                                  failure_config=tune.FailureConfig(max_failures=failures)),
    ).fit())
found = fit("x", 1)
"""


def test_a_unit_that_fails_goes_on_when_tune_tries_again(
    script: Script, environment: dict[str, str], tmp_path: Path
) -> None:
    done = forked.run(script(FAILING, 1), {**environment, "AUGBENCH_FAULT": "error@step:1"})
    assert done.returncode == 0, done.stderr
    (trial,) = read_told(tmp_path)
    assert (trial["error"], trial["steps"]) == (None, [1, 2, 3])
    (unit,) = units(tmp_path / "run").values()
    assert "as AUGBENCH_FAULT asks" in unit.attempts()[0].log_file.read_text()
    assert accounting_error(unit) == pytest.approx(0.0, abs=1e-6)


def test_the_command_searches_over_tune_and_resumes(
    command_line: Callable[..., list[str]], script: Script, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    words = command_line(
        *("search", tmp_path / "tuned.toml", "--method", "shift", "--param", "lambda"),
        *(
            "--space",
            "log:0.01:50",
            "--backend",
            "tune",
            "--set",
            "resources.workers=2",
            "--out",
            out,
        ),
    )
    with background([*words, "--trials", "3"], tmp_path / "log") as process:
        wait_until(lambda: sum(each["step"] >= 1 for each in notes(out).values()) >= 1)
        process.kill()
        process.wait()
    left = read_search_results(out).trials
    assert any(trial.state == "unfinished" for trial in left), "too late to kill it"
    done = forked.run([*words, "--trials", "3"])
    assert done.returncode == 0, done.stderr
    results = read_search_results(out)
    assert [trial.values for trial in results.trials][: len(left)] == [t.values for t in left]
    assert {trial.state for trial in results.trials} <= {"done", "pruned"}
    assert len(results.trials) == 3
    assert results.cost.device_hours * 3600 == pytest.approx(
        sum(unit_charge(unit).seconds for unit in units(out).values()), rel=1e-9
    )
    assert f"take the best over: augbench run {tmp_path / 'tuned.toml'} --with" in done.stdout
    assert "[searches.shift]" in (out / "best.toml").read_text()
    assert not (out / "tune" / "experiment").exists()
    other = forked.run(command_line(*words[3:], "--trials", "3", "--backend", "optuna"))
    assert other.returncode == 2
    assert 'its backend is "tune", given "optuna"; choose another directory' in other.stderr
    inline = forked.run([*words, "--engine", "inline"])
    assert inline.returncode == 2
    assert "--backend tune works over Ray: leave out --engine inline" in inline.stderr
