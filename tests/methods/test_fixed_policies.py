"""The baselines that search nothing: which policy they train under."""

import tomllib
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.task import Signal
from augbench.methods import fixed, none, randaugment, trivialaugment, uniformaugment
from augbench.methods.options.search_free import (
    FixedOptions,
    NoneOptions,
    RandAugmentOptions,
    TrivialAugmentOptions,
    UniformAugmentOptions,
)
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import Transform, per_sample

SUITES = Path(__file__).parents[2] / "bench" / "suites"
IMAGES = Signal("image", (3, 32, 32))
EEG = Signal("eeg", (6, 400), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)


def augmented(method: EndToEnd, x: Tensor, seed: int = 0) -> Tensor:
    augment = method.training.augment
    assert augment is not None
    return augment(x, torch.zeros(len(x), dtype=torch.int64), torch.Generator().manual_seed(seed))


def powers(setup: Setup, n: int) -> Setup:
    """A bank whose k-th transform multiplies by the k-th prime: products tell what has acted."""
    primes = (2, 3, 5, 7)[:n]

    def row(prime: int) -> Transform:
        return Transform(
            name=f"times {prime}",
            graded=True,
            gradient="path",
            strongest=1.0,
            unit="here",
            source="here",
            draw=lambda x, generator: torch.zeros(len(x)),
            apply=lambda x, m, noise: x * torch.where(per_sample(m, x) == 0.3, prime, prime**3),
        )

    return replace(setup, bank={f"times {prime}": row(prime) for prime in primes})


def shares(values: Tensor) -> dict[float, float]:
    counts = Counter(values.flatten().tolist())
    return {value: count / values.numel() for value, count in counts.items()}


@pytest.mark.parametrize("suite", ["cifar10", "cifar10_small"])
def test_on_photographs_the_suites_flip_half_of_the_images_and_crop_all(
    suite: str, setup: Setup
) -> None:
    bank = make_bank(["crop", "brightness", "horizontal_flip"], IMAGES)
    tables = tomllib.loads((SUITES / f"{suite}.toml").read_text())
    options = FixedOptions(tables["methods"]["fixed"]["subpolicies"])
    method = fixed.build(replace(setup, signal=IMAGES, bank=bank), options)
    x = torch.zeros(4000, 3, 32, 32)
    x[..., 16, 5] = 1.0  # left of the middle
    row, column = (
        augmented(method, x)[:, 0].flatten(1).argmax(1).div(32, rounding_mode="floor"),
        (augmented(method, x)[:, 0].flatten(1).argmax(1) % 32),
    )
    assert sorted(row.unique().tolist()) == list(range(12, 21))  # 4 pixels up or down
    flipped = column > 15
    assert flipped.double().mean().item() == pytest.approx(0.5, abs=0.03)
    assert sorted(column[~flipped].unique().tolist()) == list(range(1, 10))
    assert sorted(column[flipped].unique().tolist()) == list(range(22, 31))


def test_fixed_mirrors_no_image_unless_it_is_told_to(setup: Setup) -> None:
    """A mirrored traffic sign is another sign, and the task lists what searches may try."""
    bank = make_bank(["crop", "vertical_flip", "horizontal_flip"], IMAGES)
    method = fixed.build(replace(setup, signal=IMAGES, bank=bank), FixedOptions())
    x = torch.zeros(400, 3, 32, 32)
    x[..., 16, 5] = 1.0
    assert ((augmented(method, x)[:, 0].flatten(1).argmax(1) % 32) < 16).all()


@pytest.mark.parametrize(
    ("channels", "warned"),
    [(("Fpz-Cz", "Pz-Oz"), True), (("EEG Fpz-Cz", "EEG Pz-Oz"), True), (("C3", "C4"), False)],
)
def test_fixed_says_where_its_values_were_chosen_on_the_tasks_own_recordings(
    channels: tuple[str, ...], warned: bool, setup: Setup
) -> None:
    signal = Signal("eeg", (2, 400), channels, 100.0)
    setup = replace(setup, signal=signal, bank=make_bank(["gaussian_noise"], signal))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fixed.build(setup, FixedOptions())
        fixed.build(setup, FixedOptions(subpolicies=((("gaussian_noise", 0.5, 0.5),),)))
    notices = [str(each.message) for each in found if each.category is UserNotice]
    assert len(notices) == warned
    assert all("chosen on subjects of Sleep-EDF" in notice for notice in notices)


def test_fixed_takes_for_eeg_the_best_values_in_the_units_of_the_task(setup: Setup) -> None:
    bank = make_bank(["frequency_shift", "rotation_z", "sign_flip"], EEG, {"frequency_shift": 1.5})
    subpolicies = fixed._by_kind(replace(setup, signal=EEG, bank=bank))
    assert subpolicies == (
        (("frequency_shift", 0.5, pytest.approx(0.2)),),  # 0.3 of 1.5 Hz
        (("rotation_z", 0.5, 1.0),),  # 30 of 30 degrees
    )


def test_fixed_without_a_transform_of_the_task_is_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match=r"no transform of the fixed policy.*offset, blur"):
        fixed.build(setup, FixedOptions())


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (("ofset", 1.0, 0.5), "did you mean 'offset'"),
        (("offset", 1.0), "needs a magnitude"),
        (("negate", 1.0, 0.5), "takes no magnitude"),
        (("offset", 1.5, 0.5), "1.5"),
    ],
)
def test_a_fixed_policy_that_cannot_be_is_refused(step: Any, complaint: str, setup: Setup) -> None:
    with pytest.raises(UserError, match=complaint):
        fixed.build(setup, FixedOptions(subpolicies=((step,),)))


def test_randaugment_draws_with_replacement_and_the_identity_is_one_of_them(setup: Setup) -> None:
    """Two of {2, 3, identity}: nine equally likely ordered pairs, six products."""
    method = randaugment.build(powers(setup, 2), RandAugmentOptions(magnitude=0.3))
    found = shares(augmented(method, torch.ones(18000, 1, 1)))
    expected = {1.0: 1 / 9, 2.0: 2 / 9, 3.0: 2 / 9, 4.0: 1 / 9, 6.0: 2 / 9, 9.0: 1 / 9}
    assert found == pytest.approx(expected, abs=0.012)


def test_trivialaugment_takes_one_or_none_and_all_equally_often(setup: Setup) -> None:
    method = trivialaugment.build(powers(setup, 3), TrivialAugmentOptions())
    found = shares(augmented(method, torch.ones(16000, 1, 1)))
    assert found == pytest.approx(dict.fromkeys((1.0, 8.0, 27.0, 125.0), 0.25), abs=0.012)


def test_trivialaugment_can_draw_once_for_a_batch(setup: Setup) -> None:
    method = trivialaugment.build(powers(setup, 3), TrivialAugmentOptions(per="batch"))
    found = [augmented(method, torch.ones(20, 1, 1), seed).unique() for seed in range(300)]
    assert all(len(each) == 1 for each in found)
    assert {each.item() for each in found} == {1.0, 8.0, 27.0, 125.0}


def test_uniformaugment_takes_two_with_replacement_and_each_acts_half_of_the_time(
    setup: Setup,
) -> None:
    method = uniformaugment.build(powers(setup, 2), UniformAugmentOptions())
    found = shares(augmented(method, torch.ones(18000, 1, 1)))
    expected = {1.0: 1 / 4, 8.0: 1 / 4, 27.0: 1 / 4, 64.0: 1 / 16, 216.0: 1 / 8, 729.0: 1 / 16}
    assert found == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"n_operations": 0}, "1, 2 or 3"), ({"magnitude": 1.2}, "magnitude is 1.2")],
)
def test_numbers_of_randaugment_out_of_range_are_refused(
    options: dict[str, Any], complaint: str, setup: Setup
) -> None:
    with pytest.raises(UserError, match=complaint):
        randaugment.build(setup, RandAugmentOptions(**options))


def test_a_bank_of_identities_trains_the_weights_of_no_augmentation(setup: Setup) -> None:
    identity = {
        name: replace(row, apply=lambda x, m, noise: x + 0.0) for name, row in setup.bank.items()
    }
    setup = replace(setup, bank=identity)
    methods = [
        none.build(setup, NoneOptions()),
        fixed.build(setup, FixedOptions(subpolicies=((("offset", 1.0, 1.0),),))),
        randaugment.build(setup, RandAugmentOptions()),
        trivialaugment.build(setup, TrivialAugmentOptions()),
        uniformaugment.build(setup, UniformAugmentOptions()),
    ]
    states = []
    for method in methods:
        method.step()
        states.append(method.training.model.state_dict())
    for state in states[1:]:
        assert all(torch.equal(state[name], tensor) for name, tensor in states[0].items())
