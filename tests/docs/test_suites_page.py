"""The blocks of docs/suites.md are real."""

import re
import tomllib
from pathlib import Path
from typing import Any

import torch

from augbench.bench.plan.suite import read_suite

TEXT = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")


def test_the_block_of_python_runs() -> None:
    names: dict[str, Any] = {"__name__": "suites_page"}
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    exec(code, names)
    assert names["model"](torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_the_transforms_of_other_libraries_are_a_task_that_can_be_read() -> None:
    (block,) = re.findall(r"^    \[tasks\.cifar10\]\n(?:    .*\n)+", TEXT, re.MULTILINE)
    tables = tomllib.loads(re.sub(r"^    ", "", block, flags=re.MULTILINE))
    tables |= {"name": "page", "folds": 1, "methods": {"none": {}}}
    spec = read_suite(tables, "the page").plan[0].spec
    assert spec.task.imported["kornia.RandomShear"]["range"] == [0.0, 20.0]
