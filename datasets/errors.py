"""The errors and warnings that are meant for the user."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_NAMED = 12  # names in a message


class UserError(Exception):
    """An error that the user can fix; one sentence: what was given, what is allowed, what to do."""


class UserNotice(UserWarning):
    """One sentence that the user should know; the command shows the sentence and nothing else."""


def system_error(error: OSError) -> str:
    """The system's own message, with the file if the error has one."""
    if error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.strerror}: {error.filename}" if error.filename else error.strerror


def unknown(what: str, given: object, known: Iterable[str]) -> UserError:
    """The error for a name that is not in a table; it suggests the nearest name."""
    names = sorted(known)
    close = get_close_matches(str(given), names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return UserError(f"unknown {what} {given!r}; {hint}known: {', '.join(names) or 'none'}")


def listed(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """The first of some names, and how many more there are, for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name[:80] for name in names[:most]) + more


def counted(number: int, noun: str) -> str:
    """The number and the noun, in the plural unless the number is 1."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def require(options: object, name: str, holds: bool, rule: str) -> None:
    """Unless ``holds``, raise a UserError with an option's name, its value and the rule."""
    if not holds:
        raise UserError(f"{name} is {getattr(options, name)}; it has to be {rule}")
