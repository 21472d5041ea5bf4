"""Writes a policy as a list of (operation, probability, level)."""

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.level_form import NEAR, Entry, LevelForm
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
)


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
