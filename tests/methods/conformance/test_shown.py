"""Equal means equal in every bit."""

import numpy as np
import torch

from augbench.methods.conformance.shown import first_difference, flat


def test_bits_are_compared_and_not_values() -> None:
    nan = float("nan")
    assert flat({"a": nan}) == flat({"a": float("nan")})
    assert flat(torch.tensor([nan])) == flat(torch.tensor([nan]))
    assert flat(torch.tensor(0.0)) != flat(torch.tensor(-0.0))
    assert flat(torch.tensor(1)) != flat(torch.tensor(1.0))
    assert flat(np.zeros(3)) != flat(np.zeros((3, 1)))
    assert flat([]) != flat({"a": []})


def test_the_first_difference_is_a_path() -> None:
    one = flat({"a": [1, {"b": 2.0}], "c": None})
    assert first_difference(one, flat({"a": [1, {"b": 2.0}], "c": None})) is None
    assert first_difference(one, flat({"a": [1, {"b": 2.5}], "c": None})) == "a/1/b"
    assert first_difference(one, flat({"a": [1, {"b": 2.0}]})) == "c"
    assert first_difference(flat({}), flat({"d": 1})) is not None
