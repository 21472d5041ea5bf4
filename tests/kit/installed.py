"""Packages of plug-ins, installed for a test in a folder of their own."""

import tomllib
from pathlib import Path
from shutil import copy


def install(package: Path, site: Path) -> None:
    """Do what `pip install --target` does with a package of single modules: no index, no build."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    name, version = project["project"]["name"], project["project"]["version"]
    for module in project["tool"]["setuptools"]["py-modules"]:
        copy(package / f"{module}.py", site)
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = project["project"]["entry-points"]
    text = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())
        for group, rows in groups.items()
    )
    (info / "entry_points.txt").write_text(text)
