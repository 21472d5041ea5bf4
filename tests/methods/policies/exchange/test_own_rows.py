"""Transforms of kornia and braindecode go back to the library that they come from."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.policies.exchange.convert import export_policy, import_policy
from augbench.methods.policies.policy_file import read_policy
from augbench.methods.transforms.imported.defaults import DEFAULTS
from augbench.methods.transforms.imported.recipe import augmentations, find_class

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


# Classes of kornia that augbench has an operation of its own for are read as that operation.
AS_OURS = {
    "RandomRotation",
    "RandomSharpness",
    "RandomErasing",
    "RandomPosterize",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "RandomInvert",
    "RandomAutoContrast",
}
LEFT_OUT = {"RandomResizedCrop"}  # its size depends on the data
COME_BACK = [
    name
    for name in DEFAULTS
    if name.startswith("kornia.") and name.partition(".")[2] not in AS_OURS | LEFT_OUT
]


def read(text: str, folder: Path) -> tuple[Policy, list[str]]:
    (folder / "policy.py").write_text(text)
    record, report = import_policy(folder / "policy.py", "kornia")
    return read_policy(record), report.lost


@pytest.mark.parametrize("name", COME_BACK)
def test_a_policy_of_kornias_own_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    graded = DEFAULTS[name].described.parameter is not None
    steps = [Operation(name, p, m if graded else None) for p, m in ((0.5, 0.3), (0.7, 1.0))]
    text, _ = export_policy(Policy(tuple(Subpolicy((each,)) for each in steps)), "kornia")
    back, lost = read(text, tmp_path)
    assert not lost
    assert back.imported == {name: DEFAULTS[name].described}
    found = [operation for subpolicy in back.subpolicies for operation in subpolicy.operations]
    for operation, step in zip(found, steps, strict=True):
        assert operation.probability == step.probability
        assert operation.magnitude == pytest.approx(step.magnitude)
    assert export_policy(back, "kornia")[0] == text


def test_what_no_usual_row_says_is_applied_as_it_is(tmp_path: Path) -> None:
    text = (
        "import kornia.augmentation as K\n"
        "aug = K.AugmentationSequential(\n"
        "    K.RandomMotionBlur(kernel_size=3, angle=(-35.0, 35.0), direction=0.5, p=0.4),\n"
        "    K.RandomBoxBlur(kernel_size=(3, 3), p=0.2, same_on_batch=True),\n"
        ")\n"
    )
    policy, lost = read(text, tmp_path)
    options = {"kernel_size": 3, "angle": [-35.0, 35.0], "direction": 0.5}
    assert policy.imported["kornia.RandomMotionBlur"] == ImportedOptions(options=options)
    assert lost == ["RandomBoxBlur: here without its same_on_batch"]
    blur, box = policy.subpolicies[0].operations
    assert blur == Operation("kornia.RandomMotionBlur", 0.4, None)
    assert box == Operation("kornia.RandomBoxBlur", 0.2, None)


@pytest.mark.parametrize(
    "call",
    [
        "K.ColorJitter(brightness=(0.8, 1.3), contrast=(0.7, 1.2), p=1.0)",
        "K.RandomTranslate(translate_x=(-0.1, 0.2), translate_y=(-0.2, 0.3), p=0.5)",
    ],
)
def test_a_call_of_several_keeps_its_ranges_and_loses_nothing(call: str, tmp_path: Path) -> None:
    policy, lost = read(f"policy = {call}", tmp_path)
    assert not lost
    ((name, made_of),) = policy.imported.items()
    assert call.startswith(f"K.{name.removeprefix('kornia.')}(")
    values = [tuple(each) for each in made_of.options.values()]
    assert all(str(value) in call for value in values)
    assert len(values) == 2


BROKEN = {
    "another torch": ("raise RuntimeError('built for another torch')", "built for another torch"),
    "missing": ("raise ModuleNotFoundError('No module named x')", "No module named x"),
}


@pytest.fixture(params=BROKEN)
def refusal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a kornia says that cannot be imported; it takes the place of the real one."""
    source, said = BROKEN[request.param]
    (tmp_path / "kornia").mkdir()
    (tmp_path / "kornia" / "__init__.py").write_text(source)
    for module in [each for each in sys.modules if each.partition(".")[0] == "kornia"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(tmp_path)
    augmentations.cache_clear()
    find_class.cache_clear()
    return said


HEAD = "import kornia.augmentation as K\nfrom torch import nn\n"
OURS = {
    "alone": "policy = K.RandomInvert(p=0.5)",
    "in a row": "policy = nn.Sequential(K.RandomInvert(p=0.5))",
    "beside a network": "model = nn.Sequential(nn.Linear(3, 4))\npolicy = K.RandomInvert(p=0.5)",
    "beside a class": "class Net:\n    pass\nnet = Net()\npolicy = K.RandomInvert(p=0.5)",
    "one of several": "policy = K.ColorJitter(hue=0.1, p=0.5)",
}


@pytest.mark.parametrize("case", OURS)
def test_what_we_have_is_read_without_kornia(case: str, refusal: str, tmp_path: Path) -> None:
    policy, lost = read(HEAD + OURS[case], tmp_path)
    assert not lost
    assert policy.subpolicies[0].operations[0].transform in ("invert", "hue")


def test_what_we_write_is_read_without_kornia(refusal: str, tmp_path: Path) -> None:
    text, report = export_policy(policy(Operation("invert", 0.5, None)), "kornia")
    assert report.checked == ["nothing: kornia is not installed here"]
    assert read(text, tmp_path)[0].subpolicies[0].operations == (Operation("invert", 0.5, None),)


@pytest.mark.parametrize(
    "call",
    [
        "K.RandomMotionBlur(kernel_size=3, angle=30.0, direction=0.5, p=1.0)",
        "nn.Sequential(K.RandomBoxBlur(kernel_size=(3, 3), p=1.0))",
        "K.AugmentationSequential(K.RandomBoxBlur(kernel_size=(3, 3), p=1.0))",
        "K.ColorJitter(brightness=0.2, contrast=0.2, p=1.0)",
    ],
)
def test_what_only_kornia_has_needs_kornia(call: str, refusal: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"need the package kornia, .*\({refusal}\)"):
        read(f"{HEAD}policy = {call}", tmp_path)


REFUSED = {
    "no names": ("K.RandomMotionBlur(3, 35.0, 0.5, p=1.0)", "has arguments without names"),
    "a name": ("K.RandomBoxBlur(kernel_size=SIZE, p=1.0)", "has 'SIZE' where a number, a text"),
    "not its": ("K.RandomBoxBlur(kernel=3, p=1.0)", "unknown argument of transform 'kornia.Rand"),
    "too large": (f"K.RandomBoxBlur(kernel_size={10**400}, p=1.0)", "where a number, a text"),
    "infinite": ("K.RandomGamma(gamma=(1e999, 1.0), p=1.0)", "where a number has to be"),
    "no value": ("K.RandomGaussianBlur(kernel_size=3, sigma='a', p=1.0)", "does not work on"),
    "two forms": (
        "K.ImageSequential(K.RandomBoxBlur(kernel_size=(3, 3), p=1.0),"
        " K.RandomBoxBlur(kernel_size=(5, 5), p=1.0))",
        "holds kornia.RandomBoxBlur in two forms",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_kornia_would_not_take_is_refused(case: str, tmp_path: Path) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(UserError, match=sentence):
        read(f"policy = {call}", tmp_path)
