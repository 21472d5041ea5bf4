"""What a transform is: a row that describes itself, for any tensor, also in another process."""

import math
import pickle

import torch
from torch import Tensor

from augbench.methods.conformance.finding import BrokenError, raised
from augbench.methods.conformance.transform_case import BATCH, Case
from augbench.methods.transforms.transform import Transform


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
