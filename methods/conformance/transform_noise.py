"""Nothing but x, magnitude and noise decides what a transform does, and each sample has its own."""

import torch

from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.transform_case import BATCH, Case


def equal_noise_gives_equal_results(case: Case) -> str:
    """All that is random is in the noise, and the noise comes from the generator."""
    x = case.batch()
    noise, magnitude = case.draw(x), torch.full((BATCH,), 0.7)
    before = generators.states()
    first = case.transform.apply(x, magnitude, noise)
    with generators.seeded(5):
        second = case.transform.apply(x, magnitude, noise)
    if not torch.equal(first, second):
        raise BrokenError("apply() differs for the same noise: draw all that is random in draw()")
    with generators.seeded(6):
        again = case.draw(x)
    if not torch.equal(noise, again):
        raise BrokenError(
            "draw() differs for the same generator: give the generator to each call that draws"
        )
    case.draw(x, 3)
    touched = generators.touched(before, generators.states())
    if touched:
        raise BrokenError(
            f"it draws from a global generator ({', '.join(touched)}): use the one that draw() gets"
        )
    return "apply() depends on nothing but x, magnitude and noise"


def noise_is_of_each_sample(case: Case) -> str:
    """Samples of a batch do not share their noise."""
    x = case.batch()
    rows = [case.draw(x, seed).reshape(BATCH, -1) for seed in (0, 1)]
    if torch.equal(rows[0], rows[1]):
        return "it draws nothing"
    if len(rows[0].unique(dim=0)) == 1:
        raise BrokenError("all samples of a batch get the same noise: draw (B, ...) of it")
    return "each sample has its own"


def input_is_left(case: Case) -> str:
    """x keeps its values, and a result never shares its memory."""
    x = case.batch()
    before = x.clone()
    magnitude = torch.linspace(0, 1, BATCH)
    kept = magnitude.clone()
    noise = case.draw(x)
    drawn = noise.clone()
    out = case.transform.apply(x, magnitude, noise)
    for name, old, new in (
        ("x", before, x),
        ("magnitude", kept, magnitude),
        ("noise", drawn, noise),
    ):
        if not torch.equal(old, new):
            raise BrokenError(f"apply() changes {name} in place: clone() what you write into")
    out.detach().fill_(7.0)
    case.apply(x, 0.0).detach().fill_(7.0)
    if not torch.equal(x, before):
        raise BrokenError("the result is x itself, or a view of it: return a tensor of its own")
    return "x, magnitude and noise are as they were"


def each_sample_has_its_magnitude(case: Case) -> str:
    """The magnitude of a sample reaches no other sample."""
    x = case.batch()
    noise, magnitude = case.draw(x), torch.full((BATCH,), 0.1)
    before = case.transform.apply(x, magnitude, noise)
    other = magnitude.clone()
    other[1] = 1.0
    changed = (case.transform.apply(x, other, noise) != before).flatten(1).any(1)
    reached = changed.nonzero().flatten().tolist()
    if set(reached) - {1}:
        raise BrokenError(
            "the magnitude of one sample changes others: per_sample(magnitude, x) has the shape "
            "that reaches each its own"
        )
    return "the magnitude of a sample reaches that sample alone"
