"""What a check has found, and how checks are run one after the other."""

import sysconfig
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from augbench.datasets.errors import UserError

Case = TypeVar("Case")

# Whose lines are no help to the author of what is checked: ours, Python's and these libraries'.
OURS = tuple(Path(__file__).resolve().parents[2] / name for name in ("datasets", "methods"))
LIBRARIES = {"torch", "numpy"}
PYTHON = Path(sysconfig.get_path("stdlib")).resolve()
LONGEST = 600  # characters of a text


class Finding(NamedTuple):
    """A promise, whether it is kept, and in words what was seen and what to do."""

    about: str
    kept: bool
    text: str


class BrokenError(Exception):
    """A promise is broken. The message says how, and what to do."""


def run_checks(
    checks: Mapping[str, Callable[[Case], str]], case: Case, needed: Collection[str] = ()
) -> Iterator[Finding]:
    """Run the checks in order; each returns what it saw, or raises a BrokenError.

    Where a check that is ``needed`` by the others fails, the others are left out.
    """
    for number, (about, check) in enumerate(checks.items(), start=1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = Finding(about, True, check(case))
        except BrokenError as error:
            found = Finding(about, False, str(error))
        except UserError as error:
            found = Finding(about, False, f"it refuses what it is given: {error}")
        except Exception as error:  # the code of others may raise anything
            found = Finding(about, False, f"{raised(error)}; mend that first")
        yield Finding(found.about, found.kept, " ".join(found.text.split())[:LONGEST])
        if about in needed and not found.kept and number < len(checks):
            yield Finding("the others", False, f"not checked, for they need {about!r}")
            return


def raised(error: Exception) -> str:
    """What was raised, and the line of the code that is checked where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_known(Path(frame.filename))]
    where = (theirs or frames)[-1]
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"it raises {told} ({Path(where.filename).name}, line {where.lineno})"


def _is_known(file: Path) -> bool:
    """Whether a file belongs to augbench, Python or a library."""
    whole = file.resolve()
    if any(whole.is_relative_to(each) for each in OURS) or LIBRARIES & set(whole.parts):
        return True
    return whole.is_relative_to(PYTHON) and "site-packages" not in whole.parts


def failures(findings: Iterator[Finding]) -> list[str]:
    """A sentence for each promise that is broken, for a test: there should be none."""
    return [f"{each.about}: {each.text}" for each in findings if not each.kept]
