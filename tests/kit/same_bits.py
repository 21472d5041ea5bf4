"""What another process makes of the same, as `from same_bits import here_and_there`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

CODE = """
import sys, torch
torch.set_num_threads(1)
sys.path[:0] = sys.argv[2:]  # the test and what it imports
print(__import__(sys.argv[1]).digest())
"""


def here_and_there(digest: Callable[[], str]) -> set[str]:
    """What ``digest`` of a test file returns: three times here, and once in a new process."""
    file = Path(digest.__code__.co_filename)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        here = {digest() for _ in range(3)}
    finally:
        torch.set_num_threads(n_threads)
    folders = [str(file.parent), str(Path(__file__).parent)]
    words = [sys.executable, "-c", CODE, file.stem, *folders]
    there = subprocess.run(words, capture_output=True, text=True, check=True)
    return {*here, there.stdout.strip()}
