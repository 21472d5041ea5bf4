"""Files in constructor notation: they run, they come back, and they say what is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.policies.exchange import (
    FORMS,
    albumentations,
    braindecode,
    kornia,
    torchvision,
)
from augbench.methods.policies.exchange.convert import export_policy, import_policy
from augbench.methods.policies.policy import UpTo
from augbench.methods.policies.policy_file import generic_bank, read_policy
from augbench.methods.transforms import EEG, IMAGE

BANK = generic_bank()
DIALECTS = {
    "kornia": kornia.KORNIA,
    "torchvision": torchvision.TORCHVISION,
    "albumentations": albumentations.ALBUMENTATIONS,
    "braindecode": braindecode.BRAINDECODE,
}
READABLE = [name for name in DIALECTS if FORMS[name].read]
CAP = ["C3", "C4", "O1", "O2"]


def step(name: str, probability: float = 0.7, magnitude: float = 0.6) -> Operation:
    return Operation(name, probability, magnitude if BANK[name].graded else None)


def every_operation(names: list[str]) -> Policy:
    """A subpolicy for each, of unequal weights, and one of two operations."""
    ranges = {name: BANK[name].strongest for name in names if BANK[name].graded}
    chains = [Subpolicy((step(name),), weight=1.0 + n) for n, name in enumerate(names)]
    chains.append(Subpolicy((step(names[0], 1.0), step(names[-1], 0.25, 0.3)), weight=0.5))
    return Policy(tuple(chains), ranges=ranges)


def only(name: str, **more: Any) -> Policy:
    return Policy((Subpolicy((step(name, **more),)),), ranges={name: BANK[name].strongest})


def written(folder: Path, policy: Policy, to: str) -> Path:
    file = folder / f"theirs-{to}"
    file.write_text(export_policy(policy, to)[0])
    return file


@pytest.mark.parametrize("to", READABLE)
def test_what_is_written_comes_back_and_is_written_again_in_the_same_way(
    to: str, tmp_path: Path
) -> None:
    policy = every_operation([row.ours for row in DIALECTS[to].rows])
    file = written(tmp_path, policy, to)
    record, _ = import_policy(file, to)
    back = read_policy(record)
    assert export_policy(back, to)[0] == file.read_text()
    assert len(back.subpolicies) == len(policy.subpolicies)
    for was, now in zip(policy.subpolicies, back.subpolicies, strict=True):
        assert now.weight == was.weight
        for before, after in zip(was.operations, now.operations, strict=True):
            assert (after.transform, after.probability) == (before.transform, before.probability)
            exact = before.transform != "posterize"  # whole bits there
            assert after.magnitude == pytest.approx(before.magnitude, abs=1e-9 if exact else 0.3)


@pytest.mark.parametrize("to", DIALECTS)
def test_operations_that_are_not_there_are_left_out_and_said(to: str) -> None:
    names = list(EEG if to == "braindecode" else IMAGE)
    missing = sorted(set(names) - {row.ours for row in DIALECTS[to].rows})
    _, report = export_policy(every_operation(names), to)
    said = sorted(each.partition(" ")[0] for each in report.lost if "is left out" in each)
    assert said == missing
    other = "rotate" if to == "braindecode" else "sign_flip"
    with pytest.raises(UserError, match=f"{to} has none of the operations of this policy"):
        export_policy(only(other), to)


def test_kornias_file_runs_and_each_image_draws_its_own_subpolicy(tmp_path: Path) -> None:
    flip, nothing = Subpolicy((step("invert", 1.0),), weight=3.0), Subpolicy(())
    names: dict[str, Any] = {}
    exec(written(tmp_path, Policy((flip, nothing)), "kornia").read_text(), names)
    x = torch.rand(400, 3, 4, 4)
    torch.manual_seed(0)
    out = names["policy"](x)
    flipped = (out - (1 - x)).abs().amax((1, 2, 3)) < 1e-6
    assert torch.equal(out[~flipped], x[~flipped])
    assert flipped.float().mean().item() == pytest.approx(0.75, abs=0.06)
    assert torch.equal(names["policy"].eval()(x), x)


def test_kornias_file_changes_images_as_the_policy_does(tmp_path: Path) -> None:
    policy = every_operation([row.ours for row in kornia.ROWS if row.ours != "posterize"])
    names: dict[str, Any] = {}
    exec(written(tmp_path, policy, "kornia").read_text(), names)
    x = torch.rand(512, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    theirs = (names["policy"](x) - x).abs().mean((1, 2, 3))
    ours = (policy.as_module(Signal("image", (3, 16, 16)))(x) - x).abs().mean((1, 2, 3))
    assert theirs.mean().item() == pytest.approx(ours.mean().item(), rel=0.1)
    assert theirs.std().item() == pytest.approx(ours.std().item(), rel=0.15)


def test_braindecodes_file_runs_in_its_data_loader(tmp_path: Path) -> None:
    library = pytest.importorskip("braindecode.augmentation")
    names: dict[str, Any] = {}
    policy = every_operation([name for name in EEG if name != "band_stop"])
    exec(written(tmp_path, policy, "braindecode").read_text(), names)
    x, y = torch.randn(64, 4, 300), torch.arange(64)
    loader = library.AugmentedDataLoader(
        torch.utils.data.TensorDataset(x, y),
        transforms=names["make_policy"](100.0, CAP),
        batch_size=32,
    )
    out, labels = (torch.cat(each) for each in zip(*loader, strict=True))
    assert out.shape == x.shape
    assert torch.equal(labels, y)
    assert sum(not torch.equal(a, b) for a, b in zip(out, x, strict=True)) > 32


def test_torchvisions_file_runs_where_torchvision_does(tmp_path: Path) -> None:
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:  # the latter from a build for another torch
        pytest.skip(f"torchvision cannot be imported: {error}")
    names: dict[str, Any] = {}
    exec(written(tmp_path, every_operation(list(IMAGE)), "torchvision").read_text(), names)
    x = torch.rand(3, 32, 32)
    outs = [names["policy"](x) for _ in range(100)]
    assert all(out.shape == x.shape and out.isfinite().all() for out in outs)
    assert sum(not torch.equal(out, x) for out in outs) > 30


def test_albumentations_is_never_imported(tmp_path: Path) -> None:
    file = written(tmp_path, only("rotate"), "albumentations")
    code = (
        "import sys; from pathlib import Path\n"
        "from augbench.methods.policies.exchange.convert import export_policy, import_policy\n"
        "from augbench.methods.policies.policy_file import read_policy\n"
        f"record, _ = import_policy(Path({str(file)!r}), 'albumentations')\n"
        "export_policy(read_policy(record), 'albumentations')\n"
        "sys.exit('albumentations' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# What albumentations 2.0.8 writes of itself, all arguments included.
SAVED = {
    "__version__": "2.0.8",
    "transform": {
        "__class_fullname__": "Compose",
        "p": 1.0,
        "transforms": [
            {
                **{"__class_fullname__": "Affine", "p": 0.4, "fill": 0.0, "rotate": [0.0, 0.0]},
                "scale": {"x": [1.0, 1.0], "y": [1.0, 1.0]},
                "shear": {"x": [0.0, 0.0], "y": [-10.0, 10.0]},
                "translate_percent": {"x": [0.0, 0.0], "y": [0.0, 0.0]},
                "translate_px": None,
            },
            {
                **{"__class_fullname__": "ColorJitter", "p": 0.9, "brightness": [0.8, 1.2]},
                **{"contrast": [1.0, 1.0], "saturation": [1.0, 1.0], "hue": [0.0, 0.0]},
            },
        ],
        **{"bbox_params": None, "keypoint_params": None, "additional_targets": {}},
    },
}


def test_a_pipeline_that_albumentations_saved_is_one_subpolicy(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(SAVED))
    record, report = import_policy(file, "albumentations")
    ((shear, brightness),) = (each.operations for each in read_policy(record).subpolicies)
    assert (shear.transform, shear.probability) == ("shear_y", 0.4)
    assert shear.magnitude == pytest.approx(0.17632698 / 0.3)  # the tangent of 10 degrees
    assert (brightness.transform, brightness.probability) == ("brightness", 0.9)
    assert brightness.magnitude == pytest.approx(0.2)
    assert "Affine: here without its rotate, scale, translate_px" in report.lost


FROM_HAND = {
    "kornia's short forms": (
        "K.ImageSequential(K.RandomShear(shear=(-45.0, 45.0), p=0.5), K.RandomShear(shear=45, "
        "p=0.1), K.RandomShear(shear=(0, 0, 0, 0), p=0.2))",
        [("shear_x", 0.5, 1.0), ("shear_x", 0.1, 1.0), ("shear_x", 0.2, 0.0)],
    ),
    "kornia": (
        "import kornia.augmentation as K\naug = K.ImageSequential(K.RandomRotation(degrees=15.0,"
        " p=0.5), K.RandomInvert(p=0.2))",
        [("rotate", 0.5, 15.0), ("invert", 0.2, None)],
    ),
    "torchvision": (
        "policy = v2.Compose([v2.RandomApply([v2.ColorJitter(hue=0.1)], p=0.5),"
        " v2.RandomAffine(degrees=0, translate=(0.2, 0.0)), v2.RandomInvert(p=0.1)])",
        [("hue", 0.5, 0.1), ("translate_x", 1.0, 0.2), ("invert", 0.1, None)],
    ),
}


@pytest.mark.parametrize("form", FROM_HAND)
def test_a_sequence_written_by_hand_is_one_subpolicy(form: str, tmp_path: Path) -> None:
    text, expected = FROM_HAND[form]
    (tmp_path / "mine.py").write_text(text)
    policy = read_policy(import_policy(tmp_path / "mine.py", form.partition("'")[0])[0])
    (chain,) = policy.subpolicies
    found = [
        (o.transform, o.probability, o.magnitude and round(_units(o, policy), 9))
        for o in chain.operations
    ]
    assert found == expected


def _units(operation: Operation, policy: Policy) -> float:
    assert isinstance(operation.magnitude, float)
    return operation.magnitude * policy.ranges[operation.transform]


def test_ranges_that_are_not_ours_are_said(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("p = K.RandomRotation(degrees=(-5.0, 20.0), p=1.0)")
    record, report = import_policy(tmp_path / "mine.py", "kornia")
    assert record["transforms"]["rotate"]["strongest"] == 30.0
    (said,) = (each for each in report.lost if "degrees" in each)
    assert said.endswith("here the strength is drawn from -20 to 20")


WRONG = {
    "unknown": (
        "kornia",
        "p = K.ImageSequential(K.RandomMosaic(p=1.0))",
        "RandomMosaic, ",
    ),
    "no p": ("kornia", "p = K.RandomInvert()", "RandomInvert has no `p`; write it"),
    "no names": ("kornia", "p = K.RandomRotation(30.0, p=0.5)", "has arguments without names"),
    "computed": (
        "kornia",
        "p = K.RandomRotation(degrees=90 / 3, p=1.0)",
        "line 1 computes something .BinOp.; only calls, lists and numbers",
    ),
    "two at once": (
        "torchvision",
        "p = v2.ColorJitter(hue=(-0.1, 0.1), contrast=(0.8, 1.2))",
        "ColorJitter does contrast and hue at once",
    ),
    "no range": ("kornia", "p = K.ColorJitter(p=1.0)", "ColorJitter lacks a range as brightness"),
    "probability": ("kornia", "p = K.RandomInvert(p=3)", r"RandomInvert has the probability 3"),
    "weights": (
        "kornia",
        "p = OneOf(weights=[1.0], subpolicies=[[], []])",
        "1 weights for 2 subpolicies",
    ),
    "weight": (
        "kornia",
        "p = OneOf(weights=[0.0], subpolicies=[[K.RandomInvert(p=1.0)]])",
        "a weight of 0.0; it has to be above 0",
    ),
    "no weight": (
        "kornia",
        "p = OneOf(weights=['a'], subpolicies=[[K.RandomInvert(p=1.0)]])",
        "a weight has 'a' where a number has to be",
    ),
    "a name": ("kornia", "p = K.RandomRotation(degrees=MOST, p=1)", "has 'MOST' where a number"),
    "names": (
        "torchvision",
        "p = v2.RandomAffine(degrees=0, translate=(A, B))",
        "has 'A' where a number has to be",
    ),
    "nested": ("kornia", "p = K.RandomShear(shear=[[1], [1]], p=1)", r"has \[1\] where a"),
    "too long": ("kornia", "p = K.RandomShear(shear=(1, 2, 3), p=1)", "lacks a range as shear"),
    "a number for an axis": (
        "albumentations",
        '{"transform": {"__class_fullname__": "Compose", "transforms": '
        '[{"__class_fullname__": "Affine", "p": 1, "shear": {"x": 3, "y": 0}}]}}',
        "Affine lacks a range as translate_percent or shear",
    ),
    "no list": ("kornia", "p = OneOf(3)", "OneOf has to hold `weights` and `subpolicies`"),
    "no steps": (
        "kornia",
        "p = OneOf(weights=[1], subpolicies=[3])",
        "a subpolicy holds 3 where a list has to be",
    ),
    "no call": (
        "kornia",
        "p = K.ImageSequential(3)",
        "a subpolicy holds 3 where an operation has to be",
    ),
    "empty": ("kornia", "p = K.ImageSequential()", "holds no operation"),
    "nothing": ("kornia", "x = 3", "it holds no policy"),
    "torchvision": (
        "torchvision",
        "p = v2.Compose(3)",
        "Compose has to hold a list of calls as `transforms`",
    ),
    "shear": (
        "torchvision",
        "p = v2.RandomAffine(degrees=0, scale=(1, 2))",
        "RandomAffine lacks a range as translate or shear",
    ),
    "p of a choice": (
        "torchvision",
        "p = v2.RandomChoice([v2.RandomInvert(p=1.0)], p=[1, 2])",
        "RandomChoice has p=.1, 2. for 1 subpolicies",
    ),
    "apply": (
        "torchvision",
        "p = v2.Compose([v2.RandomApply([v2.RandomInvert(p=1.0)])])",
        "RandomApply has to hold one operation and `p`",
    ),
    "no JSON": ("albumentations", "p = A.Compose()", "it is not what albumentations' save writes"),
    "other JSON": ("albumentations", "[1]", "it is not what albumentations' save writes"),
    "no class": ("albumentations", '{"transform": {"p": 1}}', "has no __class_fullname__"),
    "no steps there": (
        "albumentations",
        '{"transform": {"__class_fullname__": "Compose", "p": 1.0}}',
        "Compose has to hold a list of transforms",
    ),
    "p of all": (
        "albumentations",
        '{"transform": {"__class_fullname__": "Compose", "p": 0.5, "transforms": []}}',
        "Compose has p=0.5; only 1 can be read",
    ),
    "blur": (
        "albumentations",
        '{"transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": '
        '[{"__class_fullname__": "Blur", "p": 1}]}}',
        "it holds Blur, which augbench has nothing for; it can read Affine",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_one_sentence_with_the_file(case: str, tmp_path: Path) -> None:
    form, text, complaint = WRONG[case]
    (tmp_path / "theirs.txt").write_text(text)
    with pytest.raises(UserError, match=complaint) as error:
        import_policy(tmp_path / "theirs.txt", form)
    assert str(error.value).count("theirs.txt") == 1


@pytest.mark.parametrize("to", [name for name in FORMS if name != "braindecode"])
def test_a_policy_of_eeg_is_sent_to_braindecode(to: str) -> None:
    if FORMS[to].write is None:
        return
    with pytest.raises(UserError, match=r"policy, which is for EEG: give --to braindecode$"):
        export_policy(only("gaussian_noise"), to)


@pytest.mark.parametrize("to", ["torch", "pytorch"])
def test_torch_needs_no_export(to: str) -> None:
    with pytest.raises(UserError, match=r"Policy\.load\(file\)\.as_module\(signal\)"):
        export_policy(only("rotate"), to)


@pytest.mark.parametrize("to", ["torchvision", "kornia", "albumentations"])
def test_a_class_wise_policy_and_an_empty_one_cannot_leave(to: str) -> None:
    with pytest.raises(UserError, match="each of 1 classes in a way of its own; only augbench"):
        export_policy(Policy(by_class=((Subpolicy((step("invert"),)),),)), to)
    with pytest.raises(UserError, match="holds no subpolicies: there is nothing to write"):
        export_policy(Policy(), to)


def test_draws_that_are_not_there_are_said() -> None:
    drawn = Operation("gaussian_noise", 0.5, UpTo(1.0))
    policy = Policy((Subpolicy((drawn,)),), per="batch", ranges={"gaussian_noise": 0.4})
    text, report = export_policy(policy, "braindecode")
    assert "A.GaussianNoise(std=0.2, probability=0.5)" in text
    assert "gaussian_noise: its magnitude is drawn anew here; there it is the mean" in report.lost
    assert any(each.startswith("a batch shares what is drawn here") for each in report.lost)


def test_a_strength_beyond_what_is_there_is_cut_and_said() -> None:
    policy = Policy((Subpolicy((step("brightness", magnitude=1.0),)),), ranges={"brightness": 3.0})
    text, report = export_policy(policy, "kornia")
    assert "K.ColorJitter(brightness=(0.0, 2.0), p=0.7)" in text
    assert "brightness: 1 is the strongest there, not 3" in report.lost


def test_an_unknown_form_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown form 'korni'; did you mean 'kornia'"):
        export_policy(only("rotate"), "korni")
    with pytest.raises(UserError, match=r"unknown form 'timm'; .*known: albumentations, autoau"):
        import_policy(tmp_path, "timm")


def test_what_was_checked_is_said() -> None:
    _, report = export_policy(only("rotate", magnitude=0.5), "kornia")
    (checked,) = report.checked
    assert checked.startswith("golden batch, rotate at 15 degrees: differs by 0.00")
    _, report = export_policy(only("rotate"), "albumentations")
    assert report.checked == ["nothing: albumentations is never run here"]
