"""The folder for Ray's own files: private, and removed after its driver, whoever looks."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from augbench.bench.engines.ray_folder import RayFolder, remove_abandoned
from augbench.datasets.errors import UserError
from processes import wait_until

HOLDER = """
import sys
from pathlib import Path
from augbench.bench.engines.ray_folder import RayFolder
folder = RayFolder(Path(sys.argv[1]))
print(folder.path, flush=True)
sys.stdin.read()
"""
UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc"]


@contextmanager
def driver(parent: Path, *within: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process that holds a folder, started by the command ``within``."""
    with subprocess.Popen(
        [*within, sys.executable, "-c", HOLDER, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_folder_of_a_driver_that_was_killed_is_removed_and_that_of_a_live_one_stays(
    tmp_path: Path,
) -> None:
    with driver(tmp_path) as (live, kept), driver(tmp_path) as (doomed, left):
        doomed.kill()
        doomed.wait()
        own = RayFolder(tmp_path)
        assert set(tmp_path.iterdir()) == {kept, own.path}
        assert live.poll() is None
        assert not left.exists()
        own.remove()
        assert set(tmp_path.iterdir()) == {kept}


def test_the_folder_of_a_live_driver_in_another_container_stays(tmp_path: Path) -> None:
    """Its number is of another namespace: here it is nobody's, or another process's."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces of processes here")
    with driver(tmp_path, *UNSHARE) as (_, kept):
        remove_abandoned(tmp_path)
        assert kept.is_dir()

    def is_removed() -> bool:  # the holder is no child of ours, and dies a moment later
        remove_abandoned(tmp_path)
        return not kept.exists()

    wait_until(is_removed)


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "data").mkdir(parents=True)
    (target / "lock").touch()
    for name in ("augbench-ray-x", "augbench-ray-12-abcdefgh", "ray-abcdefgh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    (tmp_path / "augbench-ray-nolock00").mkdir()
    (tmp_path / "augbench-ray-symlink0").symlink_to(target)
    (tmp_path / "augbench-ray-afile000").touch()
    before = set(tmp_path.rglob("*"))
    remove_abandoned(tmp_path)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_user_s_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "augbench-ray-theirs00"
    folder.mkdir()
    os.mkfifo(folder / "lock")  # opening it would wait for ever
    shutil.chown(folder, 12345)
    remove_abandoned(tmp_path)
    assert folder.exists()


def test_nobody_else_can_enter_it_and_its_sockets_have_short_paths(tmp_path: Path) -> None:
    folder = RayFolder()
    try:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        session = "session_2026-11-26_14-15-11_424450_4194304"  # with the highest process number
        socket = folder.for_ray / session / "sockets" / "plasma_store"
        assert len(str(socket)) <= 103  # on macOS; Linux takes 107
    finally:
        folder.remove()


def test_where_no_folder_can_be_made_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Ray needs a folder in .*--engine inline"):
        RayFolder(tmp_path / "missing")
