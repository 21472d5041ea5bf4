"""Whether updates can be recorded as CUDA graphs, as far as that can be seen without a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest

from augbench.datasets.trunks import TRUNKS
from augbench.methods.transforms import EEG, IMAGE

SCRIPT = Path(__file__).parents[2] / "kit" / "device_without_numbers.py"


@pytest.fixture(scope="module")
def tried() -> dict[str, str]:
    """What was tried -> why it cannot be recorded, or nothing."""
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = [line.partition("; ") for line in done.stdout.splitlines()]
    return {what: reason for what, _, reason in parts}


def test_every_trunk_transform_and_model_can_be_recorded(tried: dict[str, str]) -> None:
    assert {
        what: reason for what, reason in tried.items() if reason and "network" not in what
    } == {}
    for names, kind in ((EEG, "eeg"), (IMAGE, "image")):
        assert {f"transform {name} ({kind})" for name in names} <= set(tried)
    trunks = {what.split()[1] for what in tried if what.startswith("trunk ")}
    assert trunks == set(TRUNKS)
    assert {"augnet sleep_stager (eeg)", "augerino (image)"} <= set(tried)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a network that waits (image)", "_local_scalar_dense"),
        ("a network that mixes devices (image)", "same device"),
        ("a network that copies a number (image)", "empty_strided"),
        ("a network that takes an exponential (image)", "waits for numbers"),
    ],
)
def test_what_cannot_be_recorded_is_seen(tried: dict[str, str], what: str, why: str) -> None:
    assert why in tried[what]
