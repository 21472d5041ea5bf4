"""Whose commit a run is recorded under: ours, or none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from augbench.bench.store import provenance

ASKS = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("provenance", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module._commit())
"""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def committed(folder: Path) -> str:
    """Commit all that a folder holds and git does not ignore; the commit's short name."""
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all", "--allow-empty")
    return git(folder, "rev-parse", "--short", "HEAD")


def repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


def source(folder: Path) -> Path:
    """A copy of our file, as it lies in a checkout or among installed packages."""
    folder.mkdir(parents=True)
    return Path(shutil.copy(str(provenance.__file__), folder / "provenance.py"))


def asked(file: Path, **environment: str) -> str:
    """What the file says its commit is, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASKS, str(file)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_checkout_says_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    ours = repository(tmp_path / "augbench")
    file = source(ours / "bench" / "store")
    commit = committed(ours)
    assert asked(file) == commit
    (tmp_path / "link").symlink_to(ours / "bench")  # as an editable install may have it
    assert asked(tmp_path / "link" / "store" / "provenance.py") == commit
    file.write_text(file.read_text() + "# changed\n")
    assert asked(file) == f"{commit}-dirty"


@pytest.mark.parametrize("ignored", [True, False])
def test_a_virtual_environment_in_the_users_repository_has_no_commit(
    tmp_path: Path, ignored: bool
) -> None:
    users = repository(tmp_path / "project")
    (users / "paper.tex").touch()
    (users / ".gitignore").write_text(".venv\n" if ignored else "")
    committed(users)
    site = users / ".venv" / "lib" / "site-packages" / "augbench" / "bench" / "store"
    assert asked(source(site)) == ""


def test_a_submodule_and_a_worktree_say_their_own_commit(tmp_path: Path) -> None:
    ours = repository(tmp_path / "augbench")
    source(ours / "store")
    commit = committed(ours)
    users = repository(tmp_path / "project")
    git(users, "submodule", "add", "-q", str(ours), "augbench")
    assert committed(users) != commit
    git(ours, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert asked(users / "augbench" / "store" / "provenance.py") == commit
    assert asked(tmp_path / "tree" / "store" / "provenance.py") == commit


def test_without_git_or_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    file = source(tmp_path / "plain")
    assert asked(file) == ""
    assert asked(file, PATH=str(tmp_path)) == ""


def test_a_hook_of_another_repository_does_not_lead_there(tmp_path: Path) -> None:
    """Git tells its hooks by GIT_DIR which repository is theirs."""
    users = repository(tmp_path / "project")
    committed(users)
    ours = repository(tmp_path / "augbench")
    file = source(ours / "store")
    commit = committed(ours)
    hook = {"GIT_DIR": str(users / ".git"), "GIT_WORK_TREE": str(users)}
    assert asked(file, **hook) == commit


def test_a_checkout_of_another_owner_has_no_commit(tmp_path: Path) -> None:
    """Git refuses to say anything about it: "dubious ownership"."""
    if os.getuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    ours = repository(tmp_path / "augbench")
    file = source(ours / "store")
    committed(ours)
    for path in (ours, *ours.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    assert asked(file, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)) == ""
