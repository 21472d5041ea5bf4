"""The suites of docs/own-data.md find what the page says that they read."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augbench.bench.plan.suite import read_suite
from augbench.bench.unit.job import load_task
from augbench.datasets.task import Task
from traffic_signs import write_gtsrb

PAGE = Path(__file__).parents[2] / "docs" / "own-data.md"


def suite(name: str) -> dict[str, Any]:
    """The suite of the page that has this name."""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", PAGE.read_text(), re.MULTILINE)
    texts = [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in blocks]
    (text,) = (text for text in texts if text.startswith(f'name = "{name}"'))
    return tomllib.loads(text)


def build(name: str, data: Path) -> Task:
    plan = read_suite(suite(name), name).plan
    assert {planned.method for planned in plan} == {"none", "augnet"}
    return load_task(plan[0].spec.task, data)


def test_the_traffic_signs_have_their_official_split(tmp_path: Path) -> None:
    write_gtsrb(tmp_path)
    table = tmp_path / "GTSRB" / "Final_Test" / "Images" / "GT-final_test.csv"
    shutil.move(table, tmp_path / "GTSRB" / table.name)
    task = build("signs", tmp_path)
    assert task.n_classes == 43
    assert task.signal.shape == (3, 32, 32)
    assert len(task.fold(0).test.y) == 86


@pytest.mark.filterwarnings("ignore:the transforms of")
def test_the_fingers_have_their_official_split(tmp_path: Path) -> None:
    head = "@timeStamps false\n@classLabel true left right\n@data\n"
    random = np.random.default_rng(0)
    for word, n in (("TRAIN", 20), ("TEST", 10)):
        lines = [
            f"{','.join(map(str, random.normal(size=50)))}:{('left', 'right')[k % 2]}"
            for k in range(n)
        ]
        (tmp_path / f"FingerMovements_{word}.ts").write_text(head + "\n".join(lines))
    task = build("fingers", tmp_path)
    assert task.signal.sampling_rate == 100
    assert len(task.fold(0).test.y) == 10
