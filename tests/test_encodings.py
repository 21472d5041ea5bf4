"""Every text file is UTF-8, whatever the user's locale: each call that opens one says so."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("datasets", "methods", "bench", "analysis", "docker")
OPENING = {"open": 0, "fdopen": 1, "read_text": None, "write_text": None}  # place of the mode
# Functions of other libraries of that name, which open pictures and archives.
NO_TEXT = {"Image", "tarfile", "os", "archive"}


def calls_without_encoding(tree: ast.AST) -> Iterator[int]:
    """The lines of calls that open a text file and leave its encoding to the locale."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if keywords.keys() & {"text", "universal_newlines"} and "encoding" not in keywords:
            yield node.lineno
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in OPENING or "encoding" in keywords:
            continue
        owner = called.value if isinstance(called, ast.Attribute) else None
        if name == "open" and isinstance(owner, ast.Name) and owner.id in NO_TEXT:
            continue
        place = OPENING[name]
        if place is not None:
            place += owner is None  # the function has the file first, the method has not
            mode = node.args[place] if len(node.args) > place else keywords.get("mode")
            if isinstance(mode, ast.Constant) and "b" in str(mode.value):
                continue
        elif (name == "write_text" and len(node.args) > 1) or (name == "read_text" and node.args):
            continue
        yield node.lineno


def test_no_text_file_is_opened_in_the_encoding_of_the_locale() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for layer in LAYERS
        for file in sorted((ROOT / layer).rglob("*.py"))
        for line in calls_without_encoding(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_search_for_such_calls_finds_them() -> None:
    text = """
open(a)
open(a, "rb")
open(a, "r", encoding="utf-8")
file.open()
file.open("ab+")
file.open(mode="w")
os.fdopen(d, "w")
os.fdopen(d, "wb")
file.read_text()
file.write_text(a, encoding="utf-8")
subprocess.run(a, text=True)
Image.open(a)
"""
    assert list(calls_without_encoding(ast.parse(text))) == [2, 5, 7, 8, 10, 12]
