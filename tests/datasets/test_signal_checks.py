"""What a `Signal` takes, and what it refuses in one sentence."""

from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal

WRONG: list[tuple[tuple[Any, ...], str]] = [
    (("meg", (3, 64)), "unknown kind of signal 'meg'; .*known: eeg, image"),
    (("images", (3, 8, 8)), "did you mean 'image'"),
    (
        ("eeg", (10, 3, 64)),
        r"shape is \(10, 3, 64\).*\(channels, samples\) of one example, without",
    ),
    (("eeg", (64,)), r"\(channels, samples\)"),
    (("image", (8, 8)), r"\(channels, height, width\)"),
    (("eeg", (0, 64)), "each 1 or more"),
    (("eeg", (3, 64.5)), "as whole numbers"),
    (("eeg", 64), "as whole numbers"),
    (("eeg", (3, 64), ("C3", "C4")), "channels has 2 names where shape .* has 3 channels"),
    (("eeg", (2, 64), ("C3", "C4", "Cz")), "channels has 3 names"),
    (("eeg", (64, 2), ("C3", "C4")), r"64 channels: shape has to be \(C, T\), is it transposed\?"),
    (("eeg", (3, 64), ("C3",)), "channels has 1 name where .*: name each of them"),
    (("eeg", (2, 64), ("C3", "C3")), "names one twice: C3, C3"),
    (("eeg", (2, 64), "Cz"), "channels is 'Cz'; it has to be a list of names"),
    (("eeg", (2, 64), (1, 2)), "a list of names"),
    (("eeg", (2, 64), None), "channels is None; it has to be a list of names"),
    (("image", (3, 8, 8), ("r", "g", "b")), "channels of images have no names"),
    (("eeg", (3, 64), (), -100.0), "sampling_rate is -100.0; it has to be above 0, in hertz"),
    (("eeg", (3, 64), (), float("nan")), "sampling_rate is nan"),
    (("eeg", (3, 64), (), float("inf")), "sampling_rate is inf"),
    (("eeg", (3, 64), (), "100"), "sampling_rate is '100'"),
    (("image", (3, 8, 8), (), 100.0), "sampling_rate is 100, but images have none"),
    (("eeg", (3, 64), (), 100.0, None, (30.0, 5.0)), "band is .* two frequencies in hertz"),
    (("eeg", (3, 64), (), 100.0, None, (30.0,)), "two frequencies in hertz"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_what_cannot_be_a_signal_is_one_sentence(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        Signal(*given)
    assert "\n" not in str(caught.value)


def test_what_stands_for_the_same_is_the_same_signal() -> None:
    plain = Signal("eeg", (2, 64), ("C3", "C4"), 100.0)
    x: Any = torch.zeros(2, 64)
    names: Any = np.array(["C3", "C4"])
    as_lists: Any = ([2, 64], ["C3", "C4"])
    for other in (
        Signal("eeg", *as_lists, np.float32(100)),
        Signal("eeg", x.shape, names, 100),
        Signal("eeg", x.numpy().shape, sampling_rate=100.0, channels=("C3", "C4")),
    ):
        assert other == plain
        assert hash(other) == hash(plain)
        assert other.channels == ("C3", "C4")


def test_what_is_not_known_is_left_out() -> None:
    assert Signal("eeg", (3, 64)).sampling_rate == 0
    assert Signal("image", (3, 8, 8)).channels == ()
