"""The house: what may import what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("datasets", "methods", "bench", "analysis")
FILES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
EMPTY_NAMES = {"utils", "helpers", "manager", "base", "common", "misc"}
# What only some machines have: the inline engine and the analysis run without it.
RAY_ONLY = ROOT / "bench" / "engines" / "ray.py"


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            yield node.module or ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_layer_imports_only_itself_and_the_layers_above(file: Path) -> None:
    layer = LAYERS.index(file.relative_to(ROOT).parts[0])
    for name in imports(file):
        head = name.partition(".")[0]
        if head in LAYERS:
            assert LAYERS.index(head) <= layer, f"{file} imports {name}"


def test_ray_is_imported_in_one_file_alone() -> None:
    users = {file for file in FILES if any(n.partition(".")[0] == "ray" for n in imports(file))}
    assert users == {RAY_ONLY}


def test_no_name_says_nothing() -> None:
    assert not {file.stem for file in FILES} & EMPTY_NAMES


def test_every_module_begins_with_what_it_is() -> None:
    for file in FILES:
        text = file.read_text()
        assert not text or ast.get_docstring(ast.parse(text)), f"{file} has no docstring"


def test_top_level_holds_the_given_folders_and_no_other_code() -> None:
    found = {file.parent.name for file in ROOT.glob("*/*.py")}
    assert found <= {*LAYERS, "tests"}
