"""All that can be seen of a method, as plain data that are equal where every bit is."""

import io
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import Method, Trained

Flat = dict[str, Any]


def flat(value: Any, at: str = "") -> Flat:
    """Nested plain data as one level, tensors as their bytes, so that == means bit for bit."""
    if isinstance(value, Tensor):
        return {at: (str(value.dtype), tuple(value.shape), _bytes(value))}
    if isinstance(value, np.ndarray | np.generic):
        return {at: (str(value.dtype), value.shape, value.tobytes())}
    if isinstance(value, dict):
        pairs = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        pairs = [(str(key), inner) for key, inner in enumerate(value)]
    elif isinstance(value, float):
        return {at: value.hex()}  # NaN is equal to itself here
    else:
        return {at: value}
    if not pairs:
        return {at: "empty"}
    return {k: v for key, inner in pairs for k, v in flat(inner, f"{at}/{key}").items()}


def _bytes(tensor: Tensor) -> bytes:
    plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return bytes(plain.numpy())


def shown(method: Method) -> Flat:
    """All that the harness can see of a method."""
    artifact = method.artifact()
    plain: Any = artifact
    if isinstance(artifact, Trained):
        plain = {"model": dict(artifact.model.state_dict()), "valid": artifact.valid}
    elif isinstance(artifact, Policy):
        plain = artifact.digest
    return flat({"artifact": plain, "learned": method.learned(), "state": method.state_dict()})


def first_difference(one: Flat, other: Flat) -> str | None:
    """Where two differ first, as a path; None where they are equal to the last bit."""
    for key in [*one, *other]:
        if key not in one or key not in other or one[key] != other[key]:
            return key.lstrip("/")
    return None


def saved(state: dict[str, Any]) -> bytes:
    """A state as a checkpoint holds it."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def loaded(saved_state: bytes) -> dict[str, Any]:
    """The state of a checkpoint; it fails for anything but tensors and plain data."""
    state: dict[str, Any] = torch.load(io.BytesIO(saved_state), weights_only=True)
    return state
