"""The house: one package, what may import what, and what every file has to hold."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("datasets", "methods", "bench", "analysis")
# The rooms of a layer: each imports those before it. The files beside them import all rooms, and no
# room imports one of those files.
ROOMS = {
    "datasets": ("options", "trunks"),
    "methods": (
        *("options", "transforms", "gradients", "policies", "layers", "training"),
        "conformance",
    ),
    "bench": ("plan", "store", "unit", "engines", "driver", "search", "merge", "sinks", "cli"),
    "analysis": ("statistics", "tables", "figures", "html", "compare", "paper"),
}
FILES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
# Some files are below the rooms of their layer: how a process begins and prints, files and
# styles, and `datasets`, whose one room holds networks, which are built from a signal.
BELOW = {
    *("augbench.bench.printable", "augbench.bench.startup", "augbench.bench.terminal"),
    *("augbench.analysis.files", "augbench.analysis.styles", "augbench.analysis.text"),
    "augbench.analysis.load_matplotlib",
}
EMPTY_NAMES = {"utils", "helpers", "manager", "base", "common", "misc"}
# What only some machines have: the inline engine and the analysis run without it.
RAY_ONLY = {
    ROOT / "bench" / "engines" / "ray_session.py",
    ROOT / "bench" / "search" / "tune.py",
    ROOT / "bench" / "search" / "tune_backend.py",
}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, by their whole names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if is_module(inner) else str(node.module)


def is_module(name: str) -> bool:
    first, *rest = name.split(".")
    path = ROOT.joinpath(*rest)
    return first == "augbench" and (path.is_dir() or path.with_suffix(".py").exists())


def room_of(layer: str, parts: tuple[str, ...]) -> str | None:
    """The room that a path, or a module's name without ``augbench``, lies in; None beside them."""
    assert parts[0] == layer
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS[layer] else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_layer_imports_only_itself_and_the_layers_above(file: Path) -> None:
    layer = LAYERS.index(file.relative_to(ROOT).parts[0])
    for name in imports(file):
        first, *rest = name.split(".")
        assert first not in LAYERS, f"{file} imports {name}, which is augbench.{name}"
        if first == "augbench":
            assert LAYERS.index(rest[0]) <= layer, f"{file} imports {name}"


@pytest.mark.parametrize("layer", ["methods", "bench", "analysis"])
def test_a_room_imports_only_itself_and_the_rooms_before_it(layer: str) -> None:
    for file in (ROOT / layer).rglob("*.py"):
        room = room_of(layer, file.relative_to(ROOT).parts)
        if room is None:
            continue
        for name in imports(file):
            if not name.startswith(f"augbench.{layer}.") or name in BELOW:
                continue
            other = room_of(layer, tuple(name.split(".")[1:]))
            assert other is not None, f"{file} imports {name}, which is in no room"
            order = ROOMS[layer]
            assert order.index(other) <= order.index(room), f"{file} imports {name}"


@pytest.mark.parametrize("layer", ["methods", "bench", "analysis"])
def test_every_folder_of_code_is_a_room(layer: str) -> None:
    found = {file.parent.name for file in (ROOT / layer).glob("*/*.py")}
    assert found == set(ROOMS[layer])


def test_all_packages_are_installed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {file.parent for file in FILES}
    folders |= {
        file.parent
        for layer in LAYERS
        for kind in ("toml", "txt", "html", "css", "js")
        for file in folder_files(layer, kind)
    }
    assert sorted(setuptools["packages"]) == sorted(
        ".".join(("augbench", *folder.relative_to(ROOT).parts)) for folder in folders
    )


def folder_files(layer: str, kind: str) -> Iterator[Path]:
    yield from (ROOT / layer).rglob(f"*.{kind}")


def test_ray_is_imported_where_it_is_named_alone() -> None:
    users = {file for file in FILES if any(n.partition(".")[0] == "ray" for n in imports(file))}
    assert users == RAY_ONLY


def test_no_name_says_nothing() -> None:
    assert not {file.stem for file in FILES} & EMPTY_NAMES


def test_every_module_begins_with_what_it_is() -> None:
    for file in FILES:
        text = file.read_text()
        assert not text or ast.get_docstring(ast.parse(text)), f"{file} has no docstring"


def test_top_level_holds_the_given_folders_and_no_other_code() -> None:
    found = {file.parent.name for file in ROOT.glob("*/*.py")}
    assert found <= {*LAYERS, "tests"}
