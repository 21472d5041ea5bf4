"""Reads policies from the files that others wrote: alone, or in a run directory."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from augbench.datasets.arguments import read_path
from augbench.datasets.errors import UserError
from augbench.datasets.options.row import resolve
from augbench.datasets.task import Signal
from augbench.methods.options.imported import ImportedOptions, library_of, read_imported
from augbench.methods.policies.number import finite_number, shown
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.policies.text_file import read_text
from augbench.methods.transforms.bank import NOTHING_IMPORTED, every_transform
from augbench.methods.transforms.imported.build import describe
from augbench.methods.transforms.imported.defaults import described
from augbench.methods.transforms.transform import Transform

# What finds the record of a policy in a run directory. By its name: methods know no harness, and
# only who has a run directory needs it.
READ_RUN = "augbench.bench.store.best_policies:find_policy"
# For what does not depend on the signal: which transforms there are, which have a strength, in
# which unit.
_EEG = Signal("eeg", (6, 3000), ("Fz", "C3", "Cz", "C4", "Pz", "Oz"), 100.0)
_IMAGE = Signal("image", (3, 32, 32))
MOST_SUBPOLICIES = 100_000  # CADDA's policies have thousands
MOST_BYTES = 64 * 1024**2


def load_policy(
    path: Path | str,
    *,
    task: str | None = None,
    method: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
) -> Policy:
    """A policy from its file, or from a run directory; see `Policy.load`, errors included."""
    path = read_path("path", path)
    if path.is_dir():
        chosen = {"task": task, "method": method, "fold": fold, "seed": seed}
        return read_policy(resolve(READ_RUN)(path, **chosen))
    record = load_record(path, task=task, method=method, fold=fold, seed=seed)
    try:
        return read_policy(record)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def load_record(path: Path, **chosen: Any) -> Any:
    """What the file of a policy holds; ``chosen`` is for run directories, so nothing has to be.

    Raises a UserError for a file that cannot be read, or a choice.
    """
    given = [name for name, value in chosen.items() if value is not None]
    if given:
        raise UserError(
            f"{path} is not a run directory, so there is no {' and no '.join(given)} to choose: "
            "leave it out, or give the directory of a run"
        )
    text = read_text(path, MOST_BYTES, "the policy ")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} holds no policy: it is not JSON ({error})") from None


def read_policy(record: Any) -> Policy:
    """A policy from what `to_json` writes, with the ranges that are written beside it.

    Raises a UserError for what is no policy, a transform that is not known, one that has another
    unit by now, or a number out of range.
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("transforms"), Mapping):
        raise UserError("this is no policy: it has no table `transforms`, which `to_json` writes")
    _check_size(record)
    imported = _read_imported(record["transforms"])
    bank = generic_bank(imported)
    meanings = {name: each for name, each in record["transforms"].items() if name in bank}
    for name, meaning in meanings.items():
        bank[name] = replace(bank[name], strongest=_strongest(bank[name], meaning))
    policy = from_json(record, bank)
    ranges = {name: bank[name].strongest for name in meanings if bank[name].graded}
    return replace(policy, ranges=ranges, imported=imported)


def _check_size(record: Mapping[str, Any]) -> None:
    by_class = record.get("by_class") or []
    if not isinstance(by_class, list | tuple):
        raise UserError(
            f"the policy has {shown(by_class)} as `by_class`; it has to be a list, with the "
            "subpolicies of each class"
        )
    parts = [record.get("subpolicies"), *by_class]
    n_subpolicies = sum(len(part) for part in parts if isinstance(part, list))
    if n_subpolicies > MOST_SUBPOLICIES:
        raise UserError(
            f"the policy holds {n_subpolicies} subpolicies; augbench takes {MOST_SUBPOLICIES} at "
            "most: keep those of the largest weights"
        )


def _read_imported(meanings: Mapping[str, Any]) -> dict[str, ImportedOptions]:
    """What the transforms of other libraries were made of."""
    return {
        name: read_imported(name, each["imported"])
        if isinstance(each, Mapping) and "imported" in each
        else described(name)
        for name, each in meanings.items()
        if library_of(name)
    }


def generic_bank(
    imported: Mapping[str, ImportedOptions] = NOTHING_IMPORTED,
) -> dict[str, Transform]:
    """All known transforms and those of other libraries, for what does not depend on a signal."""
    own = {row.name: row for _, row in every_transform((_EEG, _IMAGE))}
    return own | {name: describe(name, each) for name, each in imported.items()}


def bank_of(policy: Policy) -> dict[str, Transform]:
    """`generic_bank` with the transforms of other libraries that a policy uses."""
    names = sorted(name for name in policy.transforms if library_of(name))
    return generic_bank({name: policy.imported.get(name) or described(name) for name in names})


def is_for_eeg(policy: Policy) -> bool:
    """Whether it holds transforms, and each is one of EEG alone."""
    signals = {row.name for _, row in every_transform((_EEG,))}
    signals -= {row.name for _, row in every_transform((_IMAGE,))}
    names = [name for name in policy.transforms if not library_of(name)]
    return bool(names) and signals.issuperset(names)


def write_policy(policy: Policy) -> dict[str, Any]:
    """The record of a policy with its ranges, which `read_policy` reads."""
    bank = bank_of(policy)
    for name, strongest in policy.ranges.items():
        bank[name] = replace(bank[name], strongest=strongest)
    return to_json(policy, bank)


def _strongest(transform: Transform, meaning: Any) -> float:
    """What magnitude 1 of a transform meant to who wrote the policy, in its unit."""
    given = meaning.get("strongest") if isinstance(meaning, Mapping) else None
    strongest = finite_number(given)
    if strongest is None or strongest <= 0:
        raise UserError(
            f"the policy says that magnitude 1 of {transform.name!r} means {shown(meaning)}; "
            "it has to say a number above 0 as `strongest`, and its `unit`"
        )
    return strongest if transform.graded else transform.strongest
