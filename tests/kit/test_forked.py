"""A forked process is what a fresh one would be, but for its imports."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import forked
from forked import COMMAND, HEAVY, SCRIPT
from processes import background, wait_until

STATE = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), sorted(os.environ), sys.stdin.read()]))
print(os.getsid(0) == os.getpid())
print("complaint", file=sys.stderr)
sys.exit(3)
"""


def test_what_takes_long_is_imported_already() -> None:
    done = forked.run([*SCRIPT, f"import sys; print([m in sys.modules for m in {HEAVY}])"])
    assert done.stdout.strip() == str([True] * len(HEAVY))


def test_it_has_the_words_folder_environment_and_output_of_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"PATH": os.environ["PATH"], "ONLY": "this"}
    words = [*SCRIPT, STATE, "one", "two words"]
    fresh = subprocess.run(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    done = forked.run(words, environment)
    without = lambda text: text.replace('"LC_CTYPE", ', "")  # noqa: E731 Python's own, in C
    assert (done.returncode, without(done.stdout), done.stderr) == (
        fresh.returncode,
        without(fresh.stdout),
        fresh.stderr,
    )


def test_the_command_says_its_version_as_a_fresh_one_does() -> None:
    fresh = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert forked.run([*COMMAND, "--version"]).stdout == fresh.stdout


def test_a_signal_ends_it_and_is_its_exit_code(tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = [*SCRIPT, "import time; print('here', flush=True); time.sleep(1000)"]
    with background(words, log) as process:
        wait_until(lambda: "here" in log.read_text())
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == -signal.SIGTERM
        process.kill()  # no error once it has ended


def test_one_that_does_not_end_is_ended_after_its_time() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run([*SCRIPT, "import time; time.sleep(1000)"], timeout=0.5)


def test_other_programs_are_not_forked() -> None:
    with pytest.raises(AssertionError):
        forked.run([sys.executable, "-m", "timeit"])
