"""What a search is: a suite, one method of it, and the options that are varied."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from augbench.bench.plan.options import read_options
from augbench.bench.plan.suite import PlannedTrial, Suite, read_suite
from augbench.bench.search.space import SamplerName, Spaces, Values, read_space, with_values
from augbench.bench.store.files import DamagedError, read_json, write_json
from augbench.bench.store.run_directory import SCHEMA, RunDirectory, check_schema
from augbench.datasets.errors import UserError, unknown
from augbench.methods import known_methods

FILE = "search.json"
NO_PART = ("resources", "total_device_hours")  # of a suite's tables: how far it gets, not where to


@dataclass(frozen=True)
class Search:
    """All that its trials follow from; not how many there are, nor where they run."""

    suite: dict[str, Any]  # the tables of the file, overrides included
    method: str  # the label in the suite; or a method, as it is by default
    parameters: dict[str, str]  # the words of the space of each option
    sampler: SamplerName
    seed: int
    batch: int  # trials that are proposed at once
    prune: bool

    @property
    def spaces(self) -> Spaces:
        """What the words say."""
        return {key: read_space(key, words) for key, words in self.parameters.items()}

    def plan(self, values: Values, name: str) -> tuple[PlannedTrial, ...]:
        """The suite's trials of the method with some values for its options, under a name.

        Raises a UserError for an option that the method has not, or a value that is of no use.
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
) -> Search:
    """Check what can be checked without data.

    Raises a UserError for a method that is neither in the suite nor known, an option that it has
    not, or a value that an option never takes.
    """
    labels = suite.resolved["methods"]
    if method not in labels and method not in known_methods():
        raise unknown("method", method, dict.fromkeys([*labels, *known_methods()]))
    if batch < 1:
        raise UserError(f"--batch is {batch}; it has to be 1 or more")
    tables = {key: value for key, value in suite.resolved.items() if key not in NO_PART}
    # A grid is for seeing the whole of it.
    prune = prune and sampler != "grid" and _ends_in(tables, method) == "model"
    return Search(tables, method, dict(parameters), sampler, seed, batch, prune)


def _ends_in(tables: Mapping[str, Any], method: str) -> str:
    """A policy is worth nothing before it is retrained, so that its search shows no rungs."""
    name = tables["methods"].get(method, {}).get("method", method)
    return known_methods()[name].ends_in


def record_search(run: RunDirectory, search: Search, n_trials: int) -> None:
    """Keep the search with its directory; a larger number of trials goes on from a smaller one.

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
    record = {"schema": SCHEMA, "trials": n_trials, "search": asdict(search)}
    write_json(run.path / FILE, record)


def holds_search(path: Path) -> bool:
    """Whether a directory is that of a search, damaged or not."""
    return (path / FILE).exists()


def read_search(path: Path) -> tuple[Search, int]:
    """The search of a directory, and how many trials it was last asked for.

    Raises a UserError if there is none, or it has another version's layout.
    """
    file = path / FILE
    if not file.exists():
        raise UserError(f"{path} holds no search: there is no {FILE} in it")
    record = read_json(file)
    if not isinstance(record.get("schema"), int) or not isinstance(record.get("trials"), int):
        raise DamagedError(f"{file} is damaged: it names no schema or no number of trials")
    check_schema(path, record["schema"])
    return read_options(Search, record.get("search", {}), str(file)), record["trials"]


def _difference(key: str, was: object, given: object) -> tuple[str, object, object]:
    """The first key below which two values differ, and what stands there."""
    if isinstance(was, Mapping) and isinstance(given, Mapping):
        for part in [*was, *given]:
            if was.get(part) != given.get(part):
                return _difference(f"{key}.{part}", was.get(part), given.get(part))
    return key, was, given


def _abbreviate(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
