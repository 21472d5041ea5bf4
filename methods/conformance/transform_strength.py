"""How far a transform moves a signal: not at all at magnitude 0, farthest at 1."""

from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.transform_case import Case

MANY = 128  # samples whose mean strength is compared
# Exact is the rule, but what passes the Fourier domain or a grid of pixels is rounded.
NEARLY = 2e-5
MAGNITUDES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # at which strengths are compared
# Of a strength to any smaller one: phases up to 2 pi are 0.907 as far as those up to 1.43 pi.
LEAST_GROWTH = 0.9


def magnitude_0_is_the_identity(case: Case) -> str:
    """Nothing happens at magnitude 0."""
    x = case.batch()
    for seed in range(3):
        far = float((case.apply(x, 0.0, seed) - x).abs().max())
        if not far <= NEARLY:
            raise BrokenError(
                f"at magnitude 0 a value moves by {far:.2g}: multiply what it does by the magnitude"
            )
    return "at magnitude 0 nothing moves"


def strength_grows(case: Case) -> str:
    """The larger the magnitude, the farther from x, where there is a strength; else more often."""
    x = case.batch(MANY)
    far = [float((case.apply(x, value) - x).norm()) for value in MAGNITUDES]
    if far[-1] == 0:
        raise BrokenError("at magnitude 1 nothing moves: 1 is the strongest")
    for number, value in enumerate(MAGNITUDES):
        most = max(far[: number + 1])
        if far[number] < LEAST_GROWTH * most:
            weaker = MAGNITUDES[far.index(most)]
            raise BrokenError(
                f"magnitude {value:g} moves x less ({far[number]:.3g}) than {weaker:g} does "
                f"({most:.3g}): let the strength grow with the magnitude"
            )
    return f"from {far[0]:.3g} at magnitude {MAGNITUDES[0]:g} to {far[-1]:.3g} at 1"
