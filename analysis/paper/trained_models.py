"""Models of finished trials, loaded from a run directory, with the data that tested them."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn

from augbench.analysis.paper.paper_figure import Run
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store import checkpoint
from augbench.bench.store.files import DamagedError
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.open_run import open_run
from augbench.bench.unit.job import Job, trial_job
from augbench.methods.training.end_to_end import EndToEnd


class Trained(NamedTuple):
    """A trial, its model at its best epoch by validation, and what it was built from."""

    planned: PlannedTrial
    model: nn.Module
    job: Job


def trained_models(run: Run, label: str | None = None) -> Iterator[Trained]:
    """The models of all finished trials of end-to-end methods, on the CPU and ready to predict.

    ``label`` asks for those of one method alone. Damaged trials are left out. Raises a UserError if
    the data are missing that the trials were trained on.
    """
    directory, suite = open_run(run.path)
    device = torch.device("cpu")
    for planned in suite.plan:
        if label not in (None, planned.method):
            continue
        unit = directory.unit(planned.spec.unit)
        try:
            file = unit.model_file()
            weights = None if file is None else checkpoint.read(file)["weights"]
        except DamagedError:
            continue
        if weights is None:
            continue
        job = trial_job(planned.spec.to_json(), run.data, device=device, meter=Ledger(device))
        if not isinstance(job.method, EndToEnd):
            continue
        model = job.method.training.model
        model.load_state_dict(weights)
        yield Trained(planned, model.eval(), job)
