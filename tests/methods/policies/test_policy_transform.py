"""A policy as a module, wherever somebody may put it."""

import pickle
import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.task import Signal
from augbench.methods import Operation, Policy, PolicyTransform, Subpolicy, make_bank
from augbench.methods.policies.policy import UpTo
from augbench.methods.policies.policy_file import read_policy, write_policy
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.transform import Transform

CAP = ("C3", "C4", "F3", "F4", "O1", "O2")
WAVES = Signal("eeg", (6, 100), CAP, 100.0)
PICTURES = Signal("image", (3, 8, 8))
FLIP = Operation("sign_flip", 1.0, None)
MASK = Operation("time_mask", 0.5, 0.8)
SOME = Policy((Subpolicy((FLIP,)), Subpolicy((MASK,), weight=3.0)))
ALWAYS = Policy((Subpolicy((FLIP,)),))
BY_CLASS = Policy(by_class=((Subpolicy((FLIP,)),), ()))


def waves(n: int = 8) -> Tensor:
    return torch.randn(n, *WAVES.shape, generator=torch.Generator().manual_seed(1))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def every_operation(signal: Signal) -> Policy:
    """One subpolicy for each transform of a kind."""
    bank = make_bank(EEG if signal.kind == "eeg" else IMAGE, signal)
    return Policy(
        tuple(
            Subpolicy((Operation(name, 1.0, 0.9 if row.graded else None),))
            for name, row in bank.items()
        )
    )


def test_a_batch_is_augmented_as_in_search_and_retraining() -> None:
    x, y = waves(), torch.zeros(8, dtype=torch.int64)
    table = PolicyTable(SOME, make_bank(["sign_flip", "time_mask"], WAVES), x.device)
    before = x.clone()
    out = SOME.as_module(WAVES)(x, generator=stream())
    assert torch.equal(out, table.apply(x, y, stream()))
    assert torch.equal(x, before)
    assert not torch.equal(out, x)


def test_with_labels_it_returns_both_as_torchvision_and_braindecode_do() -> None:
    augment, y = ALWAYS.as_module(WAVES), torch.arange(8)
    out, labels = augment(waves(), y)
    assert labels is y
    assert torch.equal(out, -waves())
    example, label = augment(waves()[0], 3)
    assert label == 3
    assert torch.equal(example, -waves()[0])


@pytest.mark.parametrize("as_given", [lambda x: x, lambda x: x.numpy(), lambda x: x.double()])
def test_an_example_alone_keeps_its_shape_and_type(as_given: Callable[[Tensor], Any]) -> None:
    x = as_given(waves()[0])
    out = ALWAYS.as_module(WAVES)(x)
    assert torch.equal(out, -torch.as_tensor(x))
    assert out.dtype == torch.as_tensor(x).dtype


def test_a_class_wise_policy_goes_by_the_label() -> None:
    out, _ = BY_CLASS.as_module(WAVES)(waves(4), torch.tensor([0, 1, 0, 1]))
    assert torch.equal(out[::2], -waves(4)[::2])
    assert torch.equal(out[1::2], waves(4)[1::2])
    alone, _ = BY_CLASS.as_module(WAVES)(waves()[0], 0)
    assert torch.equal(alone, -waves()[0])


def test_in_evaluation_mode_nothing_is_changed() -> None:
    model = nn.Sequential(ALWAYS.as_module(WAVES), nn.Flatten())
    assert torch.equal(model.eval()(waves()), waves().flatten(1))
    assert torch.equal(model.train()(waves()), -waves().flatten(1))


def test_without_a_generator_the_noise_is_that_of_torch() -> None:
    augment, outs = SOME.as_module(WAVES), []
    for seed in (1, 1, 2):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            outs.append(augment(waves()))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_a_range_of_the_policy_says_what_magnitude_1_means() -> None:
    policy = Policy((Subpolicy((Operation("rotate", 1.0, 0.5),)),), ranges={"rotate": 90.0})
    assert policy.as_module(PICTURES).bank["rotate"].strongest == 90.0
    assert "100% rotate in 100% at 45 degrees" in repr(policy.as_module(PICTURES))
    assert policy.digest == Policy(policy.subpolicies).digest


@pytest.mark.parametrize("side", [4, 7, 8, 32])
def test_a_file_with_a_crop_is_applied_to_images_of_any_size(side: int) -> None:
    policy = read_policy(write_policy(Policy((Subpolicy((Operation("crop", 1.0, 1.0),)),))))
    assert policy.ranges == {"crop": 0.125}
    x = torch.rand(64, 1, side, side)
    augment = policy.as_module(Signal("image", (1, side, side)))
    assert not torch.equal(augment(x, generator=stream()), x)


def test_its_repr_says_what_it_does_in_units() -> None:
    drawn = Operation("gaussian_noise", 0.25, UpTo(0.5))
    policy = Policy((Subpolicy((FLIP, drawn)), Subpolicy((), weight=3.0)))
    text = repr(policy.as_module(WAVES))
    noise = "gaussian_noise in 25% at up to 0.1 standard deviation"
    assert f"25% sign_flip in 100%, then {noise}" in text
    assert "75% nothing" in text
    many = Policy(tuple(Subpolicy((MASK,)) for _ in range(1000)))
    assert "and 990 more" in repr(many.as_module(WAVES))


class Indexed(Dataset[tuple[Tensor, int]]):
    """A data set as torchvision's: it holds a transform and applies it to each example."""

    def __init__(self, transform: Callable[[Tensor], Tensor], signal: Signal) -> None:
        self.transform, self.signal = transform, signal

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        x = torch.rand(self.signal.shape, generator=stream(index))
        return self.transform(x), index


class Compose:
    """What torchvision's does: transforms one after the other, called with one argument."""

    def __init__(self, transforms: list[Callable[[Tensor], Tensor]]) -> None:
        self.transforms = transforms

    def __call__(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x


@pytest.mark.parametrize("signal", [WAVES, PICTURES], ids=["EEG", "images"])
def test_every_transform_works_in_spawned_workers_of_a_data_loader(signal: Signal) -> None:
    augment = every_operation(signal).as_module(signal)
    augment(torch.rand(64, *signal.shape))  # what is kept for the device is not sent along
    dataset = Indexed(Compose([augment]), signal)
    loader = DataLoader(dataset, batch_size=16, num_workers=2, multiprocessing_context="spawn")
    plain = Indexed(lambda x: x, signal)
    batches = list(loader)
    assert sum(len(y) for _, y in batches) == 64
    changed = [
        not torch.equal(out, plain[int(index)][0])
        for x, y in batches
        for out, index in zip(x, y, strict=True)
    ]
    assert sum(changed) > 32
    assert all(x.isfinite().all() for x, _ in batches)


def test_torchvisions_compose_takes_it() -> None:
    try:
        from torchvision import transforms
    except (ImportError, RuntimeError) as error:  # the latter from a build for another torch
        pytest.skip(f"torchvision cannot be imported: {error}")
    policy = Policy((Subpolicy((Operation("invert", 1.0, None),)),))
    chain = transforms.Compose([transforms.ToTensor(), policy.as_module(PICTURES)])
    out = chain(np.zeros((8, 8, 3), dtype=np.uint8))
    assert torch.equal(out, torch.ones(3, 8, 8))


def test_braindecodes_loader_takes_it_alone_and_in_a_list() -> None:
    braindecode = pytest.importorskip("braindecode.augmentation")
    dataset = TensorDataset(waves(), torch.arange(8))
    augment = ALWAYS.as_module(WAVES)
    for transforms in (augment, [augment, braindecode.IdentityTransform()]):
        loader = braindecode.AugmentedDataLoader(dataset, transforms=transforms, batch_size=4)
        x, y = (torch.cat(each) for each in zip(*loader, strict=True))
        assert torch.equal(x, -waves())
        assert y.tolist() == list(range(8))


@pytest.mark.parametrize("copy", [deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_does_the_same(copy: Callable[[PolicyTransform], PolicyTransform]) -> None:
    augment = SOME.as_module(WAVES)
    expected = augment(waves(), generator=stream())
    assert torch.equal(copy(augment)(waves(), generator=stream()), expected)


def test_it_moves_with_the_batch_to_another_device() -> None:
    augment = ALWAYS.as_module(WAVES).to("meta")
    augment(waves())
    assert list(augment._tables) == [torch.device("cpu")]


def step(name: str, probability: float = 1.0, magnitude: Any = 0.5) -> Policy:
    return Policy((Subpolicy((Operation(name, probability, magnitude),)),))


LONG = Policy(step("time_mask").subpolicies, ranges={"time_mask": 200.0})
WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "unknown": (lambda: step("time_mas").as_module(WAVES), "did you mean 'time_mask'"),
    "other kind": (lambda: step("rotate").as_module(WAVES), "'rotate' is for images"),
    "no names": (
        lambda: step("rotation_z").as_module(Signal("eeg", (6, 100), (), 100.0)),
        "needs a 10-20 name",
    ),
    "too short": (lambda: LONG.as_module(WAVES), "means 200 samples by magnitude 1 of 'time_mask'"),
    "probability": (lambda: step("time_mask", 1.5).as_module(WAVES), r"is 1.5; .*\[0, 1\]"),
    "magnitude": (lambda: step("sign_flip").as_module(WAVES), "'sign_flip' takes no magnitude"),
    "no magnitude": (lambda: step("time_mask", 1.0, None).as_module(WAVES), "needs a magnitude"),
    "weight": (
        lambda: Policy((Subpolicy((FLIP,), weight=0.0),)).as_module(WAVES),
        "a weight of 0.0; it has to be a number above 0",
    ),
    "shape": (
        lambda: ALWAYS.as_module(WAVES)(torch.zeros(4, 5, 100)),
        r"x has shape \(4, 5, 100\); an example of the policy's signal has \(6, 100\)",
    ),
    "integers": (
        lambda: step("cutout").as_module(PICTURES)(torch.zeros(3, 8, 8, dtype=torch.uint8)),
        r"x is torch.uint8; a policy takes floats: images in \[0, 1\]",
    ),
    "no tensor": (lambda: ALWAYS.as_module(WAVES)("x"), "given a str; .*ToTensor"),  # type: ignore[call-overload]
    "labels missing": (lambda: BY_CLASS.as_module(WAVES)(waves()), "x, y = augment"),
    "labels out of range": (
        lambda: BY_CLASS.as_module(WAVES)(waves(), torch.arange(8)),
        "labels from 0 to 7; the policy has 2 classes, counted from 0",
    ),
    "too few labels": (lambda: BY_CLASS.as_module(WAVES)(waves(), torch.tensor([1])), "1 labels"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_one_sentence(case: str) -> None:
    call, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint):
        call()


def test_transforms_of_the_policy_are_bound_once() -> None:
    augment = SOME.as_module(WAVES)
    assert all(isinstance(each, Transform) for each in augment.bank.values())
    assert sorted(augment.bank) == ["sign_flip", "time_mask"]


@pytest.mark.parametrize("y", [torch.zeros(7), [0] * 9, np.zeros(1), torch.tensor(0)])
def test_labels_are_one_for_each_sample_of_any_policy(y: Any) -> None:
    for policy in (SOME, BY_CLASS):
        with pytest.raises(UserError, match=r"y has \d labels; x has 8 samples"):
            policy.as_module(WAVES)(waves(), y)


def test_labels_of_any_form_pass_through_a_policy_that_does_not_look_at_them() -> None:
    augment = SOME.as_module(WAVES)
    for y in (torch.rand(8, 3), list(range(8)), np.zeros((8, 2))):
        assert augment(waves(), y)[1] is y
    for one in (3, torch.rand(4), "wake"):
        assert augment(waves()[0], one)[1] is one


@pytest.mark.parametrize(("scale", "shown"), [(1e-6, ".*e-0[67]"), (0.04, "0.0"), (25, "2")])
def test_eeg_that_is_not_standardised_is_told_once(scale: float, shown: str) -> None:
    augment = SOME.as_module(WAVES)
    with pytest.warns(UserNotice, match=f"standard deviation of {shown}.* x = \\(x - x.mean"):
        augment(waves() * scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        augment(waves() * scale)


def test_standardised_eeg_flat_eeg_and_evaluation_have_no_notice(
    recwarn: pytest.WarningsRecorder,
) -> None:
    for scale in (0.0, 0.1, 1.0, 15.0):
        SOME.as_module(WAVES)(waves() * scale)
    SOME.as_module(WAVES)(waves()[:0])
    SOME.as_module(WAVES).eval()(waves() * 1e-6)
    nothing = Policy((Subpolicy((Operation("rotate", 0.5, 0.5),)),))
    nothing.as_module(PICTURES)(torch.full((2, 3, 8, 8), 0.5) + 0.01 * torch.rand(2, 3, 8, 8))
    assert not [each for each in recwarn if issubclass(each.category, UserNotice)]
