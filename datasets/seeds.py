"""Named streams of random numbers: a name gives the same numbers in every process and order."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Seeds:
    """A path of names from which generators are derived; it has no state to be saved.

    A method gets the path (seed, task, fold), without its own name. So folds, initial trunk weights
    and the order of batches are the same for all methods, and comparisons are paired.
    """

    path: tuple[str | int, ...]

    def child(self, *names: str | int) -> "Seeds":
        """The streams below this one."""
        return Seeds((*self.path, *names))

    def integer(self, *names: str | int) -> int:
        """A seed in [0, 2**63), for libraries that need a number."""
        text = json.dumps([*self.path, *names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def generator(self, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
        """A fresh generator at the start of the named stream."""
        return torch.Generator(device).manual_seed(self.integer(*names))


@contextmanager
def global_seed(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Seed torch's global generators inside the block and put their states back afterwards.

    For code that takes no generator: dropout and the initial weights of a layer. Only the
    processor's generator and that of the device are touched: `torch.manual_seed` would seed all
    devices without putting them back, and keeps a stack trace for each kind that is absent.
    """
    device = torch.device(device)
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        for index in devices:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield
