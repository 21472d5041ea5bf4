"""What a unit of work is built from: its task, fold and method; the test split is kept apart."""

import json
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from augbench.bench.plan.options import read_options
from augbench.bench.plan.spec import Budget, EvaluationSpec, SamplingSpec, TaskSpec, TrialSpec
from augbench.bench.plan.tables import DEFAULT
from augbench.bench.store import checkpoint
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.phases import HarnessPhase
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets import known_tasks
from augbench.datasets.errors import UserError, counted, unknown
from augbench.datasets.options.row import resolve
from augbench.datasets.options.training import Precision, TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split, Task
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.precision import InBfloat16
from augbench.methods import known_methods
from augbench.methods.options.imported import read_imported
from augbench.methods.policies.policy_json import from_json
from augbench.methods.training.adam import Adam
from augbench.methods.training.method import Method, Setup, Trained
from augbench.methods.training.retraining import retrain
from augbench.methods.training.sampling import Proposal, Samples, Sampling
from augbench.methods.training.training import Training
from augbench.methods.transforms.bank import make_bank


class Job(NamedTuple):
    """A method on a fold, ready to step, and the data that score it."""

    method: Method
    phase: HarnessPhase  # that its steps are charged to
    budget: Budget
    setup: Setup
    test: Split  # not in the setup: no method can reach it
    task: Task
    fold: int


class Alone:
    """A sampling as a method: it shows nothing, and its result is what it has reached."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling

    def step(self) -> bool:
        """One step of the sampling."""
        return self.sampling.step()

    def artifact(self, *, last: bool = False) -> None:
        """Nothing: only the search shows policies."""

    def learned(self) -> dict[str, Any]:
        """Nothing yet."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """The state of the sampling."""
        return self.sampling.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.sampling.load_state_dict(state)


class FinalModel:
    """A training as a method: it shows one model, its best, at its end."""

    def __init__(self, training: Training) -> None:
        self.training = training

    def step(self) -> bool:
        """Train one epoch."""
        self.training.step()
        return self.training.done

    def artifact(self, *, last: bool = False) -> Trained | None:
        """The weights of the best epoch, when the last one is over."""
        if not self.training.done:
            return None
        return Trained(self.training.load_best(), self.training.best_valid)

    def learned(self) -> dict[str, Any]:
        """How long the training took, and how far it came."""
        return {
            "best_valid": self.training.best_valid,
            "epochs": self.training.epoch,
            "best_epoch": self.training.best_epoch,
        }

    def state_dict(self) -> dict[str, Any]:
        """The state of the training."""
        return self.training.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.training.load_state_dict(state)


def trial_job(record: dict[str, Any], data: Path, *, device: torch.device, meter: Ledger) -> Job:
    """Build a trial's method on its fold.

    Raises a UserError for data or options that do not fit.
    """
    spec = TrialSpec.from_json(record)
    setup, test, task = make_setup(
        spec.task, spec.fold, spec.seed, data, device=device, meter=meter
    )
    method = build_method(spec, setup, spec.options)
    return Job(method, "search", spec.budget, setup, test, task, spec.fold)


def build_method(spec: TrialSpec, setup: Setup, options: dict[str, Any]) -> Method:
    """The method of a trial with these options; raises a UserError for options that do not fit."""
    known = known_methods()
    if spec.method not in known:  # on a node that lacks its package
        raise unknown("method", spec.method, known)
    row = known[spec.method]
    read: Any = read_options(row.options, options, f"method {spec.method!r}")
    method: Method = resolve(row.build)(setup, read)
    return method


def evaluation_job(
    record: dict[str, Any], data: Path, *, device: torch.device, meter: Ledger
) -> Job:
    """Build the retraining under a policy.

    Raises a UserError for data or a policy that do not fit.
    """
    spec = EvaluationSpec.from_json(record)
    setup, test, task = make_setup(
        spec.task, spec.fold, spec.seed, data, device=device, meter=meter
    )
    try:
        policy = from_json(spec.policy, setup.bank)
    except UserError as error:
        raise UserError(f"{spec.unit}/spec.json: {error}") from error
    method = FinalModel(retrain(setup, policy))
    return Job(method, "retrain", Budget(), setup, test, task, spec.fold)


def sampling_job(
    record: dict[str, Any], run: RunDirectory, data: Path, *, device: torch.device, meter: Ledger
) -> Job:
    """Build a sampling of a trial from the trial's newest checkpoint, as the trial would begin it.

    Raises a UserError for data or options that do not fit, or if no checkpoint is left.
    """
    spec = SamplingSpec.from_json(record)
    trial = TrialSpec.from_json(spec.trial)
    job = trial_job(spec.trial, data, device=device, meter=meter)
    assert isinstance(job.method, Samples)
    attempts = run.unit(trial.unit).attempts()
    loaded = checkpoint.load(attempt.path for attempt in reversed(attempts))
    if loaded is None:
        raise UserError(f"{trial.unit} has no checkpoint that its sampling could go on from")
    check_data(job.task, loaded.state["fingerprint"], run.unit(trial.unit).path)
    job.method.load_state_dict(loaded.state["method"])
    sampling = job.method.begin(Proposal.from_json(spec.proposal))
    return job._replace(method=Alone(sampling), budget=Budget())


def make_setup(
    spec: TaskSpec, fold: int, seed: int, data: Path, *, device: torch.device, meter: Ledger
) -> tuple[Setup, Split, Task]:
    """What a method is built from and, apart from it, the test split."""
    task = load_task(spec, data)
    if fold >= task.n_folds:
        raise UserError(
            f"task {task.name!r} has {counted(task.n_folds, 'fold')}; the suite asks for {fold}"
        )
    views, test = task.fold(fold)
    seeds = Seeds((seed, spec.task, fold))
    setup = Setup(
        views=views.to(device),
        signal=task.signal,
        n_classes=task.n_classes,
        metric=task.metric,
        trunk=partial(
            _new_trunk,
            task.trunk,
            task.signal,
            task.n_classes,
            precision=task.training.precision,
            seed=seeds.integer("trunk"),
            device=device,
        ),
        bank=make_bank(
            task.transforms,
            task.signal,
            task.ranges,
            {name: read_imported(name, each) for name, each in spec.imported.items()},
        ),
        training=task.training,
        seeds=seeds,
        meter=meter,
        device=device,
    )
    return setup, test.to(device), task


def warm_up(setup: Setup, *, for_plugins: bool = False) -> None:
    """Train a trunk on one batch and throw it away. No stream is drawn from, nothing is counted.

    What a process does only at its first training is not a cost of a method: it imports the trunk's
    library and starts a GPU. A method of another package may use an optimizer of torch's own, which
    at its first use imports torch's compiler (1.2 s).
    """
    trunk = setup.trunk()
    optimizer = (torch.optim.Adam if for_plugins else Adam)(trunk.parameters())
    x, y = (each[: setup.training.batch_size] for each in setup.views.train)
    with global_seed(0, setup.device):  # of dropout
        F.cross_entropy(trunk(x), y).backward()
    optimizer.step()


def check_data(task: Task, former: str | None, unit: Path) -> None:
    """Raise a UserError if a unit was begun on other data than the task has now."""
    if former not in (None, task.fingerprint):
        raise UserError(
            f"the data of task {task.name!r} have changed since {unit} was begun: put the former "
            "data back or choose another run directory"
        )


def load_task(spec: TaskSpec, data: Path) -> Task:
    """Build a task with the changes that the suite asks for.

    Two are kept for the next calls, by what their data depend on: trials that differ in training,
    trunk or transforms share them.
    """
    task = _build_task(spec.task, json.dumps(spec.options, sort_keys=True), spec.data_seed, data)
    changes: dict[str, Any] = {}
    if spec.trunk is not None:
        changes["trunk"] = spec.trunk
    names = task.transforms
    if spec.transforms is not None:
        names = changes["transforms"] = _with_default(spec.transforms, task.transforms)
    ranges = {name: value for name, value in task.ranges.items() if name in names}
    changes["ranges"] = ranges | spec.ranges
    settings = asdict(task.training) | spec.training
    changes["training"] = read_options(TrainingSettings, settings, f"training of {task.name!r}")
    return replace(task, **changes)


def _with_default(given: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a suite gives, each once, with the task's own in place of DEFAULT."""
    at = [own if name == DEFAULT else (name,) for name in given]
    return tuple(dict.fromkeys(name for names in at for name in names))


@lru_cache(maxsize=2)
def _build_task(name: str, options_text: str, data_seed: int, data: Path) -> Task:
    known = known_tasks()
    if name not in known:  # on a node that lacks its package
        raise unknown("task", name, known)
    row = known[name]
    options: Any = read_options(row.options, json.loads(options_text), f"task {name!r}")
    task: Task = resolve(row.build)(options, data, data_seed)
    return task


def _new_trunk(
    name: str,
    signal: Signal,
    n_classes: int,
    *,
    precision: Precision,
    seed: int,
    device: torch.device,
) -> nn.Module:
    """A trunk at its initial weights, drawn on the CPU so that every device starts alike.

    It gets names and numbers, not the task, through which the test split could be reached.
    """
    with global_seed(seed):
        trunk = TRUNKS[name](signal, n_classes)
    # Convolutions of images are a quarter faster in this order of memory (a step of conv_net).
    order = torch.channels_last if signal.kind == "image" else torch.contiguous_format
    placed: nn.Module = trunk.to(device=device, memory_format=order)
    return InBfloat16(placed) if precision == "bfloat16" else placed
