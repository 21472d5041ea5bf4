"""The names that `augbench.methods` and `augbench.analysis` offer, at run time and to editors."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("analysis", "methods")


def names_for_editors(package: str) -> dict[str, str]:
    """The file of each name below `if TYPE_CHECKING`."""
    tree = ast.parse((ROOT / package / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    prefix = f"augbench.{package}."
    return {
        alias.name: str(node.module).removeprefix(prefix)
        for node in imports
        for alias in node.names
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_editors_see_the_names_that_can_be_imported(package: str) -> None:
    module = import_module(f"augbench.{package}")
    assert names_for_editors(package) == module.FILES
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        import_module(f"augbench.{package}").nothing  # noqa: B018
