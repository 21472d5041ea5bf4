"""Reads a policy from a list of (operation, probability, level)."""

from augbench.datasets.errors import UserError, unknown
from augbench.methods.policies.exchange.calls import choose
from augbench.methods.policies.exchange.form import Content
from augbench.methods.policies.exchange.level_form import Entry, LevelForm
from augbench.methods.policies.exchange.level_lists import lists_in
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
    check_number,
    check_probability,
)

A_LIST = "a list of subpolicies, each a list of (operation, probability, level)"


def read(form: LevelForm, text: str, name: str | None, lost: list[str]) -> Content:
    """The policy of a JSON or Python file, which is not executed.

    Raises a UserError if there is none or several, an unknown operation, or a number out of range.
    """
    found = lists_in(text)
    if not found:
        raise UserError(f"it holds no policy: {A_LIST}")
    return read_entries(form, choose(found, name), lost)


def read_entries(form: LevelForm, entries: list[list[Entry]], lost: list[str]) -> Content:
    """The policy of one list; raises a UserError for an unknown operation, or a wrong number."""
    chains = [Chain(1.0, tuple(_step(form, entry) for entry in subpolicy)) for subpolicy in entries]
    used = {step.transform for chain in chains for step in chain.steps if step.strength is not None}
    if used:
        lost.append("a strength is exact there; here it is drawn up to it")
    if used & form.one_way:
        lost.append(
            f"{', '.join(sorted(used & form.one_way))}: there the level says which way; here "
            "both ways are as likely"
        )
    lost += form.loses
    if any(
        level is not None and form.scales[n].neutral is None for s in entries for n, _, level in s
    ):
        lost.append("levels of operations without a strength mean nothing; the file keeps them")
    return Content(chains, entries)


def _step(form: LevelForm, entry: Entry) -> Step:
    name, probability, level = entry
    if name not in form.scales:
        raise unknown(f"operation of {form.title}", str(name), form.scales)
    scale = form.scales[name]
    p = check_probability(name, probability)
    if scale.neutral is None:
        if level is not None:
            check_number(name, level)
        return Step(scale.ours, p, None)
    number = check_number(name, level)
    if not 0 <= number <= form.top:
        raise UserError(f"{name} has the level {level}; {form.title}'s go from 0 to {form.top:g}")
    return Step(scale.ours, p, scale.strength(form.share(number)))
