"""A trained model of a run directory, ready to predict."""

from pathlib import Path

import torch
from torch import nn

from augbench.bench.plan.select import select_trial
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store import checkpoint
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import best_point
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.device import check_device
from augbench.bench.unit.job import Job, trial_job
from augbench.datasets.arguments import read_path
from augbench.datasets.errors import UserError
from augbench.methods import known_methods
from augbench.methods.training.end_to_end import EndToEnd


def load_model(
    run: Path | str,
    task: str | None = None,
    method: str | None = None,
    fold: int | None = None,
    *,
    seed: int | None = None,
    data: Path | str = "data",
    device: str = "cpu",
) -> nn.Module:
    """The best model by validation of a finished trial, in evaluation mode.

    The model takes (B, C, T) or (B, C, H, W) and gives logits (B, n_classes). For ``augnet`` it is
    an `AugNet`; for a method that ends in a policy, the network that was trained under the best
    one. ``task`` and ``method`` are labels of the suite; what leaves no choice need not be given.
    ``data`` is the folder of the data sets, as for ``augbench run``: the data say how large the
    network is.

    Raises a UserError if the path is no run directory, a choice is left open, the trial is not
    there or has not finished, its file is damaged, or the data are missing.
    """
    check_device(device)
    directory, suite = open_run(read_path("run", run))
    planned = select_trial(suite.plan, task=task, method=method, fold=fold, seed=seed)
    file = _model_file(directory, planned)
    weights = checkpoint.read(file)["weights"]
    place = torch.device(device)
    job = trial_job(
        planned.spec.to_json(), read_path("data", data), device=place, meter=Ledger(place)
    )
    model = _new_model(job, planned)
    model.load_state_dict(weights)
    return model.eval()


def _model_file(run: RunDirectory, planned: PlannedTrial) -> Path:
    trial = run.unit(planned.spec.unit)
    best = None if trial.check() is None else best_point(run, planned.spec)
    file = None if best is None else best.unit.model_file()
    if file is None:
        raise UserError(
            f"{planned.method} on {planned.task}, fold {planned.spec.fold}, has no finished model "
            f"in {run.path} yet: augbench status says how far it is"
        )
    return file


def _new_model(job: Job, planned: PlannedTrial) -> nn.Module:
    """The model that the trial trained, with its initial weights."""
    if known_methods()[planned.spec.method].ends_in == "policy":
        return job.setup.trunk()
    if not isinstance(job.method, EndToEnd):
        raise UserError(
            f"method {planned.spec.method!r} builds its model in a way of its own; "
            "torch.load(file, weights_only=True)['weights'] reads the weights of model.pt"
        )
    return job.method.training.model
