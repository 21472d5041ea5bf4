"""Forms that list (operation, probability, level): one walk, and a table for each of them.

A level is a place on a range of the operation's own argument, which acts at just that value.
"""

import ast
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError, unknown
from augbench.methods.policies.exchange.calls import choose, named_values, parse
from augbench.methods.policies.exchange.form import Content
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
    check_count,
    check_number,
    check_probability,
)

Entry = tuple[str, float, float | None]
NEAR = 1e-6
A_LIST = "a list of subpolicies, each a list of (operation, probability, level)"


class Scale(NamedTuple):
    """An operation: our transform, and its argument from the first to the last level."""

    ours: str
    first: float = 0.0
    last: float = 0.0
    neutral: float | None = None  # the argument that changes nothing; None: no argument
    unit: float = 1.0  # of ours, in one of the argument
    whole: Callable[[float], float] | None = None  # how a strength becomes a whole number

    def strength(self, share: float) -> float | None:
        """The strength in our unit at a share of the way from the first to the last level."""
        if self.neutral is None:
            return None
        argument = self.first + share * (self.last - self.first)
        strength = abs(argument - self.neutral) * self.unit
        return float(self.whole(strength - NEAR)) if self.whole else strength

    def share(self, strength: float) -> float:
        """The inverse, on the side that reaches further; beyond [0, 1] if it is not reached."""
        assert self.neutral is not None
        up = abs(self.last - self.neutral) >= abs(self.first - self.neutral)
        towards = self.last if up else self.first
        argument = self.neutral + math.copysign(strength / self.unit, towards - self.neutral)
        return (argument - self.first) / (self.last - self.first)


@dataclass(frozen=True)
class LevelForm:
    """A form: its operations, and its levels."""

    title: str
    scales: Mapping[str, Scale]
    top: float  # the last level; the first one is 0
    whole: bool  # levels are whole numbers
    half: float = 0.0  # 0.5 where a level is a bin, of which the middle counts
    loses: tuple[str, ...] = ()
    one_way: frozenset[str] = field(default_factory=frozenset)  # no random sign there

    def share(self, level: float) -> float:
        """A level as a share of the way from the beginning to the end of the range."""
        return (level + self.half) / (self.top + 2 * self.half)

    def level(self, share: float) -> float:
        """The inverse of `share`."""
        return share * (self.top + 2 * self.half) - self.half


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


def write(form: LevelForm, chains: list[Chain], lost: list[str]) -> str:
    """The text of a Python file; raises a UserError for subpolicies of unequal weights."""
    weights = {chain.weight for chain in chains}
    if max(weights, default=0.0) - min(weights, default=0.0) > NEAR * max(weights, default=0.0):
        raise UserError(
            f"the subpolicies of this policy have unequal weights, for which {form.title} has no "
            "place; torchvision, kornia, albumentations and braindecode have one"
        )
    names: dict[str, str] = {}
    for name, scale in form.scales.items():
        names.setdefault(scale.ours, name)
    entries: list[list[Entry]] = []
    for chain in chains:
        for step in chain.steps:
            if step.transform not in names:
                lost.append(f"{step.transform} is left out: {form.title} has nothing like it")
        known = [step for step in chain.steps if step.transform in names]
        entries.append([_entry(form, names[step.transform], step, lost) for step in known])
    if not any(entries):
        raise UserError(
            f"{form.title} has none of the operations of this policy; it has: "
            f"{', '.join(sorted(names))}"
        )
    return write_entries(entries)


def write_entries(entries: list[list[Entry]]) -> str:
    """A Python file with a list of subpolicies, each a list of tuples."""
    lines = [f"    [{', '.join(map(repr, subpolicy))}],\n" for subpolicy in entries]
    return f"policy = [\n{''.join(lines)}]\n"


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


def _entry(form: LevelForm, name: str, step: Step, lost: list[str]) -> Entry:
    if step.strength is None:
        return name, step.probability, None if form.whole else 0.0
    lost.append("a strength is drawn up to its limit here; there the limit itself acts")
    exact = form.level(form.scales[name].share(step.strength))
    nearest = min(form.top, max(0.0, exact))
    if abs(nearest - exact) > NEAR:
        lost.append(f"{step.transform}: {step.strength:.4g} is more than {form.title} has")
    if not form.whole:
        return name, step.probability, nearest
    level = round(nearest)
    if abs(level - nearest) > NEAR:
        lost.append(f"{step.transform}: its level is rounded to one of {form.top + 1:.0f}")
    return name, step.probability, level


def lists_in(text: str) -> dict[str, list[list[Entry]]]:
    """The lists of a file that look like policies, by the names of variables or functions."""
    try:
        candidates = {"policy": json.loads(text)}
    except (ValueError, RecursionError):
        candidates = named_values(parse(text), _literal)
    found: dict[str, list[list[Entry]]] = {}
    same: dict[int, list[list[Entry]]] = {}
    for name, value in candidates.items():
        entries = same.setdefault(id(value), _entries(value) or [])
        if entries:
            found[name] = entries
    return found


def _literal(node: ast.AST) -> Any:
    """The list that a node gives a name to; None for others, and for what is computed."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _entries(value: Any) -> list[list[Entry]] | None:
    """Subpolicies of triples; None if a value is something else."""
    if not isinstance(value, list | tuple) or not value or not isinstance(value[0], list | tuple):
        return None
    check_count(len(value))
    entries = []
    for subpolicy in value:
        if not isinstance(subpolicy, list | tuple):
            return None
        for each in subpolicy:
            if not isinstance(each, list | tuple) or len(each) != 3 or not isinstance(each[0], str):
                return None
        entries.append([(each[0], each[1], each[2]) for each in subpolicy])
    return entries if any(entries) else None
