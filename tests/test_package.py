"""augbench as one package among others: a package of the name ``datasets`` lives beside it."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("datasets", "methods", "bench", "analysis")
SUITE = """
name = "s"
folds = 1
[tasks.digits]
training = { epochs = 1 }
[methods.none]
"""
# Works with Hugging Face's package and with the stub below.
USE_THEIRS = "from datasets import Dataset; print(Dataset.from_dict({'a': [1, 2]}).num_rows)"
STUB = """
class Dataset:
    num_rows = 2
    @staticmethod
    def from_dict(columns):
        return Dataset()
"""


class Environment:
    """A virtual environment that sees the libraries of this one, but not its augbench."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.bin = folder / "venv" / "bin"
        self.away = folder / "empty"
        self.away.mkdir()
        (self.packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    @property
    def packages(self) -> Path:
        (found,) = (self.bin.parent / "lib").glob("python3*/site-packages")
        return found

    def run(self, *words: str | Path) -> str:
        """Run a program of the environment in an empty folder; what it prints."""
        command, *arguments = map(str, words)
        done = subprocess.run(
            [self.bin / command, *arguments],
            cwd=self.away,
            env={
                "PATH": f"{self.bin}:/usr/bin:/bin",
                "HOME": str(self.away),
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def install_ours(self, *words: str | Path) -> None:
        self.run("python", "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", *words)

    def install_theirs(self) -> None:
        """Hugging Face's package; a stub of its name where no index can be reached."""
        words = ("install", "-q", "--disable-pip-version-check", "datasets")
        done = subprocess.run(
            [self.bin / "python", "-m", "pip", *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            (self.packages / "datasets").mkdir()
            (self.packages / "datasets" / "__init__.py").write_text(STUB)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy: setuptools leaves a folder in the tree that it builds of."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in (*LAYERS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    words = ("pip", "wheel", "-q", "--no-deps", "-w", folder, folder)
    subprocess.run([sys.executable, "-m", *words], check=True)
    (built,) = folder.glob("augbench-*.whl")
    return built


def assert_both_work(environment: Environment, name: str) -> None:
    suite = environment.away / "suite.toml"
    suite.write_text(SUITE)
    assert environment.run("python", "-c", USE_THEIRS) == "2"
    assert environment.run("python", "-c", "import augbench.methods as m; print(len(m.METHODS))")
    out = environment.away / name
    assert "1 of 1 trials done" in environment.run("augbench", "run", suite, "--out", out)
    assert environment.run("augbench", "report", out)


def test_a_wheel_lives_beside_a_package_named_datasets(
    environment: Environment, wheel: Path
) -> None:
    environment.install_theirs()
    environment.install_ours(wheel)
    assert_both_work(environment, "run")
    environment.run("python", "-m", "pip", "uninstall", "-q", "-y", "augbench")
    assert environment.run("python", "-c", USE_THEIRS) == "2"
    assert not list((environment.packages / "augbench").rglob("*.py"))
    assert not {path.name for path in environment.packages.iterdir()} & {*LAYERS} - {"datasets"}


def test_a_checkout_lives_beside_a_package_named_datasets(environment: Environment) -> None:
    environment.install_ours("-e", ROOT)
    environment.install_theirs()
    assert_both_work(environment, "run")


def test_a_wheel_holds_all_files_of_the_four_folders(wheel: Path) -> None:
    ours = {
        f"augbench/{path.relative_to(ROOT)}"
        for layer in LAYERS
        for pattern in ("*.py", "*.toml", "*.txt", "*.html", "*.css", "*.js", "py.typed")
        for path in (ROOT / layer).rglob(pattern)
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == ours
