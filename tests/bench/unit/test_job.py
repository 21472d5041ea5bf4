"""What a unit is built from."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.bench.plan.suite import read_suite
from augbench.bench.store.ledger import Ledger
from augbench.bench.unit.job import trial_job
from augbench.methods import METHODS

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
