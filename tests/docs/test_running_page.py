"""The script in docs/running.md runs as it stands there, in a process and on a Ray of its own."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import forked

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
SUITE = """
name = "my"
folds = 1
[tasks.sinusoids]
n_train = 60
n_test = 8
training = { epochs = 2 }
[methods.augnet]
layers = [["frequency_shift"]]
"""


@pytest.fixture
def ray_folder() -> Iterator[str]:
    """A short one: the path of a socket has 107 bytes at most."""
    folder = tempfile.mkdtemp(prefix="page-", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_script_for_ray_tune_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_folder: str
) -> None:
    pytest.importorskip("ray")
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "my.toml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    settings = {
        "HOME": str(tmp_path),  # Tune writes to ~/ray_results
        "RAY_TMPDIR": ray_folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_worker_niceness": "0",
    }
    done = forked.run([sys.executable, "-c", block], {**os.environ, **settings})
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\{'penalty': [\d.e-]+\}$", done.stdout, re.MULTILINE), done.stdout
    assert len(list((tmp_path / "runs" / "my-tune" / "trials").glob("*/spec.json"))) == 10
