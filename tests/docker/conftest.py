"""What the files in docker/ say, read without Docker."""

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml  # comes with Ray

ROOT = Path(__file__).parents[2]


class Instruction(NamedTuple):
    """A line of a Dockerfile, its continuations joined."""

    name: str
    text: str


@pytest.fixture(scope="session")
def folder() -> Path:
    return ROOT / "docker"


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def pins() -> dict[str, str]:
    """The version of every distribution in constraints.txt, names in lower case with dashes."""
    found = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.fixture(scope="session")
def dockerfile(folder: Path) -> list[Instruction]:
    lines = (folder / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in joined if line.strip()]


@pytest.fixture(scope="session")
def compose(folder: Path) -> dict[str, Any]:
    return load(folder / "compose.yaml")


@pytest.fixture(scope="session")
def compose_cuda(folder: Path) -> dict[str, Any]:
    return load(folder / "compose.cuda.yaml")


@pytest.fixture(scope="session")
def ray_cluster(folder: Path) -> dict[str, Any]:
    return load(folder / "ray-cluster.yaml")


@pytest.fixture(scope="session")
def rayjob(folder: Path) -> dict[str, Any]:
    return load(folder / "rayjob.yaml")


def load(file: Path) -> dict[str, Any]:
    """A file of YAML, its variables at their defaults as compose would set them."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", file.read_text())
    content: dict[str, Any] = yaml.safe_load(text)
    return content
