"""Published policies, in the lists that they come in."""

import json
from pathlib import Path
from typing import Any

import pytest
from kornia.augmentation.auto.autoaugment.autoaugment import cifar10_policy

from augbench.datasets.errors import UserError
from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.policies.exchange.convert import export_policy, import_policy
from augbench.methods.policies.exchange.level_form import Entry, LevelForm
from augbench.methods.policies.exchange.level_tables import AUTOAUGMENT, DADA
from augbench.methods.policies.exchange.read_levels import read
from augbench.methods.policies.exchange.write_levels import write
from augbench.methods.policies.policy_file import read_policy

# AutoAugment's policy for CIFAR-10, which kornia has under its own names of operations.
NAMES = {
    **{"invert": "Invert", "contrast": "Contrast", "rotate": "Rotate", "color": "Color"},
    **{"translate_x": "TranslateX", "translate_y": "TranslateY", "shear_y": "ShearY"},
    **{"sharpness": "Sharpness", "auto_contrast": "AutoContrast", "equalize": "Equalize"},
    **{"posterize": "Posterize", "brightness": "Brightness", "solarize": "Solarize"},
}
PUBLISHED = [[(NAMES[name], p, level) for name, p, level in chain] for chain in cifar10_policy]

ARCHIVE = """
from FastAutoAugment.augmentations import get_augment

def random_search2048():
    policies = [1, 2]
    return policies

def fa_reduced_cifar10():
    p = [[["Contrast", 0.8320659688593578, 0.49884310562180767], ["TranslateX", 0.4, 0.25]],
         [["Cutout", 0.5, 1.0], ["Posterize", 0.25, 0.4]]]
    return p

def fa_reduced_svhn():
    p = [[["Invert", 0.7395307279252639, 0.75384443079825]]]
    return p
"""
GENOTYPES = """
CIFAR10 = augment2_relax_25 = [[('TranslateX', 0.5183464288711548, 0.5752825736999512),
    ('Rotate', 0.5693835616111755, 0.5274667739868164)], [('ShearX', 0.5, 0.4595153331756592),
    ('AutoContrast', 0.25, 0.48347008228302)]]
SVHN = [[('Solarize', 0.6144442558288574, 0.5266356468200684)]]
# CIFAR10_10 = [[('Rotate', 1.0, 1.0)]]
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "theirs.py"
    path.write_text(text)
    return path


def strengths(policy: Policy) -> list[list[tuple[str, float, float | None]]]:
    """Each operation with its strength in units."""
    return [
        [
            (o.transform, o.probability, _strength(o.magnitude, policy.ranges.get(o.transform)))
            for o in subpolicy.operations
        ]
        for subpolicy in policy.subpolicies
    ]


def _strength(magnitude: Any, strongest: float | None) -> float | None:
    return None if magnitude is None or strongest is None else round(magnitude * strongest, 9)


def test_autoaugments_policy_means_what_the_paper_says(tmp_path: Path) -> None:
    record, report = import_policy(file(tmp_path, f"policy = {PUBLISHED!r}"), "autoaugment")
    read = strengths(read_policy(record))
    assert len(read) == 25
    assert read[0] == [("invert", 0.1, None), ("contrast", 0.2, 0.18)]  # factor 0.1 + 1.8 * 0.6
    assert read[1] == [("rotate", 0.7, 6.0), ("translate_x", 0.3, 9 / 32)]
    assert read[3] == [("shear_y", 0.5, 0.24), ("translate_y", 0.7, 9 / 32)]
    assert read[5] == [("shear_y", 0.2, 0.21), ("posterize", 0.3, 3.0)]  # 8 - 4 * 0.7 bits stay
    assert read[14] == [("solarize", 0.5, 0.2), ("invert", 0.0, None)]
    assert "25 subpolicies with 50 operations: names and numbers" in report.checked
    assert any("a strength is exact there" in each for each in report.lost)
    assert any(each.startswith("brightness, contrast, saturation") for each in report.lost)


def test_torchvision_means_other_strengths_by_the_same_list(tmp_path: Path) -> None:
    record, report = import_policy(file(tmp_path, f"return {PUBLISHED!r}"), "torchvision")
    read = strengths(read_policy(record))
    assert read[0][1] == ("contrast", 0.2, 0.6)  # 0.9 * 6 / 9, to either side
    assert read[1][1] == ("translate_x", 0.3, round(150 / 331, 9))
    assert read[5][1] == ("posterize", 0.3, 3.0)  # round(7 * 4 / 9)
    assert not any("which way" in each for each in report.lost)


def test_kornia_means_the_middle_of_a_bin(tmp_path: Path) -> None:
    record, report = import_policy(file(tmp_path, repr(cifar10_policy)), "kornia")
    read = strengths(read_policy(record))
    assert read[1] == [("rotate", 0.7, 15.0), ("translate_x", 0.3, 0.45)]
    assert any("kornia shears by 180 degrees times the number" in each for each in report.lost)


def test_fast_autoaugments_archive_and_dadas_genotypes_mean_shares_of_a_range(
    tmp_path: Path,
) -> None:
    archive, genotypes = tmp_path / "archive.py", tmp_path / "genotype.py"
    archive.write_text(ARCHIVE)
    genotypes.write_text(GENOTYPES)
    record, _ = import_policy(archive, "fast-autoaugment", "fa_reduced_cifar10")
    read = strengths(read_policy(record))
    assert read[0][0][:2] == ("contrast", 0.8320659688593578)
    assert read[0][0][2] == pytest.approx(0.9 - 1.8 * 0.49884310562180767, abs=1e-9)
    assert read[0][1] == ("translate_x", 0.4, 0.225)  # -0.45 + 0.25 * 0.9
    assert read[1] == [("cutout", 0.5, 0.2), ("posterize", 0.25, 3.0)]  # int(5.6) bits stay
    record, _ = import_policy(genotypes, "dada", "CIFAR10")
    read = strengths(read_policy(record))
    assert read[0][1][2] == pytest.approx(60 * 0.5274667739868164 - 30, abs=1e-8)
    assert read[1][1] == ("auto_contrast", 0.25, None)


WAYS_BACK = {
    "autoaugment": (f"policy = {PUBLISHED!r}", None),
    "fast-autoaugment": (ARCHIVE, "fa_reduced_cifar10"),
    "dada": (GENOTYPES, "CIFAR10"),
}


@pytest.mark.parametrize("form", WAYS_BACK)
def test_what_was_imported_is_exported_without_change(form: str, tmp_path: Path) -> None:
    text, name = WAYS_BACK[form]
    record, _ = import_policy(file(tmp_path, text), form, name)
    record = json.loads(json.dumps(record))  # through a file
    back, report = export_policy(read_policy(record), form, record["imported"])
    assert report.lost == []
    entries = [[tuple(entry) for entry in chain] for chain in record["imported"]["entries"]]
    names: dict[str, Any] = {}
    exec(back, names)
    assert names["policy"] == entries
    again, _ = import_policy(file(tmp_path, back), form)
    assert json.loads(json.dumps(again)) == record


@pytest.mark.parametrize("form", WAYS_BACK)
def test_a_policy_that_was_edited_gets_levels_from_its_magnitudes(
    form: str, tmp_path: Path
) -> None:
    text, name = WAYS_BACK[form]
    record, _ = import_policy(file(tmp_path, text), form, name)
    policy = read_policy(record)
    half = Policy(policy.subpolicies[:1], ranges=policy.ranges)
    back, report = export_policy(half, form, record["imported"])
    assert report.lost
    again, _ = import_policy(file(tmp_path, back), form)
    for was, now in zip(strengths(half), strengths(read_policy(again)), strict=True):
        for (name_was, p_was, s_was), (name_now, p_now, s_now) in zip(was, now, strict=True):
            assert (name_was, p_was) == (name_now, p_now)
            assert s_was == s_now or s_was == pytest.approx(s_now, abs=1e-9)


LONG = {"from": "dada", "entries": [[["Rotate", 0.5, 10**400]]]}


@pytest.mark.parametrize(
    "origin", [LONG, 3, {}, {"from": "dada"}, {"from": "dada", "entries": [3]}]
)
def test_a_damaged_memory_of_an_import_is_not_used(origin: Any) -> None:
    policy = Policy((Subpolicy((Operation("rotate", 0.5, 1.0),)),), ranges={"rotate": 30.0})
    text, _ = export_policy(policy, "dada", origin)
    assert text == "policy = [\n    [('Rotate', 0.5, 1.0)],\n]\n"


@pytest.mark.parametrize("form", [AUTOAUGMENT, DADA], ids=lambda form: form.title)
def test_every_operation_comes_back_from_every_level(form: LevelForm) -> None:
    for name in form.scales:
        if name == "Posterize2":  # another name, for more than `Posterize` has
            continue
        for level in (0.0, 0.3 * form.top, 0.8 * form.top, form.top):
            entries: list[list[Entry]] = [[(name, 0.5, round(level) if form.whole else level)]]
            chains = read(form, json.dumps(entries), None, []).chains
            again = read(form, write(form, chains, []), None, []).chains
            was, now = chains[0].steps[0], again[0].steps[0]
            assert was[:2] == now[:2]
            assert was.strength == now.strength or was.strength == pytest.approx(now.strength)


WRONG = {
    "unknown operation": ("[[('Rotat', 0.5, 0.5)]]", "unknown operation .* did you mean 'Rotate'"),
    "probability": ("[[('Rotate', 1.5, 0.5)]]", r"Rotate has the probability 1.5; .* \[0, 1\]"),
    "level": ("[[('Rotate', 0.5, 7)]]", "Rotate has the level 7; DADA's go from 0 to 1"),
    "no level": ("[[('Rotate', 0.5, None)]]", "Rotate has None where a number has to be"),
    "infinite": ("[[('Rotate', 0.5, 1e999)]]", "Rotate has inf where a number has to be"),
    "true": ("[[('Rotate', True, 0.5)]]", "Rotate has True where a number has to be"),
    "a long level": (f"[[('Rotate', 0.5, {10**400})]]", "Rotate has 10*... where a number has"),
    "a level of no strength": ("[[('Invert', 0.9, 2j)]]", "Invert has 2j where a number has"),
    "bytes": ("[[('Invert', 0.9, b'a')]]", "Invert has b'a' where a number has to be"),
    "a set": ("[[('Invert', 0.9, {1, 2})]]", "Invert has {1, 2} where a number has to be"),
    "an infinite one": ("[[('Invert', 0.9, 1e999)]]", "Invert has inf where a number has to be"),
    "no policy": ("[1, 2]", "it holds no policy: a list of subpolicies"),
    "empty": ("", "it holds no policy"),
    "no Python": ("[[(", "it is neither JSON nor Python"),
    "TOML": (
        'name = "mine"\n[tasks.a]\nx = 1\ny = { a = 1 }\n',
        r"is no policy file of dada, which is Python's genotype.py: it is neither .*line 4\)$",
    ),
    "nested": ("[" * 100_000, "it is neither JSON nor Python"),
    "computed": ("policy = [[('Rotate', 0.5, float('nan'))]]", "it holds no policy"),
    "several": (GENOTYPES, "several policies: choose one with --name: CIFAR10, augment2.*, SVHN"),
    "a million": (
        json.dumps([[["Invert", 1, 1]]] * 1_000_000),
        "has more than 8 MB: that is more than a policy needs",
    ),
    "too many": (
        json.dumps([[["Invert", 1, 1]]] * 100_001),
        "holds 100001 subpolicies; augbench takes 100000 at most",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_policy_is_one_sentence_with_the_file(case: str, tmp_path: Path) -> None:
    text, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint) as error:
        import_policy(file(tmp_path, text), "dada")
    assert str(error.value).count("theirs.py") == 1


def test_lists_are_found_wherever_a_file_gives_them_a_name(tmp_path: Path) -> None:
    text = "policy: list = [[('Invert', 1, 1)]]\n"
    assert import_policy(file(tmp_path, text), "dada", "policy")[0]["subpolicies"]
    text = (
        "class AutoAugment:\n"
        "    kinds = ['a', 'b']\n"
        "    def policies(self, kind):\n"
        "        if kind == 'a':\n"
        "            return [(('Invert', 0.1, None), ('Contrast', 0.2, 6))]\n"
        "        return [(('Invert', 0.3, None),)]\n"
    )
    for name, probability in (("policies", 0.1), ("policies:2", 0.3)):
        record, _ = import_policy(file(tmp_path, text), "torchvision", name)
        assert record["subpolicies"][0]["operations"][0] == ["invert", probability, None]


def test_a_name_that_the_file_has_not_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown policy of the file 'CIFAR1'; did you mean"):
        import_policy(file(tmp_path, GENOTYPES), "dada", "CIFAR1")


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'trap')!r}, 'w')\npolicy = [[('Invert', 1, 1)]]\n"
    assert import_policy(file(tmp_path, trap), "dada")[0]["subpolicies"]
    assert not (tmp_path / "trap").exists()


def test_unequal_weights_have_no_place_in_a_list() -> None:
    flip = (Operation("invert", 0.5, None),)
    policy = Policy((Subpolicy(flip), Subpolicy(flip, weight=2.0)))
    with pytest.raises(UserError, match="unequal weights, for which DADA has no place; torchvis"):
        export_policy(policy, "dada")


def test_what_a_list_lacks_is_left_out_and_said() -> None:
    policy = Policy(
        (Subpolicy((Operation("hue", 0.5, 1.0), Operation("rotate", 0.5, 1.0))),),
        ranges={"rotate": 60.0},
    )
    text, report = export_policy(policy, "autoaugment")
    assert "[('Rotate', 0.5, 10)]" in text
    assert "hue is left out: AutoAugment has nothing like it" in report.lost
    assert "rotate: 60 is more than AutoAugment has" in report.lost
    lonely = Policy((Subpolicy((Operation("hue", 0.5, 1.0),)),))
    with pytest.raises(UserError, match="AutoAugment has none of the operations of this policy"):
        export_policy(lonely, "autoaugment")
