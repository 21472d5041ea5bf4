"""`augbench import`: to our JSON, and back again."""

import json
from collections.abc import Callable
from pathlib import Path

from augbench.methods import Policy, Signal

Ask = Callable[..., tuple[int, str, str]]
GENOTYPES = """
CIFAR10 = relax_25 = [[('TranslateX', 0.5, 0.25), ('Rotate', 0.75, 0.5274667739868164)]]
SVHN = [[('Solarize', 0.6144442558288574, 0.5266356468200684), ('Invert', 0.5, 0.4)]]
"""


def test_a_published_policy_is_read_applied_and_written_again(ask: Ask, tmp_path: Path) -> None:
    theirs, ours, back = (tmp_path / name for name in ("genotype.py", "policy.json", "back.py"))
    theirs.write_text(GENOTYPES)
    code, printed, _ = ask("import", theirs, "--from", "dada", "--name", "SVHN", "-o", ours)
    assert code == 0
    assert "- differs: a strength is exact there" in printed
    assert "- checked: 1 subpolicies with 2 operations" in printed
    assert "- checked: golden batch, solarize at 0.473 share" in printed
    policy = Policy.load(ours)
    assert "solarize in 61% at 0.473" in repr(policy.as_module(Signal("image", (3, 32, 32))))
    code, printed, _ = ask("export", ours, "--to", "dada", "-o", back)
    assert code == 0
    assert "- differs" not in printed
    line = GENOTYPES.splitlines()[2].removeprefix("SVHN = ")
    assert eval(back.read_text().removeprefix("policy = ")) == eval(line)


def test_without_o_the_policy_is_printed_and_the_rest_goes_beside_it(
    ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "genotype.py").write_text(GENOTYPES)
    code, text, said = ask(
        "import", tmp_path / "genotype.py", "--from", "dada", "--name", "CIFAR10"
    )
    assert code == 0
    assert json.loads(text)["imported"]["from"] == "dada"
    assert "- differs: " in said


def test_what_cannot_be_imported_is_one_sentence(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "genotype.py"
    file.write_text(GENOTYPES)
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    wrong = {
        (file, "--from", "dada"): "choose one with --name: CIFAR10, relax_25, SVHN",
        (file, "--from", "dad"): "unknown form 'dad'; did you mean 'dada'?",
        (file, "--from", "braindecode"): "unknown form 'braindecode'",
        (file, "--from", "albumentations"): "it is not what albumentations' save writes",
        (tmp_path / "no.py", "--from", "dada"): "cannot read",
        (tmp_path / "bytes.py", "--from", "dada"): "is no text",
        (tmp_path, "--from", "dada"): "cannot read",
    }
    for words, complaint in wrong.items():
        code, _, said = ask("import", *words)
        assert code == 2, words
        assert complaint in said
        assert said.count("\n") == 1


def test_a_byte_order_mark_is_left_out(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "genotype.py"
    file.write_text(GENOTYPES, encoding="utf-8-sig")
    assert ask("import", file, "--from", "dada", "--name", "SVHN")[0] == 0


def test_nothing_is_written_through_a_link(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "genotype.py").write_text(GENOTYPES)
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    words = ("import", tmp_path / "genotype.py", "--from", "dada", "--name", "SVHN")
    code, _, said = ask(*words, "-o", tmp_path / "link.json")
    assert code == 2
    assert "link.json is there already" in said
    assert not (tmp_path / "target.json").exists()
