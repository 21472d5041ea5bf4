"""The settings of the paper's appendix A, and how far a suite of ours has them."""

from collections.abc import Iterator, Mapping
from math import isclose, pi
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.plan.suite import PlannedTrial, Suite
from augbench.bench.unit.job import load_task
from augbench.datasets.task import Task

Value = float | str | bool

# Section 4.1, appendix A.1. Copies: A.2 says that C is 4 in all experiments but that of 4.3.
_MARIO_IGGY: dict[str, dict[str, Value]] = {
    "": {
        "trunk": "conv_net",  # table 1
        "half_range": pi / 4,
        "trained on": 10_000,
        "tested on": 5000,
        "batch_size": 128,
        "epochs": 20,
        "beta1": 0.9,
        "beta2": 0.999,
    },
    "augnet": {
        "learning_rate": 5e-4,
        "rate of the layers": 5e-4,
        "weight_decay": 1.0,
        "decay of the layers": 1.0,
        "penalty": 0.5,
        "initial_magnitude": 1 / 8,  # pi / 8 for a rotation whose strongest is pi
        "n_copies_train": 1,
        "n_copies_test": 4,
    },
    "augerino": {
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "penalty": 0.05,
        "initial_width": pi / 4,  # pi / 8 to either side
        "n_copies_train": 1,
        "n_copies_test": 4,
    },
}
# Section 4.2, appendix A.2.
_SINUSOIDS: dict[str, dict[str, Value]] = {
    "": {
        "trunk": "freq_net",  # table 2
        "trained on": 400,
        "tested on": 200,
        "batch_size": 32,
        "epochs": 50,
        "learning_rate": 1e-2,
        "weight_decay": 1e-4,
        "phase": "uniform",
        "noise": 0.5,
        "half_band": 0.5,
    },
    "augnet": {
        "rate of the layers": 1e-2,
        "decay of the layers": 1e-4,
        "penalty": 0.2,
        "initial_magnitude": 0.0,
        "n_copies_train": 1,
        "n_copies_test": 4,
    },
}
# Section 4.3: the same data, with the end of appendix A.2.
_CAPACITY = {
    "": {key: value for key, value in _SINUSOIDS[""].items() if key != "trunk"},
    "augnet": _SINUSOIDS["augnet"]
    | {"penalty": 0.8, "initial_magnitude": 0.05, "n_copies_test": 10},
}
# Section 5.1, appendix A.3.
_CIFAR10: dict[str, dict[str, Value]] = {
    "": {
        "trunk": "pre_act_resnet18",
        "batch_size": 128,
        "epochs": 200,
        "schedule": "cosine",
        "valid_share": 0.2,
        "weight_decay": 1e-4,
        "learning_rate": 1e-2,
        "seeds": 10,
    },
    "augnet": {
        "learning_rate": 5e-4,
        "rate of the layers": 5e-4,
        "decay of the layers": 1.0,
        "penalty": 0.1,  # of one and two layers
        "initial_magnitude": 0.5,
        "n_copies_train": 1,
        "n_copies_test": 4,
    },
    "augerino": {
        "decay of the layers": 0.0,
        "penalty": 0.01,
        "n_copies_train": 1,
        "n_copies_test": 4,
    },
}
_CIFAR10_THREE_LAYERS: dict[str, Value] = {"penalty": 0.5}
# Section 5.2, appendix A.4; for any EEG that figure 8 is drawn of.
_SLEEP: dict[str, dict[str, Value]] = {
    "": {
        "trunk": "sleep_stager",  # table 3
        "batch_size": 16,
        "epochs": 300,
        "patience": 30,
        "learning_rate": 1e-3,
        "beta1": 0.0,
        "beta2": 0.999,
        "class_weights": True,
        "metric": "balanced_accuracy",
        "seeds": 5,
    },
    "augnet": {"rate of the layers": 1e-3, "penalty": 10.0, "n_copies_test": 4},
    "autoaugment": {"samplings_per_point": 5},
    "fast_autoaugment": {"samplings_per_point": 5},
    "faster_autoaugment": {"epochs_per_point": 2},
    "dada": {"epochs_per_point": 2},
    "adda": {"epochs_per_point": 2, "rate of the policy": 5e-4},
}
MLPS = ("mlp_1", "mlp_2", "mlp_2_2", "mlp_2_2_2")
SECTIONS = {"4.1": _MARIO_IGGY, "4.2": _SINUSOIDS, "4.3": _CAPACITY, "5.1": _CIFAR10, "5.2": _SLEEP}


class Setting(NamedTuple):
    """A setting that the paper names, and what a method of a suite has."""

    section: str  # of the paper
    task: str  # the labels of the suite
    method: str
    name: str
    paper: Value
    ours: Value

    @property
    def differs(self) -> bool:
        """Whether ours is another."""
        if isinstance(self.paper, str | bool) or isinstance(self.ours, str | bool):
            return self.paper != self.ours
        return not isclose(self.paper, self.ours)


def suite_settings(suite: Suite, data: Path) -> list[Setting]:
    """Every setting of the appendix that a suite has, by task and method; ``[]`` if none.

    ``data`` is the folder of the data sets. A UserError where a task needs data that are missing.
    """
    first = {(planned.task, planned.method): planned for planned in suite.plan}
    n_seeds = len({(planned.spec.fold, planned.spec.seed) for planned in suite.plan})
    return [setting for each in first.values() for setting in _settings(each, n_seeds, data)]


def _settings(planned: PlannedTrial, n_seeds: int, data: Path) -> Iterator[Setting]:
    task = load_task(planned.spec.task, data)
    section = _section(planned, task)
    if section is None:
        return
    paper = SECTIONS[section][""] | SECTIONS[section].get(planned.spec.method, {})
    if section == "5.1" and len(planned.spec.options.get("layers") or ()) == 3:
        paper = paper | _CIFAR10_THREE_LAYERS
    ours = _ours(planned, task, n_seeds)
    for name, value in paper.items():
        yield Setting(section, planned.task, planned.method, name, value, ours[name])


def _section(planned: PlannedTrial, task: Task) -> str | None:
    """The section of the paper that a trial belongs to; None for tasks that it does not have."""
    if planned.spec.task.task == "sinusoids":
        return "4.3" if task.trunk in MLPS else "4.2"
    if task.signal.kind == "eeg":
        return "5.2"
    return {"mario_iggy": "4.1", "cifar10": "5.1"}.get(planned.spec.task.task)


def _ours(planned: PlannedTrial, task: Task, n_seeds: int) -> Mapping[str, Any]:
    options, training = planned.spec.options, task.training
    of_task = planned.spec.task.options
    ours: dict[str, Any] = dict(of_task) | dict(options) | vars(training)
    rate, decay = options.get("learning_rate"), options.get("weight_decay")
    if options.get("regularizer") == "none":
        ours["penalty"] = 0.0
    ours |= {
        "trunk": task.trunk,
        "metric": task.metric,
        "seeds": n_seeds,
        "tested on": of_task.get("n_test"),
        "decay of the layers": training.weight_decay if decay is None else decay,
        "rate of the layers": training.learning_rate if rate is None else rate,
        "rate of the policy": rate,
    }
    if "n_train" in of_task:
        ours["trained on"] = of_task["n_train"] * (1 - of_task["valid_share"])
    return ours
