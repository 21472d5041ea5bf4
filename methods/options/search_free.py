"""What a suite can say of the methods that search nothing."""

from dataclasses import dataclass

# Transform, probability, and how strong: nothing where the transform has no strength.
Step = tuple[str, float] | tuple[str, float, float]


@dataclass(frozen=True)
class NoneOptions:
    """Nothing to choose."""


@dataclass(frozen=True)
class FixedOptions:
    """Which policy."""

    # Subpolicies, of which each sample draws one; each a sequence of [transform, probability,
    # magnitude], the magnitude in [0, 1], left out for a flip. None: BY_KIND in methods/fixed.py,
    # as far as the task's transforms and their ranges go.
    subpolicies: tuple[tuple[Step, ...], ...] | None = None


@dataclass(frozen=True)
class RandAugmentOptions:
    """Its two numbers."""

    n_operations: int = 2  # transforms in a sequence, 1 to 3. Torchvision's default
    magnitude: float = 0.3  # of all of them, in [0, 1]. Torchvision's default is 9 of 30 bins


@dataclass(frozen=True)
class TrivialAugmentOptions:
    """Nothing to choose: ``ranges`` of the task say how strong the strongest is."""


@dataclass(frozen=True)
class RandomPolicyOptions:
    """How many policies to draw."""

    n_policies: int = 5  # each is retrained and scored: one point of the curve
