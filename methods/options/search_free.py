"""Options of the methods that search nothing."""

from dataclasses import dataclass
from typing import Literal

# Transform, probability, magnitude. A transform without strength has no magnitude.
Step = tuple[str, float] | tuple[str, float, float]

Per = Literal["sample", "batch"]


@dataclass(frozen=True)
class NoneOptions:
    """There are no options."""


@dataclass(frozen=True)
class FixedOptions:
    """Which policy."""

    # Subpolicies, of which each sample draws one; each a sequence of [transform, probability,
    # magnitude], the magnitude in [0, 1], left out for a flip. None: those of BY_KIND in
    # methods/fixed.py whose transforms the task lists; those for images do not flip.
    subpolicies: tuple[tuple[Step, ...], ...] | None = None


@dataclass(frozen=True)
class RandAugmentOptions:
    """Its two numbers."""

    n_operations: int = 2  # transforms in a sequence, 1 to 3. Torchvision's default
    magnitude: float = 0.3  # of all of them, in [0, 1]. Torchvision's default is 9 of 30 bins


@dataclass(frozen=True)
class TrivialAugmentOptions:
    """How often to draw; ``ranges`` of the task say how strong the strongest is."""

    # Each sample draws a transform and its strength, as in the paper; or all samples of a batch
    # share them, as in NeuralBench's TrivialBrainAugment.
    per: Per = "sample"


@dataclass(frozen=True)
class UniformAugmentOptions:
    """How long a sequence is; ``ranges`` of the task say how strong the strongest is."""

    n_operations: int = 2  # transforms in a sequence, 1 to 3. The paper: 2


@dataclass(frozen=True)
class RandomPolicyOptions:
    """How many policies to draw."""

    n_policies: int = 5  # each is retrained and scored: one point of the curve
