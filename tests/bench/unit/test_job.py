"""What a unit is built from."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.bench.cli.new_command import package_files, write_package
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.ledger import Ledger
from augbench.bench.unit.job import Job, trial_job
from augbench.datasets.errors import UserError
from augbench.methods import METHODS
from installed import install

OPTIONS: dict[str, dict[str, Any]] = {
    "fast_autoaugment": {"pretrain_epochs": 1},
    "adda": {"warm_start": 1},
    "cadda": {"warm_start": 1},
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_can_be_pickled_and_goes_on_to_the_same_bits(name: str) -> None:
    """Nothing that it keeps is a function inside another one."""
    digits = {
        "training": {"epochs": 2, "batch_size": 256},
        "transforms": ["rotate", "invert", "crop"],
    }
    methods = {name: OPTIONS.get(name, {})}
    tables = {"name": "s", "folds": 1, "tasks": {"digits": digits}, "methods": methods}
    (planned,) = read_suite(tables, "here").plan
    device = torch.device("cpu")
    meter = Ledger(device)
    method = trial_job(planned.spec.to_json(), Path(), device=device, meter=meter).method
    twin = pickle.loads(pickle.dumps(method))
    if METHODS[name].ends_in == "model":
        with meter.phase("search"), twin.training.meter.phase("search"):
            method.step()
            twin.step()
        assert twin.learned() == method.learned()


@pytest.fixture
def my_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The transform of a package that is installed in a folder of its own."""
    write_package(tmp_path / "package", package_files("transform", "my_scale"))
    (tmp_path / "site").mkdir()
    install(tmp_path / "package", tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield "my_scale"
    sys.modules.pop("augbench_my_scale", None)


def job_on(task: str, transforms: list[str] | None, method: str = "augnet") -> Job:
    table: dict[str, Any] = {} if transforms is None else {"transforms": transforms}
    tables = {"name": "s", "folds": 1, "tasks": {task: table}, "methods": {method: {}}}
    (planned,) = read_suite(tables, "here").plan
    device = torch.device("cpu")
    return trial_job(planned.spec.to_json(), Path(), device=device, meter=Ledger(device))


def layers(job: Job) -> list[list[str]]:
    return [[each["transform"] for each in layer] for layer in job.method.learned()["layers"]]


def test_a_transform_of_a_package_joins_the_bank_and_the_layers_where_a_suite_names_it(
    my_scale: str,
) -> None:
    own = ["frequency_shift", "ft_surrogate", "gaussian_noise"]
    job = job_on("sinusoids", ["default", my_scale])
    assert list(job.setup.bank) == [*own, my_scale]
    assert job.task.ranges["frequency_shift"] == 2.0
    assert [sorted(layer) for layer in layers(job)] == 2 * [sorted([*own, my_scale])]
    assert list(job_on("sinusoids", [my_scale, "default"]).setup.bank) == [my_scale, *own]
    assert list(job_on("sinusoids", ["gaussian_noise", "default"]).setup.bank) == [
        *("gaussian_noise", "frequency_shift", "ft_surrogate")
    ]


def test_a_package_changes_nothing_where_no_suite_names_its_transform(my_scale: str) -> None:
    job = job_on("sinusoids", None)
    assert my_scale not in job.setup.bank
    assert all(my_scale not in layer for layer in layers(job))


def test_a_transform_of_a_package_that_is_for_the_other_kind_is_one_sentence(
    my_scale: str,
) -> None:
    with pytest.raises(UserError, match="'my_scale' is for EEG"):
        job_on("digits", ["default", my_scale])
