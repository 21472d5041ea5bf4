"""What a search is: a suite, one of its methods, and the options that are varied."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from augbench.bench.plan.options import read_options
from augbench.bench.plan.suite import PlannedTrial, Suite, read_suite
from augbench.bench.search.space import (
    Backend,
    SamplerName,
    Spaces,
    Values,
    read_space,
    with_values,
)
from augbench.bench.store.files import DamagedError, read_json, write_json
from augbench.bench.store.run_directory import SCHEMA, RunDirectory, check_schema
from augbench.datasets.errors import UserError, unknown
from augbench.methods import known_methods

FILE = "search.json"
NOT_PART_OF_TRIALS = (
    "resources",
    "total_device_hours",
)  # keys of a suite


@dataclass(frozen=True)
class Search:
    """Everything that decides its trials, but not how many there are or where they run."""

    suite: dict[str, Any]  # the tables of the file, overrides included
    method: str  # the label in the suite; or a method with its defaults
    parameters: dict[str, str]  # the space of each option, as the user wrote it
    sampler: SamplerName
    seed: int
    batch: int  # trials that are proposed at once
    prune: bool
    backend: Backend = "optuna"

    @property
    def spaces(self) -> Spaces:
        """The space of each option."""
        return {key: read_space(key, words) for key, words in self.parameters.items()}

    def plan(self, values: Values, name: str) -> tuple[PlannedTrial, ...]:
        """The suite's trials of the method with some values for its options, under a name.

        Raises a UserError for an option that the method does not have, or a value that it refuses.
        """
        table = self.suite["methods"].get(self.method, {})
        row = {"method": self.method, **with_values(table, values)}
        tables = {**self.suite, "methods": {name: row}, "searches": {}}
        return read_suite(tables, self.suite["name"]).plan


def make_search(
    suite: Suite,
    method: str,
    parameters: Mapping[str, str],
    *,
    sampler: SamplerName,
    seed: int,
    batch: int,
    prune: bool,
    backend: Backend = "optuna",
) -> Search:
    """Check what can be checked without data.

    Raises a UserError for a method that is neither in the suite nor known, an option that it does
    not have, or a value that an option never takes.
    """
    labels = suite.resolved["methods"]
    if method not in labels and method not in known_methods():
        raise unknown("method", method, dict.fromkeys([*labels, *known_methods()]))
    if batch < 1:
        raise UserError(f"--batch is {batch}; it has to be 1 or more")
    tables = {key: value for key, value in suite.resolved.items() if key not in NOT_PART_OF_TRIALS}
    # A grid is for seeing the whole of it.
    prune = prune and sampler != "grid" and _ends_in(tables, method) == "model"
    return Search(tables, method, dict(parameters), sampler, seed, batch, prune, backend)


def _ends_in(tables: Mapping[str, Any], method: str) -> str:
    """What the method ends in: a policy has no metric before it is retrained, and so no rungs."""
    name = tables["methods"].get(method, {}).get("method", method)
    return known_methods()[name].ends_in


def record_search(run: RunDirectory, search: Search, n_trials: int) -> None:
    """Write down the search in its directory; with more trials than before it is extended.

    Raises a UserError if the directory holds another search.
    """
    if (run.path / FILE).exists():
        former, n_former = read_search(run.path)
        for field in fields(Search):
            was, given = getattr(former, field.name), getattr(search, field.name)
            if was != given:
                key, was, given = _difference(field.name, was, given)
                raise UserError(
                    f"{run.path} holds another search: its {key} is {_abbreviate(was)}, given "
                    f"{_abbreviate(given)}; choose another directory with --out"
                )
        n_trials = max(n_trials, n_former)
    parts = asdict(search)
    record = {
        "schema": SCHEMA,
        "trials": n_trials,
        "digest": _digest(parts, n_trials),
        "search": parts,
    }
    write_json(run.path / FILE, record)


def holds_search(path: Path) -> bool:
    """Whether a directory is that of a search, damaged or not."""
    return (path / FILE).exists()


def read_search(path: Path) -> tuple[Search, int]:
    """The search of a directory, and how many trials it was last asked for.

    Raises a UserError if there is none, it is damaged, or it has another version's layout.
    """
    file = path / FILE
    if not file.exists():
        raise UserError(f"{path} holds no search: there is no {FILE} in it")
    if not file.is_file():
        raise _damaged(file, "a folder or a device is in the place of the file")
    try:
        record = read_json(file)
    except (DamagedError, RecursionError) as error:
        raise _damaged(file, str(error).removeprefix(f"{file} is damaged ").strip("()")) from None
    schema, n_trials, parts = (record.get(key) for key in ("schema", "trials", "search"))
    if type(schema) is not int:
        raise _damaged(file, "it names no schema")
    check_schema(path, schema)
    if type(n_trials) is not int or n_trials < 1:
        raise _damaged(file, f"its number of trials is {_abbreviate(n_trials)}")
    if not isinstance(parts, dict):
        raise _damaged(file, "it holds no search")
    if record.get("digest") != _digest(parts, n_trials):
        raise _damaged(file, "it is not what was written")
    try:
        search = read_options(Search, parts, str(file))
        search.spaces  # noqa: B018 reading them is the check
    except UserError as error:
        raise _damaged(file, str(error)) from None
    return search, n_trials


def _damaged(file: Path, what: str) -> DamagedError:
    return DamagedError(
        f"{file} is damaged ({what}): run the same augbench search with another --out"
    )


def _digest(parts: Mapping[str, Any], n_trials: int) -> str:
    text = json.dumps([parts, n_trials], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _difference(key: str, was: object, given: object) -> tuple[str, object, object]:
    """The first key at which two values differ, and both values there."""
    if isinstance(was, Mapping) and isinstance(given, Mapping):
        for part in [*was, *given]:
            if was.get(part) != given.get(part):
                return _difference(f"{key}.{part}", was.get(part), given.get(part))
    return key, was, given


def _abbreviate(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
