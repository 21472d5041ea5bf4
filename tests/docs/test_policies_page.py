"""The blocks of Python in docs/policies.md run, and its table of forms is complete."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from augbench.methods import Operation, Policy, Subpolicy
from augbench.methods.policies.exchange import FORMS
from augbench.methods.policies.policy_file import write_policy

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    policy = Policy((Subpolicy((Operation("rotate", 1.0, 0.5),)),), ranges={"rotate": 30.0})
    Path("policy.json").write_text(json.dumps(write_policy(policy)))
    Path("genotype.py").write_text("CIFAR10 = [[('Rotate', 0.5, 0.75)]]\n")
    names: dict[str, Any] = {"__name__": "policies_page"}
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for code in blocks:
        exec(code, names)
    assert names["augmented"].shape == (16, 3, 32, 32)
    assert "K.RandomRotation(degrees=(-15.0, 15.0), p=1.0)" in names["text"]
    assert names["record"]["imported"]["entries"] == [[("Rotate", 0.5, 0.75)]]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_stands_in_its_tables(form: str) -> None:
    to, back = TEXT.split("## From other software")
    assert (f"`{form}`" in to.split("| `--to` |")[1]) == bool(FORMS[form].write)
    assert (f"| `{form}`" in back or f", `{form}` |" in back) == bool(FORMS[form].read)
