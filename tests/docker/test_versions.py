"""One truth about versions: constraints.txt and pyproject.toml."""

import re
from pathlib import Path
from typing import Any


def test_ray_on_kubernetes_is_the_pinned_one(rayjob: Any, pins: dict[str, str]) -> None:
    assert rayjob["spec"]["rayClusterSpec"]["rayVersion"] == pins["ray"]


def test_python_of_the_image_is_the_one_that_is_checked(dockerfile: Any, project: Any) -> None:
    bases = [i.text for i in dockerfile if i.name == "FROM" and i.text.startswith("python:")]
    versions = [re.match(r"python:(\d+\.\d+)\.\d+-", base) for base in bases]
    assert [version and version[1] for version in versions] == [
        project["tool"]["mypy"]["python_version"]
    ]


def test_whatever_the_image_installs_by_name_is_pinned(project: Any, pins: dict[str, str]) -> None:
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *extras["cluster"], *extras["dev"]]
    names = [re.match(r"[\w.-]+", each)[0] for each in wanted]  # type: ignore[index]
    wanted_names = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    assert wanted_names - {"augbench"} <= set(pins)  # an extra may hold another extra


def test_no_other_file_names_a_version_of_its_own(folder: Path) -> None:
    for file in folder.iterdir():
        text = re.sub(r"rayVersion: .*", "", file.read_text())  # see above
        pinned = re.findall(r"(?:ray|torch|augbench)\S*[=:]=?\s*\"?(\d+\.\d+\S*)", text)
        assert not pinned, f"{file.name}: {pinned}"


def test_all_use_one_image(folder: Path) -> None:
    for name in ("compose.yaml", "ray-cluster.yaml", "rayjob.yaml"):
        images = re.findall(r"image: (\S+)", (folder / name).read_text())
        assert images, name
        assert {image.partition(":")[0] for image in images} == {"augbench"}, name
