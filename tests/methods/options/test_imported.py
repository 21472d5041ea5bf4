import subprocess
import sys
from typing import Any

import pytest

from augbench.datasets.errors import UserError
from augbench.methods.options.imported import ImportedOptions, check_kind, read_imported

NAME = "kornia.RandomShear"


@pytest.mark.parametrize(
    "described",
    [
        ImportedOptions("shear", (0.0, 20.0)),
        ImportedOptions("gamma", ((1.0, 1.0), (0.5, 1.5)), {"gain": [1.0, 1.0]}),
        ImportedOptions(options={"size": [3, 3]}),
        ImportedOptions(),
    ],
)
def test_a_description_goes_through_json(described: ImportedOptions) -> None:
    assert read_imported(NAME, described.to_plain()) == described


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (3, "has to be a table"),
        ({"parametr": "shear"}, "parameter, range, options"),
        ({"parameter": "shear"}, "without range"),
        ({"parameter": "shear", "range": [1, 1]}, "two different numbers"),
        ({"parameter": "shear", "range": [0, [1, 2]]}, "two different numbers"),
        ({"parameter": "shear", "range": [[], [1]]}, "two different numbers"),
        ({"parameter": "shear", "range": [0, True]}, "numbers"),
        ({"parameter": "shear", "range": [0, 10**400]}, "numbers"),
        ({"parameter": "shear", "range": 5}, "numbers"),
        ({"parameter": 5, "range": [0, 1]}, "a text"),
        ({"options": 5}, "a table"),
        ({"parameter": "p", "range": [0, 1], "options": {"p": 1}}, "keep one"),
    ],
)
def test_what_is_no_description_is_a_sentence(record: Any, words: str) -> None:
    with pytest.raises(UserError, match=NAME) as error:
        read_imported(NAME, record)
    assert words in str(error.value)


def test_a_library_is_for_one_kind_of_signal() -> None:
    check_kind(NAME, "image")
    check_kind("rotate", "eeg")  # our own are checked where they are built
    with pytest.raises(UserError, match="is for images"):
        check_kind(NAME, "eeg")


def test_it_is_read_without_torch() -> None:
    script = (
        "import sys, augbench.methods.options.imported\n"
        "print([name for name in ('torch', 'kornia') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
