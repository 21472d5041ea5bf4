"""A meter that keeps what a method says it cost, beside what its trunks saw."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn

from augbench.methods.options.phase import Phase


@dataclass
class CountingMeter:
    """Keeps what a method says it cost, and beside it what hooks on its trunks really saw."""

    phases: list[str] = field(default_factory=lambda: ["outside"])
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    opened: list[str] = field(default_factory=list)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Count the block for a phase."""
        self.opened.append(name)
        self.phases.append(name)
        try:
            yield
        finally:
            self.phases.pop()

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        """Add what a method tells."""
        told = {"forward": forward, "backward": backward, "steps": steps}
        for what, number in told.items():
            self.told[self.phases[-1], what] += number

    def watch(self, trunk: nn.Module) -> nn.Module:
        """Count the samples that go forward, and those whose gradient comes back."""

        def came_back(grad: Tensor) -> None:
            self.seen[self.phases[-1], "backward"] += len(grad)

        def went(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            self.seen[self.phases[-1], "forward"] += len(output)
            if output.requires_grad:
                output.register_hook(came_back)

        trunk.register_forward_hook(went)
        return trunk
