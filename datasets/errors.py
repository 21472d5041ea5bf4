"""The one kind of error, and of warning, that is meant for the user's eyes."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user can mend, in one sentence: what was given, what is allowed, what to do."""


class UserNotice(UserWarning):
    """Something the user should know, in one sentence: the command shows no more than that."""


def system_error(error: OSError) -> str:
    """What the system says, and of which file, where it says so."""
    if error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.strerror}: {error.filename}" if error.filename else error.strerror


def unknown(what: str, given: str, known: Iterable[str]) -> UserError:
    """The error for a name that stands in no table, with the nearest that does."""
    names = sorted(known)
    close = get_close_matches(given, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return UserError(f"unknown {what} {given!r}; {hint}known: {', '.join(names) or 'none'}")


def require(options: object, name: str, holds: bool, rule: str) -> None:
    """Raise a UserError that names an option, what it is, and what it has to be."""
    if not holds:
        raise UserError(f"{name} is {getattr(options, name)}; it has to be {rule}")
