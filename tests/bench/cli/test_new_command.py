"""`augbench new`: packages that can be installed and keep their promises from the start."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from augbench.bench.cli.new_command import package_files, write_package
from installed import install

Ask = Callable[..., tuple[int, str, str]]
KINDS = ("method", "transform", "task")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of each kind, as `augbench new` writes them, and all of them installed."""
    folder = tmp_path_factory.mktemp("new")
    (folder / "site").mkdir()
    for kind in KINDS:
        write_package(folder / kind, package_files(kind, f"my_{kind}"))
        install(folder / kind, folder / "site")
    return folder / "site"


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(site))
    yield site
    for kind in KINDS:
        sys.modules.pop(f"augbench_my_{kind}", None)


def test_a_package_is_written_where_it_was_asked_for(ask: Ask, tmp_path: Path) -> None:
    code, printed, _ = ask("new", "transform", "tiny", "--to", tmp_path / "a" / "b")
    assert code == 0
    files = ["README.md", "augbench_tiny.py", "pyproject.toml", "test_augbench_tiny.py"]
    assert sorted(file.name for file in (tmp_path / "a" / "b").iterdir()) == files
    assert f"next: pip install -e {tmp_path / 'a' / 'b'}; augbench check tiny" in printed
    project = tomllib.loads((tmp_path / "a" / "b" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"augbench.transforms": {"tiny": "augbench_tiny:tiny"}}
    assert len((tmp_path / "a" / "b" / "README.md").read_text().splitlines()) == 5


def test_without_a_folder_it_is_beside_the_caller(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask("new", "method", "mine")[0] == 0
    assert (tmp_path / "augbench-mine" / "augbench_mine.py").is_file()


def test_nothing_is_overwritten(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "a file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "a file", "link"):
        code, _, error = ask("new", "task", "mine", "--to", tmp_path / name)
        assert code == 2
        assert error.count("\n") == 1
        assert "is there already: choose another folder with --to" in error
    assert "below a file" in ask("new", "task", "mine", "--to", tmp_path / "a file" / "x")[2]
    assert not any((tmp_path / "there").iterdir())
    assert (tmp_path / "a file").read_text() == "kept"


@pytest.mark.parametrize("name", ["My", "my-method", "2fast", "", "class", "a.b", "../x", "é"])
def test_a_name_that_cannot_be_is_refused(ask: Ask, tmp_path: Path, name: str) -> None:
    code, _, error = ask("new", "method", "--to", tmp_path / "x", "--", name)
    assert code == 2
    assert "it may have small letters, digits and _" in error
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("kind", "name"), [("method", "augnet"), ("task", "rotate")])
def test_a_name_of_ours_is_refused(ask: Ask, tmp_path: Path, kind: str, name: str) -> None:
    code, _, error = ask("new", kind, name, "--to", tmp_path / "x")
    assert code == 2
    assert f"{name!r} already: choose another name" in error


def test_a_name_of_another_package_is_refused(ask: Ask, installed: Path, tmp_path: Path) -> None:
    assert "there is a task 'my_task' already" in ask("new", "task", "my_task")[2]


def test_what_is_none_of_the_three_is_refused(ask: Ask) -> None:
    code, _, error = ask("new", "trunk", "mine")
    assert code == 2
    assert "'method', 'transform', 'task'" in error


def test_the_test_of_each_package_passes(site: Path) -> None:
    """In a process of its own, with nothing but the path to augbench."""
    packages = [site.parent / kind for kind in KINDS]
    tests = [package / f"test_augbench_my_{package.name}.py" for package in packages]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT / ".types"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_listed_and_passes_check(ask: Ask, installed: Path, kind: str) -> None:
    assert f"my_{kind}" in ask(f"{kind}s")[1]
    code, printed, error = ask("check", f"my_{kind}")
    assert code == 0, printed + error
    assert printed.splitlines()[-1] == f"my_{kind}: keeps all its promises"


def test_the_code_that_is_written_is_clean(site: Path) -> None:
    packages = [site.parent / kind for kind in KINDS]
    for words in (("check", "--select", "E,F,W,UP,B"), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--line-length", "100", "--isolated", *packages],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
