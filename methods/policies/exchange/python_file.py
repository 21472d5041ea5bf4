"""Python files that hold one policy in constructor notation."""

from collections.abc import Sequence

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.call_form import Dialect, read_calls, write_calls
from augbench.methods.policies.exchange.calls import first_call, parse, to_python
from augbench.methods.policies.exchange.form import Content
from augbench.methods.policies.exchange.physical import Chain


def write_python(
    dialect: Dialect, head: str, before: str, use: str, chains: list[Chain], lost: list[str]
) -> str:
    """The text of a file: what it is, imports, and the policy behind ``before``."""
    call = write_calls(dialect, chains, lost)
    indent = " " * (len(before) - len(before.lstrip(" ")))  # inside a function
    lines = [f"A policy of {len(chains)} subpolicies for {dialect.title}, written by augbench.", ""]
    lines += [use, "", "Not as in augbench:"]
    lines += [f"- {each}" for each in dict.fromkeys(lost)] or ["- nothing"]
    text = "\n".join(lines)
    return f'"""{text}\n"""\n{head}\n{before}{to_python(call, indent)}\n'


def read_python(
    dialect: Dialect, containers: Sequence[str], text: str, name: str | None, lost: list[str]
) -> Content:
    """The policy of a file, which is not executed.

    Raises a UserError if there is none, or for what cannot be read.
    """
    if name is not None:
        raise UserError("--name is for files of several policies; leave it out")
    names = {*containers, *(row.theirs.rpartition(".")[2] for row in dialect.rows)}
    call = first_call(parse(text), names)
    if call is None:
        raise UserError(
            f"it assigns no policy for {dialect.title}, a call of {' or '.join(containers)}"
        )
    return Content(read_calls(dialect, call, lost))
