"""Packages of plug-ins, installed for a test in a folder of their own."""

import tomllib
from pathlib import Path
from shutil import copy, rmtree


def add_package(
    site: Path, package: str, rows: dict[str, dict[str, str]], version: str = "1.0", **modules: str
) -> None:
    """Install a package, or another version of it: rows by group, the text of each module by name.

    It appears as a whole for whoever looks meanwhile.
    """
    for module, text in modules.items():
        draft = site / f".{module}"
        draft.write_text(text)
        draft.rename(site / f"{module}.py")
    for former in site.glob(f"{package}-*.dist-info"):
        rmtree(former)
    draft = site / f".{package}"
    draft.mkdir()
    (draft / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (draft / "entry_points.txt").write_text(_entry_points(rows))
    (draft / "RECORD").write_text("".join(f"{module}.py,,\n" for module in modules))
    draft.rename(site / f"{package}-{version}.dist-info")


def install(package: Path, site: Path) -> None:
    """Do what `pip install --target` does with a package of single modules: no index, no build."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    name, version = project["project"]["name"], project["project"]["version"]
    for module in project["tool"]["setuptools"]["py-modules"]:
        copy(package / f"{module}.py", site)
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(_entry_points(project["project"]["entry-points"]))


def _entry_points(groups: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())
        for group, rows in groups.items()
    )
