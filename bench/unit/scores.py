"""What a row says of a model on the test split, or of a policy that a retraining will score."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from augbench.bench.plan.spec import record_digest
from augbench.bench.store.files import write_json
from augbench.bench.store.predictions import Predictions
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.job import Job
from augbench.methods.policies.policy import Policy, operation_shares
from augbench.methods.policies.policy_json import to_json
from augbench.methods.training.method import Meter
from augbench.methods.training.training import predict, score_predictions
from augbench.methods.transforms.transform import Transform


def predict_test(job: Job, model: nn.Module, meter: Meter) -> Predictions:
    """What a model says of the test split; the same random numbers each time."""
    seed = job.setup.seeds.integer("score")
    logits = predict(model, job.test.x, seed=seed, meter=meter).cpu()
    names_of = job.task.test_groups
    return Predictions(
        job.task.class_names,
        job.test.y.cpu().numpy(),
        logits.argmax(1).numpy(),
        logits.double().softmax(1).numpy(),
        None if names_of is None else names_of(job.fold),
    )


def test_score(job: Job, predictions: Predictions) -> float:
    """The task's metric of predictions."""
    predicted, y = torch.from_numpy(predictions.predicted), torch.from_numpy(predictions.y)
    return score_predictions(predicted, y, metric=job.task.metric, n_classes=job.task.n_classes)


def write_policy(
    policy: Policy, bank: Mapping[str, Transform], directory: UnitDirectory
) -> dict[str, Any]:
    """Write a policy into the folder of its unit; returns its part of a row."""
    record = to_json(policy, bank)
    directory.policies.mkdir(exist_ok=True)
    write_json(directory.policies / f"{policy.digest}.json", record)
    return {
        "kind": "policy",
        "policy": policy.digest,
        "policy_record": record_digest(record),
        "shares": operation_shares(policy),
    }
