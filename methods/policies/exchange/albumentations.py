"""albumentations' JSON, as its `A.save` writes it and `A.load` reads it; it is never imported."""

import json
from typing import Any

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.albumentations_rows import ROWS
from augbench.methods.policies.exchange.call_form import Calls, Dialect
from augbench.methods.policies.exchange.calls import Call, rounded
from augbench.methods.policies.exchange.form import Content, Form
from augbench.methods.policies.exchange.one_of import say_what_else, with_probability
from augbench.methods.policies.exchange.physical import Chain
from augbench.methods.policies.exchange.read_calls import read_calls
from augbench.methods.policies.exchange.write_calls import write_calls
from augbench.methods.policies.number import shown

VERSION = "2.0.8"  # whose names of arguments these are
CONTAINERS = ("Compose", "Sequential", "OneOf")
CLASS = "__class_fullname__"


def _wrap(calls: Calls) -> Call:
    chains = [
        Call(
            "Sequential",
            {
                "p": weight,
                "transforms": [Call(c.name, {"p": p, **c.arguments}) for p, c in steps],
            },
        )
        for weight, steps in calls
    ]
    return Call(
        "Compose", {"p": 1.0, "transforms": [Call("OneOf", {"p": 1.0, "transforms": chains})]}
    )


def _unwrap(call: Call, lost: list[str]) -> Calls:
    if call.short not in CONTAINERS:
        raise UserError(
            f"it is a {call.short}, which cannot be read; take {', '.join(CONTAINERS[:-1])} or "
            f"{CONTAINERS[-1]}"
        )
    inside = _inside(call, lost)
    if call.arguments.get("p", 1.0) != 1.0:
        raise UserError(f"{call.short} has p={shown(call.arguments['p'])}; only 1 can be read")
    if call.short != "OneOf" and len(inside) == 1 and inside[0].short == "OneOf":
        return _unwrap(inside[0], lost)
    if call.short != "OneOf":
        return [(1.0, [with_probability(each, "p") for each in inside])]
    chains: Calls = []
    for each in inside:
        weight, _ = with_probability(each, "p")
        if each.short == "Sequential":
            chains.append((weight, [with_probability(step, "p") for step in _inside(each, lost)]))
        else:  # what is chosen acts: its probability is its weight
            chains.append((weight, [(1.0, each)]))
    return chains


def _inside(call: Call, lost: list[str]) -> list[Call]:
    found = call.arguments.get("transforms")
    if not isinstance(found, list | tuple) or not all(isinstance(each, Call) for each in found):
        raise UserError(f"{call.short} has to hold a list of transforms")
    say_what_else(call, {"p", "transforms", "is_check_shapes"}, lost)
    return list(found)


ALBUMENTATIONS = Dialect(
    "albumentations",
    ROWS,
    _wrap,
    _unwrap,
    ("images there are arrays (H, W, C) of 256 levels",),
)


def write(chains: list[Chain], lost: list[str]) -> str:
    """The text of a file for `A.load`."""
    call = write_calls(ALBUMENTATIONS, chains, lost)
    return json.dumps({"__version__": VERSION, "transform": _to_plain(call)}, indent=1) + "\n"


def read(text: str, name: str | None, lost: list[str]) -> Content:
    """The inverse of `write`; a UserError for another form, or what we have nothing for."""
    if name is not None:
        raise UserError("--name is for files of several policies; leave it out")
    try:
        record = json.loads(text)
        call = _from_plain(record["transform"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(
            f"it is not what albumentations' save writes, JSON with `transform` ({error!r})"
        ) from None
    if not isinstance(call, Call):
        raise UserError(f"`transform` has no {CLASS}")
    return Content(read_calls(ALBUMENTATIONS, call, lost))


def _to_plain(value: Any) -> Any:
    if isinstance(value, Call):
        return {CLASS: value.name, **{k: _to_plain(v) for k, v in value.arguments.items()}}
    if isinstance(value, dict):
        return {key: _to_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(each) for each in value]
    return rounded(value) if isinstance(value, float) else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, dict) and CLASS in value:
        arguments = {k: _from_plain(v) for k, v in value.items() if k != CLASS}
        return Call(str(value[CLASS]), arguments)
    if isinstance(value, dict):
        return {key: _from_plain(each) for key, each in value.items()}
    if isinstance(value, list):
        items = [_from_plain(each) for each in value]
        return items if any(isinstance(each, Call) for each in items) else tuple(items)
    return value


FORM = Form(write=write, read=read)
