"""What every method in the table promises, whoever wrote it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from augbench.datasets.options.row import resolve
from augbench.methods import METHODS
from augbench.methods.conformance.shown import flat, loaded, saved, shown
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.training.method import Method, Setup, Trained
from augbench.methods.training.retraining import retrain

# A method in the table that has no options here runs on its defaults: add a row to make it quick.
OPTIONS: dict[str, dict[str, Any]] = {
    "augnet": {"layers": (("offset", "blur"), ("negate",)), "n_copies_train": 2},
    "fixed": {"subpolicies": ((("offset", 0.7, 0.5), ("negate", 0.5)), (("blur", 1.0, 0.3),))},
    "random_search": {"n_samplings": 3, "samplings_per_point": 2, "child_epochs": 2},
    "autoaugment": {"n_samplings": 5, "samplings_per_point": 2, "n_startup": 2, "child_epochs": 2},
    "fast_autoaugment": {"n_samplings": 5, "n_startup": 2, "pretrain_epochs": 2},
    "faster_autoaugment": {"epochs": 5},
    "dada": {"epochs": 5, "n_best": 2},
    "adda": {"warm_start": 1, "epochs": 4},
    "cadda": {"warm_start": 1, "epochs": 4, "estimator": "gumbel", "hypergradient": "differences"},
}

FOR_IMAGES = ("augerino",)

every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture
def make_setup(name: str, make_setup: Any, as_images: Callable[[Setup], Setup]) -> Any:
    """A setup with images for the methods that need images."""
    if name not in FOR_IMAGES:
        return make_setup
    return lambda *seed: as_images(make_setup(*seed))


def build(name: str, setup: Setup) -> Method:
    row = METHODS[name]
    return resolve(row.build)(setup, row.options(**OPTIONS.get(name, {})))


def advance(method: Method, n_steps: int) -> bool:
    finished = False
    for _ in range(n_steps):
        assert not finished
        finished = method.step()
    return finished


@every_method
@pytest.mark.parametrize("k", [1, 2])
def test_resuming_from_a_file_changes_no_bit(name: str, k: int, setup: Setup) -> None:
    undisturbed = build(name, setup)
    advance(undisturbed, 2 * k)
    first = build(name, setup)
    advance(first, k)
    torch.rand(7)  # whoever carries on has another global generator
    second = build(name, setup)
    second.load_state_dict(loaded(saved(first.state_dict())))
    assert shown(second) == shown(first)
    advance(second, k)
    assert shown(second) == shown(undisturbed)


@every_method
def test_equal_seeds_give_equal_methods_and_other_seeds_others(name: str, make_setup: Any) -> None:
    runs = []
    for seed in (1, 1, 2):
        method = build(name, make_setup(seed))
        advance(method, 2)
        runs.append(shown(method))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@every_method
def test_a_step_leaves_the_global_generator_alone(name: str, setup: Setup) -> None:
    method = build(name, setup)
    before = torch.get_rng_state()
    method.step()
    assert torch.equal(torch.get_rng_state(), before)


@every_method
def test_it_counts_the_very_samples_that_its_trunks_see(name: str, make_setup: Any) -> None:
    meter = (setup := make_setup()).meter
    with meter.phase("search"):
        method = build(name, setup)
        while not method.step():
            pass
    for what in ("forward", "backward"):
        for phase in ("outside", "pretrain", "search", "validate", "retrain", "evaluate"):
            assert meter.told[phase, what] == meter.seen[phase, what], (phase, what)


@every_method
def test_it_opens_no_phase_but_pretrain_validate_and_evaluate(name: str, make_setup: Any) -> None:
    meter = (setup := make_setup()).meter
    advance(build(name, setup), 3)
    assert set(meter.opened) <= {"pretrain", "validate", "evaluate"}


@every_method
def test_building_costs_nothing_and_has_nothing_to_show(name: str, make_setup: Any) -> None:
    meter = (setup := make_setup()).meter
    method = build(name, setup)
    assert method.artifact() is None
    assert not meter.told
    assert not meter.seen


@every_method
def test_it_finishes_with_an_artifact_of_the_kind_in_its_row(name: str, setup: Setup) -> None:
    method = build(name, setup)
    n_steps = 0
    while not method.step():
        n_steps += 1
        assert n_steps < 100
    kind = {"model": Trained, "policy": Policy}[METHODS[name].ends_in]
    artifact = method.artifact()
    assert isinstance(artifact, kind)
    if isinstance(artifact, Policy):
        assert from_json(to_json(artifact, setup.bank), setup.bank) == artifact


def identities(setup: Setup) -> Setup:
    """The same names, none of which changes anything."""
    bank = {
        name: replace(row, apply=lambda x, magnitude, noise: x) for name, row in setup.bank.items()
    }
    return replace(setup, bank=bank)


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].ends_in == "policy"])
def test_with_identities_alone_its_retraining_is_that_of_none(name: str, setup: Setup) -> None:
    setup = identities(setup)
    method = build(name, setup)
    while not method.step():
        pass
    policy = method.artifact(last=True)
    assert isinstance(policy, Policy)
    assert policy.transforms
    weights = []
    for each in (policy, Policy()):
        training = retrain(setup, each)
        for _ in range(3):
            training.step()
        weights.append(flat(training.state_dict()))
    assert weights[0] == weights[1]


@pytest.mark.parametrize("name", ["fixed", "randaugment", "trivialaugment", "uniformaugment"])
def test_with_identities_alone_a_policy_by_hand_trains_as_none_does(
    name: str, setup: Setup
) -> None:
    shows = []
    for each in (name, "none"):
        method = build(each, identities(setup))
        advance(method, 3)
        shows.append(shown(method))
    assert shows[0] == shows[1]


@every_method
def test_what_it_learned_is_json_at_every_moment(name: str, setup: Setup) -> None:
    method = build(name, setup)
    for _ in range(3):
        learned = method.learned()
        assert json.loads(json.dumps(learned, allow_nan=False)) == learned
        method.step()


@every_method
def test_the_data_are_left_as_they_were(name: str, setup: Setup) -> None:
    before = [tensor.clone() for split in setup.views for tensor in split]
    advance(build(name, setup), 3)
    after = [tensor for split in setup.views for tensor in split]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].ends_in == "model"])
def test_labels_of_the_validation_view_never_reach_the_weights(name: str, setup: Setup) -> None:
    """A wrong split in the training would show here: the validation labels only choose."""
    wrong = setup.views.model_valid._replace(y=(setup.views.model_valid.y + 1) % 3)
    views = setup.views._replace(policy_valid=wrong, model_valid=wrong)
    weights = []
    for each in (setup, replace(setup, views=views)):
        method = build(name, each)
        advance(method, 2)
        artifact = method.artifact()
        assert isinstance(artifact, Trained)
        weights.append(flat(dict(artifact.model.state_dict())))
    assert weights[0] == weights[1]
