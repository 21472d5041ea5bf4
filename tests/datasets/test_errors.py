"""Words of messages."""

import pytest

from augbench.datasets.errors import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "example", "0 examples"),
        (1, "example", "1 example"),
        (2, "example", "2 examples"),
        (1, "class", "1 class"),
        (3, "class", "3 classes"),
        (12345, "more recording", "12,345 more recordings"),
    ],
)
def test_a_noun_agrees_with_its_number(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
