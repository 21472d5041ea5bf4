"""What a method promises: the checks, in the order in which they are told."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from augbench.datasets.options.tasks import Kind
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import Finding, run_checks
from augbench.methods.conformance.method_case import Case
from augbench.methods.conformance.method_contract import contract, kinds_fit, learned_is_json
from augbench.methods.conformance.method_inputs import (
    costs_are_told,
    inputs_are_left,
    test_split_is_unknown,
)
from augbench.methods.conformance.method_repeats import generators_are_left, resumes, seed_decides
from augbench.methods.conformance.method_walk import (
    Subject,
)
from augbench.methods.conformance.options import describe_options
from augbench.methods.options.row import MethodRow


def check_method(name: str, row: MethodRow, options: Any = None) -> Iterator[Finding]:
    """Whether a method keeps its promises, on a tiny task of a kind that it is for.

    ``options`` are by default the method's own.
    """
    kind: Kind = "eeg" if "eeg" in row.kinds else "image"
    case = Case(Subject(name, row, options, kind))
    with generators.seeded(generators.UNUSUAL):
        yield from run_checks(CHECKS, case, needed=("options", "contract"))


CHECKS: Mapping[str, Callable[[Case], str]] = {
    "options": lambda case: describe_options(case.subject.row.options),
    "contract": contract,
    "learned": learned_is_json,
    "resume": resumes,
    "seed": seed_decides,
    "global generators": generators_are_left,
    "costs": costs_are_told,
    "test split": test_split_is_unknown,
    "inputs": inputs_are_left,
    "signals": kinds_fit,
}
