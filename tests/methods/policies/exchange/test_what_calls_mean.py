"""What a call of other software means: one number, limits, containers, several policies."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from kornia import augmentation

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange import kornia
from augbench.methods.policies.exchange.call_form import NEAR, PAIR, Row
from augbench.methods.policies.exchange.convert import Report, import_policy
from augbench.methods.policies.exchange.shapes import FIRST
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_file import read_policy

HEAD = "import kornia.augmentation as K\nfrom torch import nn\n"


def imported(
    folder: Path, form: str, text: str, name: str | None = None
) -> tuple[list[list[tuple[str, float, float | None]]], Report]:
    """Each operation of each subpolicy with its probability and its strength in units."""
    (folder / "theirs.txt").write_text(text)
    record, report = import_policy(folder / "theirs.txt", form, name)
    policy = read_policy(json.loads(json.dumps(record, allow_nan=False)))
    return [
        [(o.transform, o.probability, _strength(o, policy)) for o in each.operations]
        for each in policy.subpolicies
    ], report


def _strength(operation: Any, policy: Policy) -> float | None:
    if operation.magnitude is None:
        return None
    return round(operation.magnitude * policy.ranges[operation.transform], 6)


def saved(*transforms: dict[str, Any], container: str = "Compose", **more: Any) -> str:
    inner = [{"__class_fullname__": each.pop("name"), "p": 1.0, **each} for each in transforms]
    whole = {"__class_fullname__": container, "p": 1.0, "transforms": inner, **more}
    return json.dumps({"transform": whole})


ONE_NUMBER = [row for row in kornia.ROWS if row.argument and row.shape in (PAIR, FIRST)]


@pytest.mark.parametrize("row", ONE_NUMBER, ids=lambda row: row.ours)
def test_one_number_means_what_kornia_draws(row: Row, tmp_path: Path) -> None:
    given = {"posterize": 3.0, "rotate": 20.0, "shear_x": 20.0}.get(row.ours, 0.2)
    text = f"p = {row.theirs}({row.argument}={given}, p=1.0)"
    try:
        operation = getattr(augmentation, row.theirs[2:])(**{row.argument: given}, p=1.0)
    except TypeError:
        with pytest.raises(UserError, match="write both ends"):
            imported(tmp_path, "kornia", text)
        return
    operation(torch.rand(4000, 3, 10, 10))
    drawn = _drawn(operation, row)
    ends = sorted(row.unit.ours(each) for each in (drawn.min().item(), drawn.max().item()))
    (((name, _, strength),),), report = imported(tmp_path, "kornia", text)
    assert name == row.ours
    assert strength == pytest.approx(max(map(abs, ends)), rel=0.02)
    as_here = abs(sum(ends) if row.both_sides else ends[0]) < 0.02 * max(map(abs, ends)) + NEAR
    assert as_here != any("here the strength is drawn" in each for each in report.lost)


def _drawn(operation: Any, row: Row) -> torch.Tensor:
    keys = [key for key in operation._params if row.argument.rstrip("s") in key]
    keys = keys or [key for key in operation._params if key in ("shear_x", "bits_factor")]
    drawn: torch.Tensor = operation._params[keys[0]].float()
    return drawn / 10 if row.argument.startswith("translate") else drawn


MEANT = {
    "the bits that stay": (
        "albumentations",
        saved({"name": "Posterize", "num_bits": 4}),
        ("posterize", 4.0),
    ),
    "a limit": ("albumentations", saved({"name": "Rotate", "limit": 20}), ("rotate", 20.0)),
    "a colour": (
        "albumentations",
        saved({"name": "ColorJitter", "contrast": 0.3}),
        ("contrast", 0.3),
    ),
    "a colour of torchvision": (
        "torchvision",
        "p = v2.ColorJitter(saturation=0.3)",
        ("saturation", 0.3),
    ),
    "degrees": ("torchvision", "p = v2.RandomRotation(degrees=10)", ("rotate", 10.0)),
    "a threshold": (
        "torchvision",
        "p = v2.RandomSolarize(threshold=0.5, p=1.0)",
        ("solarize", round(1 - 127.5 / 256, 6)),
    ),
}


@pytest.mark.parametrize("case", MEANT)
def test_one_number_elsewhere(case: str, tmp_path: Path) -> None:
    form, text, (name, strength) = MEANT[case]
    ((found,),), _ = imported(tmp_path, form, text)
    assert (found[0], found[2]) == (name, pytest.approx(strength))


def kornias(arguments: str) -> tuple[str, str]:
    return "kornia", f"p = K.{arguments[:-1]}, p=1.0)"


def torchvisions(arguments: str) -> tuple[str, str]:
    return "torchvision", f"p = v2.{arguments}"


def theirs(name: str, **arguments: Any) -> tuple[str, str]:
    return "albumentations", saved({"name": name, **arguments})


def axes(x: float, y: float = 0.0) -> dict[str, list[float]]:
    return {"x": [-x, x], "y": [-y, y]}


REFUSED = {
    # one number that says no range
    "one area": (*kornias("RandomErasing(scale=0.1)"), "write both ends"),
    "one area there": (*torchvisions("RandomErasing(scale=0.1, p=1.0)"), "write both ends"),
    "one threshold": (*theirs("Solarize", threshold_range=0.5), "write both ends"),
    "below 0": (*kornias("RandomRotation(degrees=-3.0)"), "one number has to be 0 or more"),
    "two bits": (*torchvisions("RandomPosterize(bits=(3, 5), p=1.0)"), "lacks a range as bits"),
    # limits
    "a threshold of 256 levels": (
        *torchvisions("RandomSolarize(threshold=192.0, p=1.0)"),
        r"from 0 to 1: .* images in \[0, 1\], so divide a level by 255",
    ),
    "half out": (*kornias("RandomSolarize(thresholds=0.6)"), "from 0 to 1"),
    "thresholds": (*theirs("Solarize", threshold_range=[128, 128]), "divide a level by 255"),
    "upright": (*theirs("Affine", shear=axes(90.0)), "from -89.99 to 89.99"),
    "upside down": (*theirs("Affine", shear=axes(0.0, 100.0)), "from -89.99 to 89.99"),
    "upright there": (*torchvisions("RandomAffine(degrees=0, shear=90)"), "to 89.99"),
    "bits": (*kornias("RandomPosterize(bits=(-3, 9))"), "from 0 to 8"),
    "one bit too many": (*kornias("RandomPosterize(bits=9)"), "from 0 to 8"),
    "bits there": (*torchvisions("RandomPosterize(bits=9, p=1.0)"), "from 0 to 8"),
    "no bit": (*theirs("Posterize", num_bits=[0, 4]), "from 1 to 7"),
    "an area below 0": (*kornias("RandomErasing(scale=(-1.0, 0.1))"), "from 0 to 1"),
    "an area above 1": (*torchvisions("RandomErasing(scale=(0, 4), p=1.0)"), "from 0 to 1"),
    "an area above 1 there": (*theirs("Erasing", scale=[0, 4]), "from 0 to 1"),
    "a turn": (*kornias("RandomRotation(degrees=(-500, 500))"), "from -360 to 360"),
    "a move": (*kornias("RandomTranslate(translate_x=(-3, 3))"), "from -1 to 1"),
    "a move there": (*torchvisions("RandomAffine(degrees=0, translate=(-0.2, 0))"), "from 0 to 1"),
    "a hue": (*kornias("ColorJitter(hue=0.7)"), "from -0.5 to 0.5"),
    "a hue there": (*theirs("ColorJitter", hue=[-1, 1]), "from -0.5 to 0.5"),
    "a factor": (*torchvisions("ColorJitter(contrast=(-1, 3))"), "0 or more"),
    "sharpness": (*kornias("RandomSharpness(sharpness=(-1.0, 1.0))"), "0 or more"),
    # an argument that is read by nobody, beside one that is
    "another axis": (
        *torchvisions("RandomAffine(degrees=0, translate=(0.2, 0.1), shear=5)"),
        r"RandomAffine\(translate=\(0.2, 0.1\)\) cannot be read beside its shear",
    ),
    "both shears": (
        *torchvisions("RandomAffine(0, translate=(0.2, 0), shear=(-5, 5, -5, 5))"),
        "arguments without names",
    ),
    # containers
    "some of them": (
        "kornia",
        "p = K.ImageSequential(K.RandomInvert(p=1.0), K.RandomEqualize(p=1.0), random_apply=1)",
        "ImageSequential draws some of its operations .random_apply=1.*leave that out",
    ),
    "inside": (
        "kornia",
        "p = K.ImageSequential(K.ImageSequential(K.RandomInvert(p=1.0)))",
        "ImageSequential inside another cannot be read; write its operations in its place",
    ),
    "some of them there": (
        "albumentations",
        saved({"name": "InvertImg"}, container="SomeOf", n=1),
        "SomeOf, which cannot be read; take Compose, Sequential or OneOf",
    ),
    "weights without a name": (
        *torchvisions("RandomChoice([v2.RandomInvert(p=1.0)], [1.0])"),
        "arguments without names",
    ),
    "apply": (
        *torchvisions("Compose([v2.RandomApply([v2.RandomInvert(p=0.5)], p=2.0)])"),
        "RandomApply has the probability 2",
    ),
    "a choice of one": (
        *torchvisions(
            "Compose([v2.RandomChoice(transforms=[v2.RandomInvert(p=1.), v2.RandomInvert(p=1.)])])"
        ),
        "has to be one of strengths",
    ),
    "a choice with weights": (
        *torchvisions(
            "Compose([v2.RandomChoice(transforms=[v2.RandomPosterize(bits=3, p=1.)], p=[0.3])])",
        ),
        "has to be one of strengths",
    ),
    "a choice of chances": (
        *torchvisions("Compose([v2.RandomChoice(transforms=[v2.RandomPosterize(bits=3, p=0.5)])])"),
        "has to be one of strengths",
    ),
    # no operation
    "no subpolicy": ("kornia", "p = OneOf(weights=[], subpolicies=[])", "it holds no operation"),
    "empty ones": ("kornia", "p = OneOf(weights=[1], subpolicies=[[]])", "it holds no operation"),
    "none there": ("albumentations", saved(container="OneOf"), "it holds no operation"),
    # variables
    "variables": (
        "kornia",
        "a = K.RandomInvert(p=.5)\nb = K.RandomEqualize(p=.5)\npolicy = nn.Sequential(a, b)",
        "a subpolicy holds 'a' where an operation has to be; write the operation itself there",
    ),
    "two policies": (
        "kornia",
        "p = K.ImageSequential(K.RandomInvert(p=.5))\n"
        "q = K.ImageSequential(K.RandomEqualize(p=.5))",
        "several policies: choose one with --name: p, q",
    ),
    "a list too": (
        "kornia",
        "p = [[('invert', 0.5, None)]]\nq = K.ImageSequential(K.RandomInvert(p=.5))",
        "several policies: choose one with --name: p, q",
    ),
    "two operations": (
        "torchvision",
        "a = v2.RandomInvert(p=.5)\nb = v2.RandomEqualize(p=.5)",
        "several policies: choose one with --name: a, b",
    ),
    # numbers of too many digits
    "a long angle": ("kornia", f"p = K.RandomRotation(degrees={10**400}, p=1.0)", "a number has"),
    "a long p": ("kornia", f"p = K.RandomInvert(p={10**400})", "where a number has to be"),
    "a hexadecimal one": ("kornia", f"p = K.RandomInvert(p=0x{'f' * 9000})", "a number has to be"),
    "a long weight": (
        "kornia",
        f"p = OneOf(weights=[{10**400}], subpolicies=[[K.RandomInvert(p=1)]])",
        "where a number has to be",
    ),
    "a long name": (
        "kornia",
        f"p = K.RandomRotation(degrees=a{'.a' * 9000}, p=1.0)",
        "recursion depth",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_certain_meaning_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    form, text, complaint = REFUSED[case]
    with pytest.raises(UserError, match=complaint) as error:
        imported(tmp_path, form, text)
    assert str(error.value).count("theirs.txt") == 1
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_what_a_container_says_beside_its_operations_is_lost_and_said(tmp_path: Path) -> None:
    text = "p = K.ImageSequential(K.RandomInvert(p=1.0), same_on_batch=True, random_apply=False)"
    _, report = imported(tmp_path, "kornia", text)
    assert "ImageSequential: here without its same_on_batch" in report.lost
    text = saved({"name": "InvertImg"}, seed=3, additional_targets={})
    _, report = imported(tmp_path, "albumentations", text)
    assert "Compose: here without its seed" in report.lost


def test_what_is_left_to_a_default_is_said(tmp_path: Path) -> None:
    _, report = imported(tmp_path, "kornia", "p = K.RandomSolarize(thresholds=(0.5, 1), p=1.0)")
    assert "RandomSolarize: here with additions=(0.0, 0.0), which it leaves open" in report.lost


def test_a_model_before_the_policy_is_no_policy(tmp_path: Path) -> None:
    text = (
        "model = nn.Sequential(nn.Linear(3, 4))\nflip = K.RandomInvert(p=0.5)\n"
        "def make():\n    return K.ImageSequential(K.RandomInvert(p=0.25))\n"
    )
    assert imported(tmp_path, "kornia", HEAD + text)[0] == [[("invert", 0.25, None)]]


def test_a_policy_is_chosen_by_its_name(tmp_path: Path) -> None:
    text = "a = K.RandomInvert(p=.5)\nb = c = K.ImageSequential(K.RandomInvert(p=0.25))\n"
    text += "d = K.ImageSequential(K.RandomInvert(p=0.75))\ne = [[('invert', 1.0, None)]]\n"
    found = {name: imported(tmp_path, "kornia", text, name)[0][0][0][1] for name in "bcde"}
    assert found == {"b": 0.25, "c": 0.25, "d": 0.75, "e": 1.0}
    with pytest.raises(UserError, match="unknown policy of the file 'f'"):
        imported(tmp_path, "kornia", text, "f")
