"""Exports and imports policies: what is written or read, what is lost, what was checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError, unknown
from augbench.methods.policies.exchange import FORMS
from augbench.methods.policies.exchange.calls import NoPythonError
from augbench.methods.policies.exchange.form import Form
from augbench.methods.policies.exchange.golden import differences
from augbench.methods.policies.exchange.physical import Chain, to_chains, to_policy
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_file import is_for_eeg, read_policy, write_policy
from augbench.methods.policies.text_file import read_text

FILES = {  # what holds the policies of other software, where it has a name
    "autoaugment": "Python's policies.py",
    "fast-autoaugment": "Python's archive.py",
    "dada": "Python's genotype.py",
}
TORCH = ("pytorch", "torch")
MOST_BYTES = 8 * 1024**2


class Report(NamedTuple):
    """What came of an export or an import, in sentences."""

    lost: list[str]
    checked: list[str]


def export_policy(policy: Policy, form: str, origin: Any = None) -> tuple[str, Report]:
    """The text of a file for other software.

    ``origin`` is what `import_policy` put into a policy's file as ``imported``: as long as the
    policy is the same, its levels go back as they came.

    Raises a UserError for an unknown form, or a policy that it cannot express.
    """
    writable = {name: each for name, each in FORMS.items() if each.write}
    if form not in writable:
        if form in TORCH:
            raise UserError(
                f"--to {form} is not needed: Policy.load(file).as_module(signal) is a torch module"
            )
        raise unknown("form", form, writable)
    chosen = writable[form]
    lost: list[str] = []
    chains = to_chains(policy, lost)
    if not chains:
        raise UserError("this policy holds no subpolicies: there is nothing to write")
    if form != "braindecode" and is_for_eeg(policy):
        raise UserError(
            f"{form} has none of the operations of this policy, which is for EEG: give "
            "--to braindecode"
        )
    assert chosen.write is not None
    text = chosen.write(chains, lost)
    before = _as_imported(policy, form, chosen, origin)
    if before is not None:
        return before, Report([], ["the levels are those that were imported"])
    return text, Report(list(dict.fromkeys(lost)), _checked(form, chosen, chains))


def import_policy(path: Path, form: str, name: str | None = None) -> tuple[dict[str, Any], Report]:
    """The record of a policy, for a file that `Policy.load` reads; the file is not executed.

    ``name`` chooses among several lists of a file. Raises a UserError for an unknown form, or a
    file that is not in it.
    """
    readable = {key: each for key, each in FORMS.items() if each.read}
    if form not in readable:
        raise unknown("form", form, readable)
    chosen = readable[form]
    assert chosen.read is not None
    lost: list[str] = []
    text = read_text(path, MOST_BYTES, "")
    try:
        content = chosen.read(text, name, lost)
        if not any(chain.steps for chain in content.chains):
            raise UserError("it holds no operation: there is nothing to read")
        record = write_policy(to_policy(content.chains))
        read_policy(record)  # what is written can be read
    except NoPythonError as error:
        kind = FILES.get(form, "Python")
        raise UserError(f"{path} is no policy file of {form}, which is {kind}: {error}") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except RecursionError:
        raise UserError(f"{path}: it is nested too deeply for a policy") from None
    if content.entries is not None and chosen.write_entries:
        record["imported"] = {"from": form, "entries": content.entries}
    n_steps = sum(len(chain.steps) for chain in content.chains)
    read = f"{len(content.chains)} subpolicies with {n_steps} operations: names and numbers"
    return record, Report(
        list(dict.fromkeys(lost)), [read, *_checked(form, chosen, content.chains)]
    )


def _as_imported(policy: Policy, name: str, form: Form, origin: Any) -> str | None:
    """What was imported, if that is still the policy; None otherwise."""
    if not isinstance(origin, Mapping) or origin.get("from") != name:
        return None
    if form.read is None or form.write_entries is None:
        return None
    try:
        text = form.write_entries([[tuple(entry) for entry in s] for s in origin["entries"]])
        same = to_policy(form.read(text, None, []).chains) == policy
    except (UserError, KeyError, TypeError, ValueError, OverflowError):  # somebody has edited it
        return None
    return text if same else None


def _checked(name: str, form: Form, chains: list[Chain]) -> list[str]:
    """What a golden batch says, a sentence for each operation; or why it was not asked."""
    if form.operate is None:
        return [f"nothing: {name} is never run here"]
    try:
        operate = form.operate()
    except (ImportError, RuntimeError):  # the latter from one that is built for another torch
        return [f"nothing: {name} is not installed here"]
    return [f"golden batch, {each}" for each in differences(chains, operate, name)]
