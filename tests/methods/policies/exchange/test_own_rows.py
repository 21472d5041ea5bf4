"""Transforms of kornia and braindecode go back to the library that they come from."""

from typing import Any

import pytest
import torch

from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.policies.exchange.convert import export_policy

BLUR = ImportedOptions("sigma", (0.1, 2.1), {"kernel_size": [3, 3]})


def policy(*operations: Operation, **imported: ImportedOptions) -> Policy:
    named = {f"kornia.{name}": each for name, each in imported.items()}
    return Policy((Subpolicy(operations),), imported=named)


def test_kornia_gets_its_own_at_the_strength_of_the_policy() -> None:
    steps = Operation("kornia.RandomGaussianBlur", 0.8, 0.5), Operation("rotate", 1.0, 0.5)
    text, report = export_policy(policy(*steps, RandomGaussianBlur=BLUR), "kornia")
    assert "K.RandomGaussianBlur(kernel_size=(3, 3), sigma=(0.1, 1.1), p=0.8)" in text
    assert not any("RandomGaussianBlur" in each for each in report.lost)
    names: dict[str, Any] = {}
    exec(text, names)
    assert names["policy"](torch.rand(2, 3, 16, 16)).shape == (2, 3, 16, 16)


def test_braindecode_gets_its_own_with_the_rate_of_the_data() -> None:
    steps = (
        Operation("braindecode.FrequencyShift", 0.5, 0.5),
        Operation("braindecode.TimeReverse", 0.3, None),
    )
    text, _ = export_policy(policy(*steps), "braindecode")
    assert "A.FrequencyShift(max_delta_freq=2.5, sfreq=sfreq, probability=0.5)" in text
    assert "A.TimeReverse(probability=0.3)" in text


@pytest.mark.parametrize("form", ["torchvision", "braindecode"])
def test_others_do_not_have_them(form: str) -> None:
    ours = "rotate" if form == "torchvision" else "time_mask"
    steps = Operation("kornia.RandomRotation", 0.5, 0.5), Operation(ours, 0.5, 0.5)
    _, report = export_policy(policy(*steps), form)
    assert f"kornia.RandomRotation is left out: {form} has nothing like it" in report.lost


def test_a_size_that_depends_on_the_data_is_left_out() -> None:
    steps = Operation("kornia.RandomResizedCrop", 0.5, None), Operation("rotate", 0.5, 0.5)
    text, report = export_policy(policy(*steps), "kornia")
    assert "RandomResizedCrop(" not in text
    assert "kornia.RandomResizedCrop is left out: its size depends on the data" in report.lost
