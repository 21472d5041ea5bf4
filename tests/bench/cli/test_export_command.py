"""`augbench export`: policies of real runs, which do the same elsewhere."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.datasets.task import Signal
from augbench.methods import Policy
from runs import run_inline

Ask = Callable[..., tuple[int, str, str]]
DIGITS = Signal("image", (1, 8, 8))
FOLDS = """
name = "folds"
folds = 3
[tasks.digits]
training = { epochs = 1 }
transforms = ["rotate", "brightness"]
[methods.random_policy]
n_policies = 2
"""
ELSEWHERE = """
import sys, torch
from augbench.methods import Policy, Signal
augment = Policy.load(sys.argv[1]).as_module(Signal("image", (1, 8, 8)))
x = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
torch.save(augment(x, generator=torch.Generator().manual_seed(2)), sys.argv[2])
"""


def test_an_exported_policy_gives_the_same_batch_elsewhere_for_the_same_seed(
    ask: Ask, learned_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "policy.json"
    code, printed, _ = ask("export", learned_run, "--method", "other", "-o", file)
    assert code == 0
    assert f"{file} is written" in printed
    command = [sys.executable, "-c", ELSEWHERE, file, tmp_path / "out.pt"]
    subprocess.run(command, check=True, cwd=tmp_path)
    x = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    augment = Policy.load(learned_run, method="other").as_module(DIGITS)
    here = augment(x, generator=torch.Generator().manual_seed(2))
    assert not torch.equal(here, x)
    assert torch.equal(torch.load(tmp_path / "out.pt"), here)


def test_the_best_fold_is_the_one_of_the_best_validation(ask: Ask, tmp_path: Path) -> None:
    run = run_inline(FOLDS, tmp_path / "run")
    directory, suite = open_run(run)
    points = read_points(directory, suite.plan)
    best = max(points, key=lambda point: point["valid"])["fold"]
    assert ask("export", run, "--fold", "best", "-o", tmp_path / "best.json")[0] == 0
    assert ask("export", run, "--fold", best, "-o", tmp_path / "number.json")[0] == 0
    assert (tmp_path / "best.json").read_text() == (tmp_path / "number.json").read_text()
    assert Policy.load(tmp_path / "best.json") == Policy.load(run, fold=best)
    code, _, complaint = ask("export", run)
    assert code == 2
    assert "several trials fit: say which fold, one of 0, 1, 2" in complaint


@pytest.mark.parametrize("to", ["kornia", "torchvision", "albumentations"])
def test_with_to_it_prints_what_the_users_of_other_software_can_use(
    ask: Ask, learned_run: Path, to: str
) -> None:
    code, text, said = ask("export", learned_run, "--method", "random_policy", "--to", to)
    assert code == 0
    if to == "albumentations":
        assert json.loads(text)["transform"]["__class_fullname__"] == "Compose"
    else:
        compile(text, "policy.py", "exec")
    assert "- checked: " in said
    assert "is written" not in said


def test_a_file_is_a_source_too_and_nothing_is_overwritten(
    ask: Ask, learned_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "policy.json"
    assert ask("export", learned_run, "--method", "other", "-o", file)[0] == 0
    code, text, _ = ask("export", file)
    assert code == 0
    assert text == file.read_text()
    code, _, complaint = ask("export", file, "--to", "kornia", "-o", file)
    assert code == 2
    assert f"{file} is there already: choose another name with -o" in complaint


def test_what_cannot_be_exported_is_one_sentence(
    ask: Ask, learned_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text(
        json.dumps({"subpolicies": [{}] * 1_000_000, "by_class": [], "transforms": {}})
    )
    (tmp_path / "list.json").write_text("[1]")
    wrong = {
        (learned_run,): "several trials fit: say which method",
        (learned_run, "--method", "augnet"): "'augnet' of .* ends in a model",
        (learned_run, "--method", "other", "--fold", "first"): "--fold is 'first'; it has to be a",
        (learned_run, "--method", "other", "--to", "kornai"): "unknown form 'kornai'; did you mean",
        (learned_run, "--method", "other", "--to", "timm"): "timm's strings say only this",
        (learned_run, "--method", "other", "--to", "braindecode"): "braindecode has none of",
        (tmp_path / "bad.json",): "bad.json: the policy holds 1000000 subpolicies; .* at most",
        (tmp_path / "list.json",): "list.json: this is no policy",
        (tmp_path / "bad.json", "--fold", "best"): "so there is no fold to choose",
        (tmp_path / "nothing.json",): "cannot read the policy .*nothing.json",
    }
    for words, complaint in wrong.items():
        code, _, said = ask("export", *words)
        assert code == 2, words
        assert said.startswith("augbench: ")
        assert said.count("\n") == 1
        assert re.search(complaint, said), said
