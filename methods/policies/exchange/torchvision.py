"""torchvision's transforms (v2): a Python file with one transform, for images in [0, 1]."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange import level_tables
from augbench.methods.policies.exchange.call_form import Calls, Dialect
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.form import Content, Form, Operate, Operated
from augbench.methods.policies.exchange.physical import check_probability
from augbench.methods.policies.exchange.python_file import read_python, write_python
from augbench.methods.policies.exchange.torchvision_rows import BILINEAR, ROWS

CONTAINERS = ("RandomChoice", "Compose", "RandomApply")


def _wrap(calls: Calls) -> Call:
    chains = [
        Call("v2.Compose", {"transforms": [_with(*each) for each in steps]})
        if steps
        else Call("v2.Identity", {})  # Compose refuses an empty list
        for _, steps in calls
    ]
    weights = [weight for weight, _ in calls]
    return Call("v2.RandomChoice", {"transforms": chains, "p": weights})


def _with(probability: float, call: Call) -> Call:
    if "p" in call.arguments:
        return Call(call.name, {**call.arguments, "p": probability})
    return Call("v2.RandomApply", {"transforms": [call], "p": probability})


def _unwrap(call: Call, lost: list[str]) -> Calls:
    if call.short != "RandomChoice":
        return [(1.0, _steps(call))]
    chains = _inside(call)
    weights = call.arguments.get("p")
    weights = [1.0] * len(chains) if weights is None else weights
    if not isinstance(weights, list | tuple) or len(weights) != len(chains):
        raise UserError(f"RandomChoice has p={weights} for {len(chains)} subpolicies")
    return [(weight, _steps(each)) for weight, each in zip(weights, chains, strict=True)]


def _steps(call: Call) -> list[tuple[float, Call]]:
    if call.short == "Identity":
        return []
    return [_step(each) for each in (_inside(call) if call.short == "Compose" else [call])]


def _step(call: Call) -> tuple[float, Call]:
    if call.short == "RandomApply":
        inner = _inside(call)
        if len(inner) != 1 or "p" not in call.arguments:
            raise UserError("RandomApply has to hold one operation and `p`")
        p, operation = _step(inner[0])
        outer = check_probability("RandomApply", call.arguments["p"])
        return p * outer, operation
    takes_p = any(row.theirs.endswith(f".{call.short}") and "p" in row.fixed for row in ROWS)
    if takes_p and "p" not in call.arguments:
        raise UserError(f"{call.short} has no `p`; write it")
    return (check_probability(call.short, call.arguments["p"]) if takes_p else 1.0), call


def _inside(call: Call) -> list[Call]:
    unnamed = call.arguments.get("*") or []
    if len(unnamed) + ("transforms" in call.arguments) > 1 or "**" in call.arguments:
        raise UserError(f"{call.short} has arguments without names; write their names")
    found = call.arguments.get("transforms", *unnamed)
    if not isinstance(found, list | tuple) or not all(isinstance(each, Call) for each in found):
        raise UserError(f"{call.short} has to hold a list of calls as `transforms`")
    return list(found)


TORCHVISION = Dialect(
    "torchvision",
    ROWS,
    _wrap,
    _unwrap,
    ("a batch shares all that is drawn there: use it in the data set, for each image",),
)


def read(text: str, name: str | None, lost: list[str]) -> Content:
    """The calls that `write` writes, or a list as in torchvision's own AutoAugment.

    Raises a UserError for anything else.
    """
    return read_python(TORCHVISION, CONTAINERS, level_tables.TORCHVISION, text, name, lost)


def operate() -> Operate:
    """torchvision's operations."""
    return partial(_operation, import_module("torchvision.transforms.v2"))


def _operation(library: Any, name: str, strength: float | None) -> Operated | None:
    for row in ROWS:
        if row.ours == name:
            call = row.at(strength or 0.0)
            arguments = {
                key: library.InterpolationMode.BILINEAR if value is BILINEAR else value
                for key, value in call.arguments.items()
            }
            made: Callable[[Tensor], Tensor] = getattr(library, call.short)(**arguments)
            return partial(_each, made), not row.draws
    return None


def _each(made: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """(B, C, H, W) -> the same shape; a draw for each image."""
    return torch.stack([made(image) for image in x])


FORM = Form(
    write=partial(
        write_python,
        TORCHVISION,
        "\nfrom torchvision.transforms import v2\n",
        "policy = ",
        "`policy(x)` augments one image x (C, H, W) in [0, 1], after `v2.ToDtype(torch.float32, "
        "scale=True)`.",
    ),
    read=read,
    operate=operate,
)
