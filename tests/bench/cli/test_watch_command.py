"""`augbench watch` on a real terminal, while a driver holds the run and after it has let go."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from augbench.bench.cli.watch_command import watch
from augbench.bench.store.files import hold_lock
from by_hand import finish, made_by_hand


def test_without_a_terminal_it_prints_the_status_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_by_hand(tmp_path)
    with pytest.raises(typer.Exit) as caught:
        watch(tmp_path)
    assert caught.value.exit_code == 0
    assert "waiting for 2 retrainings" in capsys.readouterr().out


def test_it_watches_for_as_long_as_a_driver_holds_the_run(tmp_path: Path) -> None:
    run = made_by_hand(tmp_path)
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "augbench.bench", "watch", str(tmp_path), "--seconds", "0.2"]
    with hold_lock(tmp_path / "lock", "busy"):
        process = subprocess.Popen(command, stdout=follower, stderr=follower, stdin=follower)
        os.close(follower)
        shown = b""
        while b"waiting for 2 retrainings" not in shown:
            shown += os.read(leader, 4096)
        finish(run, "first")
        while b"waiting for 1 retraining" not in shown.replace(b"retrainings", b""):
            shown += os.read(leader, 4096)
        assert process.poll() is None
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            os.read(leader, 4096)
        except OSError:  # its other end is closed
            break
    assert process.wait(60) == 0
    os.close(leader)
