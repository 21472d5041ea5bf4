"""What a transform promises: the checks, in the order in which they are told."""

import math
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Signal
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError, Finding, raised, run_checks
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.slopes import compare_slopes, finite_gradient
from augbench.methods.transforms.transform import Builder, Transform

BATCH = 16
MANY = 128  # samples whose mean strength is compared
CAP = ("C3", "C4", "F3", "F4", "O1", "O2")
SIGNALS: dict[Kind, Signal] = {
    "eeg": Signal("eeg", (6, 400), CAP, 100.0),
    "image": Signal("image", (3, 12, 16)),
}
WHAT_IT_IS = {"eeg": "EEG", "image": "images"}
# Exact is the rule, but what passes the Fourier domain or a grid of pixels is rounded.
NEARLY = 2e-5
MAGNITUDES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # at which strengths are compared
# Of a strength to any smaller one: phases up to 2 pi are 0.907 as far as those up to 1.43 pi.
LEAST_GROWTH = 0.9
N_SLOPES = 48  # magnitudes at which gradients are compared


@dataclass(frozen=True)
class Case:
    """A transform's builder, and the signal that it is tried on."""

    name: str
    build: Builder
    signal: Signal

    @cached_property
    def transform(self) -> Transform:
        return self.build(self.signal)

    def batch(self, n: int = BATCH, dtype: torch.dtype = torch.float32) -> Tensor:
        """(n, C, ...): noise for EEG, images full of random colours."""
        make = torch.randn if self.signal.kind == "eeg" else torch.rand
        generator = torch.Generator().manual_seed(1)
        return make(n, *self.signal.shape, generator=generator, dtype=dtype)

    def draw(self, x: Tensor, seed: int = 0) -> Tensor:
        return self.transform.draw(x, torch.Generator(x.device).manual_seed(seed))

    def apply(self, x: Tensor, magnitude: float, seed: int = 0) -> Tensor:
        return self.transform.apply(x, torch.full((len(x),), magnitude), self.draw(x, seed))


def check_transform(name: str, build: Builder) -> Iterator[Finding]:
    """Whether a transform keeps its promises, on each kind of signal that it can be built for."""
    refused: dict[Kind, Exception] = {}
    n_built = 0
    for kind, signal in SIGNALS.items():
        if name in (IMAGE if kind == "eeg" else EEG):
            continue
        try:
            build(signal)
        except Exception as error:  # of another package, which may be for the other kind
            refused[kind] = error
            continue
        n_built += 1
        with generators.seeded(generators.UNUSUAL):
            for each in run_checks(CHECKS, Case(name, build, signal), needed=("contract",)):
                yield each._replace(about=f"{each.about} on {WHAT_IT_IS[kind]}")
    for kind, why in refused.items():
        if not n_built or not isinstance(why, UserError):
            told = str(why) if isinstance(why, UserError) else raised(why)
            yield Finding(
                f"built for {WHAT_IT_IS[kind]}",
                False,
                f"{told}; a builder takes a Signal of a kind, and raises a UserError for the "
                "kinds that it is not for",
            )
        else:
            yield Finding(f"built for {WHAT_IT_IS[kind]}", True, f"it refuses: {why}")


def contract(case: Case) -> str:
    """The builder returns a row that describes itself."""
    made = case.transform
    if not isinstance(made, Transform):
        raise BrokenError(f"the builder returns a {type(made).__name__}; it has to be a Transform")
    if made.name != case.name:
        raise BrokenError(f"it calls itself {made.name!r}, and its row {case.name!r}: use one name")
    if not (math.isfinite(made.strongest) and made.strongest > 0):
        raise BrokenError(f"strongest is {made.strongest}; it has to be a number above 0")
    for field in ("unit", "source"):
        if not getattr(made, field):
            raise BrokenError(f"{field} is empty: say it (a source may be 'none')")
    if made.graded and made.gradient == "relaxed":
        raise BrokenError("it is graded and its gradient is 'relaxed', which is for probabilities")
    if made.graded:
        half = case.build(case.signal, strongest=made.strongest / 2)
        if half.strongest != made.strongest / 2:
            raise BrokenError(
                f"built with strongest={made.strongest / 2:g} it has {half.strongest:g}: a suite "
                "sets it by `ranges`"
            )
    x = case.batch()
    noise = case.draw(x)
    if not isinstance(noise, Tensor) or len(noise) != BATCH:
        shape = tuple(noise.shape) if isinstance(noise, Tensor) else type(noise).__name__
        raise BrokenError(f"draw() returns {shape} for {BATCH} samples; it has to be (B, ...)")
    strength = f"up to {made.strongest:g} {made.unit}" if made.graded else "with a probability"
    return f"{strength}, gradient {made.gradient}"


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


def shape_and_type_are_kept(case: Case) -> str:
    """Shape, dtype and device go through; results are finite."""
    for dtype in (torch.float32, torch.float64):
        x = case.batch(dtype=dtype)
        noise = case.draw(x)
        for size in (1, BATCH):
            out = case.transform.apply(x[:size], torch.full((size,), 0.5), noise[:size])
            if (out.shape, out.dtype) != ((size, *case.signal.shape), dtype):
                raise BrokenError(
                    f"{dtype} of shape {(size, *case.signal.shape)} becomes {out.dtype} of shape "
                    f"{tuple(out.shape)}: keep both"
                )
            if not torch.isfinite(out).all():
                raise BrokenError(f"a batch of {size} becomes NaN or infinite in places")
    if case.signal.kind == "image":
        for value in (0.3, 1.0):
            out = case.apply(case.batch(), value)
            if float(out.min()) < -1e-6 or float(out.max()) > 1 + 1e-6:
                raise BrokenError("it makes images that leave [0, 1]: clamp them")
    return "kept for float32 and float64, batches of 1 and more"


def any_device(case: Case) -> str:
    """Tensors are made where x is. The meta device has no values: it refuses to read any."""
    if case.transform.waits:
        return "it reads values of tensors, as its row says: a GPU waits for it"
    x = case.batch().to("meta")
    try:
        out = case.transform.apply(
            x, torch.full((BATCH,), 0.5, device="meta"), case.transform.draw(x, None)
        )
    except Exception as error:
        raise BrokenError(
            f"not on a device without values: {raised(error)}; make all tensors on x.device, and "
            "read no values (.item(), numpy, `if` on a tensor), for which a GPU would wait"
        ) from None
    if out.device != x.device or out.shape != x.shape:
        raise BrokenError(f"the result is on {out.device}; it has to be on x.device")
    return "it makes its tensors where x is, and waits for no value"


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


def gradient_is_as_declared(case: Case) -> str:
    """The magnitude has the gradient that the row declares, and finite everywhere."""
    declared = case.transform.gradient
    x = case.batch()
    magnitude = torch.full((BATCH,), 0.5, requires_grad=True)
    out = case.transform.apply(x, magnitude, case.draw(x))
    if declared == "none":
        if out.requires_grad and torch.autograd.grad(out.sum(), magnitude)[0].any():
            raise BrokenError(
                "it declares no gradient, but its magnitude gets one: declare 'path', which is "
                "compared with differences, or detach()"
            )
        return "none, as declared"
    if not out.requires_grad:
        raise BrokenError(
            f"it declares {declared!r}, but its magnitude gets no gradient: compute with tensors "
            "alone, without detach(), rounding or comparisons; or declare gradient='none'"
        )
    infinite = finite_gradient(case.transform, x, case.draw(x))
    if infinite is not None:
        raise BrokenError(f"the gradient at magnitude {infinite:g} is NaN or infinite")
    if declared == "straight-through":
        return "straight through a step, finite everywhere"
    return _compare_with_differences(case)


def _compare_with_differences(case: Case) -> str:
    """The gradient and the slope of the loss, where the loss is smooth."""
    x = case.batch(dtype=torch.float64)
    slopes = compare_slopes(case.transform, x, case.draw(x), N_SLOPES)
    if not slopes.equal:
        at, gradient, slope = slopes.worst
        raise BrokenError(
            f"its gradient is not the slope: at magnitude {at:.2f} it is {gradient:.4g}, and "
            f"finite differences give {slope:.4g}; differentiate the same numbers that "
            "apply() computes with, or declare 'straight-through' or 'none'"
        )
    if not slopes.n_moving:
        raise BrokenError("the slope of the result is 0 at all magnitudes: declare gradient='none'")
    return f"{case.transform.gradient}, equal to finite differences"


def pickles(case: Case) -> str:
    """It goes into files and other processes, and does there what it does here."""
    x, magnitude = case.batch(), torch.linspace(0, 1, BATCH)
    expected = case.transform.apply(x, magnitude, case.draw(x))
    try:
        other = pickle.loads(pickle.dumps(case.transform))
    except Exception as error:
        raise BrokenError(
            f"it cannot be pickled ({error}): draw and apply have to be functions of a module, or "
            "functools.partial of them, no lambda and no function inside another"
        ) from None
    if not torch.equal(other.apply(x, magnitude, case.draw(x)), expected):
        raise BrokenError("a pickled copy does something else")
    return "a copy does the same"


CHECKS: Mapping[str, Callable[[Case], str]] = {
    "contract": contract,
    "identity": magnitude_0_is_the_identity,
    "noise": equal_noise_gives_equal_results,
    "noise by sample": noise_is_of_each_sample,
    "magnitude by sample": each_sample_has_its_magnitude,
    "shape": shape_and_type_are_kept,
    "device": any_device,
    "input": input_is_left,
    "strength": strength_grows,
    "gradient": gradient_is_as_declared,
    "pickle": pickles,
}
