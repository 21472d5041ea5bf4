"""What the golden batch says: of operations that are the same, and of ones that are not."""

import re
from functools import partial

import pytest
import torch
from torch import Tensor

from augbench.methods.policies.exchange import braindecode, kornia, pillow
from augbench.methods.policies.exchange.form import Operated
from augbench.methods.policies.exchange.golden import EEG, IMAGE, differences, golden_batch
from augbench.methods.policies.exchange.physical import Chain, Step
from augbench.methods.policies.policy_file import generic_bank

BANK = generic_bank()


def one_of_each(names: list[str]) -> list[Chain]:
    steps = [
        Step(name, 1.0, 0.6 * BANK[name].strongest if BANK[name].graded else None) for name in names
    ]
    return [Chain(1.0, tuple(steps))]


def numbers(sentences: list[str]) -> dict[str, tuple[float, float]]:
    """For each transform its two numbers."""
    found = {}
    for each in sentences:
        first, second = re.findall(r"\d+\.\d{4}", each)
        found[re.split(" at |:", each)[0]] = float(first), float(second)
    return found


# The largest difference, as a share of the change; 0.01 where nothing stands.
KNOWN = {"equalize": 0.1}


def test_kornias_operations_are_ours() -> None:
    names = [row.ours for row in kornia.ROWS if not row.draws]
    found = numbers(differences(one_of_each(names), kornia.operate(), "kornia"))
    assert sorted(found) == sorted(names)
    for name, (difference, change) in found.items():
        assert difference <= KNOWN.get(name, 0.01) * change, name


@pytest.mark.parametrize("name", [row.ours for row in braindecode.ROWS])
def test_braindecodes_operations_change_a_batch_as_much_as_ours(name: str) -> None:
    ((first, second),) = numbers(
        differences(one_of_each([name]), braindecode.operate(), "braindecode")
    ).values()
    if BANK[name].graded:
        # Our rotations keep what braindecode's spline loses.
        assert second == pytest.approx(first, rel=0.5 if "rotation" in name else 0.1)
    else:
        assert first == 0.0
        assert second > 0


def test_pillows_operations_are_ours_but_for_pixels_and_the_corner() -> None:
    names = list(pillow.OPERATIONS)
    found = numbers(differences(one_of_each(names), pillow.operate(), "Pillow"))
    assert sorted(found) == sorted(names)
    for name, (difference, change) in found.items():
        if name.startswith("shear"):
            assert difference > change  # about another point
        elif name in ("rotate", "translate_x", "translate_y", "equalize", "sharpness"):
            assert difference < 0.3 * change, name
        else:
            assert difference < 0.06 * change, name


def test_another_meaning_of_a_magnitude_is_seen() -> None:
    def operate(factor: float, name: str, strength: float | None) -> Operated:
        theirs = kornia.operate()(name, (strength or 0.0) * factor)
        assert theirs is not None
        return theirs

    chains = one_of_each(["rotate"])
    right = numbers(differences(chains, partial(operate, 1.0), "kornia"))["rotate"]
    wrong = numbers(differences(chains, partial(operate, 2.0), "kornia"))["rotate"]
    assert right[0] < 0.001
    assert wrong[0] > 0.5 * wrong[1]


def test_a_strength_without_finite_results_is_said_in_words() -> None:
    chains = [Chain(1.0, (Step("rotate", 1.0, 5e299),))]
    (said,) = differences(chains, pillow.operate(), "Pillow")
    assert "nan" not in said


def test_the_golden_batches_are_always_the_same_and_nobodys_draws_change() -> None:
    for signal in (EEG, IMAGE):
        assert torch.equal(golden_batch(signal), golden_batch(signal))
    assert float(golden_batch(IMAGE).min()) >= 0
    assert float(golden_batch(IMAGE).max()) <= 1
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    differences(one_of_each(["crop"]), kornia.operate(), "kornia")
    assert torch.equal(torch.rand(2), expected)


def test_what_other_software_lacks_is_not_compared() -> None:
    def nothing(name: str, strength: float | None) -> Operated | None:
        return None

    assert differences(one_of_each(["hue"]), nothing, "nothing") == []


def test_an_operation_of_no_strength_is_not_compared() -> None:
    def never(x: Tensor) -> Tensor:
        raise AssertionError

    chains = [Chain(1.0, (Step("rotate", 1.0, 0.0),))]
    assert differences(chains, lambda name, strength: (never, True), "never") == []


def test_a_strength_that_one_of_them_refuses_is_said() -> None:
    chains = [Chain(1.0, (Step("band_stop", 1.0, 60.0),))]
    (said,) = differences(chains, braindecode.operate(), "braindecode")
    assert said.startswith("band_stop: braindecode refuses it (`bandwidth` needs to be smaller")
    chains = [Chain(1.0, (Step("band_stop", 1.0, 49.0),))]
    (said,) = differences(chains, lambda name, strength: (torch.clone, False), "nothing")
    assert said.startswith("band_stop: not with this batch (")
