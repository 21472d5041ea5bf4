"""Methods that learn with transforms of kornia and braindecode."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.datasets.options.row import resolve
from augbench.methods import METHODS, AugNet, Policy, Signal
from augbench.methods.conformance.shown import loaded, saved, shown
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.policies.policy import Operation, Subpolicy
from augbench.methods.policies.policy_file import read_policy, write_policy
from augbench.methods.policies.policy_json import from_json
from augbench.methods.training.method import Method, Setup
from augbench.methods.transforms.bank import make_bank

BLUR = ImportedOptions("sigma", (0.1, 3.0), {"kernel_size": [3, 3]})
IMAGES = ("kornia.RandomRotation", "kornia.RandomGaussianBlur", "kornia.RandomErasing")
WINDOWS = ("braindecode.FTSurrogate", "braindecode.TimeReverse", "gaussian_noise")
OPTIONS: dict[str, dict[str, Any]] = {
    "augnet": {"layers": (IMAGES[:2],), "n_copies_train": 2},
    "faster_autoaugment": {"epochs": 4},
    "dada": {"epochs": 4, "n_best": 2},
    "adda": {"warm_start": 1, "epochs": 4},
    "random_search": {"n_samplings": 3, "samplings_per_point": 2, "child_epochs": 2},
    "fast_autoaugment": {"n_samplings": 4, "n_startup": 2, "pretrain_epochs": 1},
}


@pytest.fixture
def images(setup: Setup, as_images: Callable[[Setup], Setup]) -> Setup:
    setup = as_images(setup)
    described = {"kornia.RandomGaussianBlur": BLUR}
    return replace(setup, bank=make_bank(IMAGES, setup.signal, imported=described))


@pytest.fixture
def windows(setup: Setup) -> Setup:
    return replace(setup, bank=make_bank(WINDOWS, setup.signal))


def build(name: str, setup: Setup, **options: Any) -> Method:
    row = METHODS[name]
    made: Method = resolve(row.build)(setup, row.options(**(OPTIONS.get(name, {}) | options)))
    return made


def resumes(make: Callable[[], Method]) -> bool:
    """Whether 2 steps are 1 step, a file, and 1 step more, to the last bit."""
    undisturbed, first = make(), make()
    undisturbed.step(), undisturbed.step()
    first.step()
    torch.rand(7)
    second = make()
    second.load_state_dict(loaded(saved(first.state_dict())))
    second.step()
    return bool(shown(second) == shown(undisturbed))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_method_with_kornias_transforms_resumes_to_the_last_bit(name: str, images: Setup) -> None:
    assert resumes(lambda: build(name, images))


@pytest.mark.parametrize("name", ["augnet", "faster_autoaugment", "random_search"])
def test_a_method_with_braindecodes_transforms_resumes_to_the_last_bit(
    name: str, windows: Setup
) -> None:
    options = {"layers": (WINDOWS[1:],)} if name == "augnet" else {}
    assert resumes(lambda: build(name, windows, **options))


def test_a_search_by_gradient_leaves_out_what_has_none(images: Setup) -> None:
    method = build("faster_autoaugment", images)
    while not method.step():
        pass
    policy = method.artifact()
    assert isinstance(policy, Policy)
    assert policy.transforms == {"kornia.RandomRotation", "kornia.RandomGaussianBlur"}


def test_a_policy_with_them_is_applied_by_its_file_alone(images: Setup) -> None:
    policy = Policy(
        (Subpolicy((Operation("kornia.RandomGaussianBlur", 0.8, 0.5),)),),
        imported={"kornia.RandomGaussianBlur": BLUR},
    )
    record = write_policy(policy)
    meaning = record["transforms"]["kornia.RandomGaussianBlur"]
    assert meaning["imported"] == {
        "parameter": "sigma",
        "range": [0.1, 3.0],
        "options": {"kernel_size": [3, 3]},
    }
    read = read_policy(record)
    assert (read, read.imported) == (policy, policy.imported)
    x = torch.rand(8, *images.signal.shape)
    augmented = [
        each.as_module(images.signal)(x, generator=torch.Generator().manual_seed(0))
        for each in (policy, read)
    ]
    assert torch.equal(*augmented)
    assert not torch.equal(augmented[0], x)


def test_a_policy_of_another_blur_is_refused(images: Setup) -> None:
    policy = Policy(
        (Subpolicy((Operation("kornia.RandomGaussianBlur", 0.8, 0.5),)),),
        imported={"kornia.RandomGaussianBlur": replace(BLUR, options={"kernel_size": [5, 5]})},
    )
    record = write_policy(policy)
    with pytest.raises(UserError, match=r"was made of .*\[5, 5\].* here it is made of .*\[3, 3\]"):
        from_json(record, images.bank)
    del record["transforms"]["kornia.RandomGaussianBlur"]["imported"]
    with pytest.raises(UserError, match="does not say what 'kornia"):
        from_json(record, images.bank)


def test_augnet_learns_the_strength_of_a_blur() -> None:
    signal = Signal("image", (3, 8, 8))
    trunk = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 3))
    layers = [["kornia.RandomGaussianBlur"], ["kornia.RandomHorizontalFlip"]]
    model = AugNet(trunk, layers=layers, signal=signal)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(16, 3, 8, 8, generator=generator), torch.arange(16) % 3
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    before = [layer.magnitudes.clone() for layer in model.layers]
    for _ in range(3):
        optimizer.zero_grad()
        model.loss(model(x, generator), y).backward()
        optimizer.step()
    assert all(
        not torch.equal(layer.magnitudes, old)
        for layer, old in zip(model.layers, before, strict=True)
    )
    assert "more sigma than 0.1" in repr(model)
