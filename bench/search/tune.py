"""A suite and a method as a trainable of Ray Tune, for any searcher and most schedulers.

    from ray import tune
    from augbench.bench.search.tune import trainable

    tuner = tune.Tuner(
        trainable("sinusoids", "three"),
        param_space={"penalty": tune.loguniform(0.01, 50)},
        tune_config=tune.TuneConfig(metric="valid", mode="max", num_samples=20),
    )

Each trial reports ``valid``, ``step``, ``device_hours`` and ``samples``. Its state is in a run
directory of ours, and Tune's checkpoints and clock are not used: so the costs stay exact when Tune
restores a search, and nothing that is done is done again. `drive` says what Tune would forget.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.driver.run_options import open_directory
from augbench.bench.plan.suite import Suite, find_suite, load_suite, read_suite
from augbench.bench.plan.tables import Resources
from augbench.bench.search.search import Search, make_search
from augbench.bench.search.tune_trial import FOLDER, NO_PERTURBATION, TuneTrial, fitting, values_of
from augbench.bench.store.files import read_json, write_json
from augbench.bench.store.run_directory import SCHEMA, RunDirectory, check_schema
from augbench.bench.unit.host import Host
from augbench.datasets.errors import UserError

FILE = "tune.json"
_CHANGE_OPTIONS = ("PopulationBasedTraining", "PopulationBasedTrainingReplay")


class Work(NamedTuple):
    """What all trials of a trainable have in common; it is sent to the workers."""

    run: RunDirectory
    search: Search  # its parameters are not used: Tune has them
    data: Path
    resources: Resources
    report_every: int  # steps; 0: at most 30 reports

    def trial(self, name: str, config: Mapping[str, Any], cpus: float, gpus: float) -> TuneTrial:
        """A trial of Tune, on the processors and GPUs that it has got."""
        host = Host(
            data=self.data,
            device="cuda" if gpus else "cpu",
            threads=max(1, int(cpus)),
            shared=0 < gpus < 1,
            score_test=False,
        )
        values = values_of(config)
        return TuneTrial(self.run, self.search, name, values, host, self.report_every)


def trainable(
    suite: Suite | Path | str | Mapping[str, Any],
    method: str,
    *,
    out: Path | str | None = None,
    data: Path | str = "data",
    report_every: int | None = None,
    overrides: Sequence[str] = (),
) -> type[Any]:
    """A class for ``ray.tune.Tuner``: a method of a suite, with options that Tune chooses.

    ``suite`` is a file, the name of a shipped suite, the tables of such a file, or a suite that is
    read. ``method`` is a label in it, or a method with its defaults. The keys of ``param_space``
    are options of the method, and ``training.KEY``, or ``training`` with a table in it.

    A trial of Tune does all the suite's trials of the method: its tasks, folds and seeds, in one
    process, one after the other up to the same step. It reports after every ``report_every`` steps,
    by default at most 30 times; methods that end in policies report once, at their end:
    - ``valid``: the mean over these of the best validation metric up to the step;
    - ``step``: the ``time_attr`` of a scheduler; it goes on where it was when Tune restores;
    - ``device_hours`` and ``samples``: what the trial was charged. Trials with equal values share
      what they do, and the one that does it is charged.
    The test split is never scored.

    ``out`` is the run directory, by default ``runs/SUITE-METHOD-tune``; on a cluster all nodes
    share it. Give the same one, and another one to no other suite, to go on after a crash by
    ``Tuner.restore``. Each trial asks for the ``cpus`` and ``gpus`` of the suite's resources.

    Raises a UserError for a suite or a method that is not one or does not fit, and for a directory
    of something else. ``Tuner.fit`` raises it for a key that is not an option, before any trial
    begins, and for a scheduler that changes options in mid-trial, as PBT does.
    """
    if report_every is not None and report_every < 1:
        raise UserError(f"report_every is {report_every}; it has to be 1 or more")
    read = _read(suite, overrides)
    search = make_search(read, method, {}, sampler="tpe", seed=0, batch=1, prune=True)
    run = open_directory(Path(out or Path("runs") / f"{read.name}-{method}-tune").resolve(), FILE)
    _record(run, search)
    return make_trainable(
        Work(run, search, Path(data).resolve(), read.resources, report_every or 0)
    )


def _read(suite: Suite | Path | str | Mapping[str, Any], overrides: Sequence[str]) -> Suite:
    if isinstance(suite, Path | str):
        return load_suite(find_suite(Path(suite)), overrides)
    if overrides:
        raise UserError("overrides are for a suite's file; change the tables that you give instead")
    return suite if isinstance(suite, Suite) else read_suite(suite, "the tables of the suite")


def _record(run: RunDirectory, search: Search) -> None:
    """Write down whose directory this is; raises a UserError if it is that of another search."""
    record = {"schema": SCHEMA, "suite": search.suite, "method": search.method}
    file = run.path / FILE
    if not file.exists():
        write_json(file, record)
        return
    former = read_json(file)
    if type(former.get("schema")) is int:
        check_schema(run.path, former["schema"])
    if former != record:
        differs = "method" if former.get("suite") == search.suite else "suite"
        raise UserError(
            f"{run.path} holds the trials of another {differs}: choose another directory with out="
        )


def make_trainable(work: Work) -> type[Any]:
    """The class of Tune's trials."""
    from ray import tune

    (work.run.path / FOLDER).mkdir(exist_ok=True)

    class SuiteTrial(tune.Trainable):  # type: ignore[misc]
        """A trial of Tune in a process of its own."""

        # Our checkpoints are enough: Tune makes none of its own accord.
        _handles_checkpoint_freq = True
        _handles_checkpoint_at_end = True

        @classmethod
        def default_resource_request(cls, config: dict[str, Any]) -> Any:
            """What a trial needs. Tune asks for it in the driver, before it begins the trial."""
            controller = _find_controller()
            if controller is not None:
                _refuse_perturbation(controller)
                if not controller.get_trials():  # later ones have an error of their own
                    plan = work.search.plan(values_of(config), work.search.method)
                    fitting(work.run, plan, work.data)
            needed = {"CPU": work.resources.cpus, "GPU": work.resources.gpus}
            return tune.PlacementGroupFactory([needed])

        def setup(self, config: dict[str, Any]) -> None:
            """Begin nothing: what a step raises is the error of its trial, and not of a process."""
            self._trial: TuneTrial | None = None

        def step(self) -> dict[str, Any]:
            """Bring all units to the next step."""
            if self._trial is None:
                given = self.trial_resources.required_resources
                cpus, gpus = given.get("CPU", 0.0), given.get("GPU", 0.0)
                self._trial = work.trial(self.trial_id, self.config, cpus, gpus)
            return self._trial.advance()._asdict()

        def save_checkpoint(self, folder: str) -> dict[str, Any]:
            """Name the trial alone: schedulers that pause trials ask for a checkpoint."""
            return {"trial": self.trial_id}

        def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
            """Refuse the state of another trial."""
            if checkpoint and checkpoint["trial"] != self.trial_id:
                raise UserError(f"a trial was given the state of another: {NO_PERTURBATION}")

        def reset_config(self, config: dict[str, Any]) -> bool:
            """Take another trial's values into this process, as ``reuse_actors`` asks."""
            self._trial = None
            return True

    return SuiteTrial


def _find_controller() -> Any:
    """What of Tune asks for a trial's resources: its controller, in the driver's process.

    Tune tells a trainable nothing of its scheduler, nor which of the trials is the first, so this
    looks who calls. It is None in a Ray with other insides: there a trial refuses by itself what it
    cannot do, when it has begun.
    """
    frame = sys._getframe().f_back
    while frame is not None:
        caller = frame.f_locals.get("self")
        if hasattr(caller, "_scheduler_alg") and hasattr(caller, "get_trials"):
            return caller
        frame = frame.f_back
    return None


def _refuse_perturbation(controller: Any) -> None:
    """Raise a UserError if Tune's scheduler changes options in mid-trial."""
    scheduler = controller._scheduler_alg
    for each in (scheduler, getattr(scheduler, "_base_scheduler", None)):
        if {cls.__name__ for cls in type(each).__mro__} & set(_CHANGE_OPTIONS):
            raise UserError(f"scheduler={type(each).__name__}(...): {NO_PERTURBATION}")
