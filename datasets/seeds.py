"""Named streams of random numbers: equal names give equal numbers, in any process and any order."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Seeds:
    """A path of names from which generators are derived; no state, so nothing has to be saved.

    A method is given one that knows (seed, task, fold) and never its own name: folds, initial trunk
    weights and the order of batches are then the same for all methods, and comparisons are paired.
    """

    path: tuple[str | int, ...]

    def child(self, *names: str | int) -> "Seeds":
        """The streams below this one."""
        return Seeds((*self.path, *names))

    def integer(self, *names: str | int) -> int:
        """A seed in [0, 2**63) for libraries that want a number."""
        text = json.dumps([*self.path, *names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def generator(self, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
        """A fresh generator at the start of the named stream."""
        return torch.Generator(device).manual_seed(self.integer(*names))


@contextmanager
def global_seed(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Seed torch's global generator inside the block and put its state back afterwards.

    For what takes no generator: dropout and the initial weights of a layer.
    """
    device = torch.device(device)
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
