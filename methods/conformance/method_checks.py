"""What a method promises: the checks, in the order in which they are told."""

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any
from unittest import mock

import torch

from augbench.datasets.errors import UserError
from augbench.datasets.options.row import resolve
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Fold
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError, Finding, raised, run_checks
from augbench.methods.conformance.method_walk import (
    AFTER,
    Moment,
    Subject,
    Walk,
    follow,
    kind_of,
    trail,
)
from augbench.methods.conformance.options import describe_options
from augbench.methods.conformance.planted import planted_fold
from augbench.methods.conformance.shown import first_difference, loaded
from augbench.methods.options.row import MethodRow
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.training.method import DoesNotFitError, Trained

METHODS_OF_A_METHOD = ("step", "artifact", "learned", "state_dict", "load_state_dict")
OPENED = {"pretrain", "validate", "evaluate"}  # the harness opens the others
MOST_STOPS = 8
WHAT_IT_IS = {"eeg": "EEG", "image": "images"}


@dataclass(frozen=True)
class Case:
    """A method, and one undisturbed run of it that the checks share."""

    subject: Subject

    @cached_property
    def _run(self) -> tuple[Walk, list[Moment]]:
        walk = self.subject.start()
        return walk, trail(walk)

    @property
    def walk(self) -> Walk:
        return self._run[0]

    @property
    def moments(self) -> list[Moment]:
        """After 0 steps, after 1 and so on."""
        return self._run[1]

    @property
    def n_steps(self) -> int:
        return len(self.moments) - 1


def check_method(name: str, row: MethodRow, options: Any = None) -> Iterator[Finding]:
    """Whether a method keeps its promises, on a tiny task of a kind that it is for.

    ``options`` are by default the method's own.
    """
    kind: Kind = "eeg" if "eeg" in row.kinds else "image"
    case = Case(Subject(name, row, options, kind))
    with generators.seeded(generators.UNUSUAL):
        yield from run_checks(CHECKS, case, needed=("options", "contract"))


def contract(case: Case) -> str:
    """It is built, steps, and shows what its row says."""
    method = case.subject.start().method
    missing = [each for each in METHODS_OF_A_METHOD if not callable(getattr(method, each, None))]
    if missing:
        raise BrokenError(
            f"build() returns a {type(method).__name__} without {', '.join(missing)}: the contract "
            "is in augbench/methods/training/method.py"
        )
    if method.artifact() is not None:
        raise BrokenError("artifact() shows something before the first step: return None there")
    artifact = case.walk.method.artifact(last=True)
    ends_in = case.subject.row.ends_in
    if kind_of(artifact) != ends_in:
        raise BrokenError(
            f"its row says that it ends in a {ends_in}, but artifact(last=True) is "
            f"{kind_of(artifact)}: change one of them (a model is a Trained)"
        )
    if isinstance(artifact, Trained) and not _is_share(artifact.valid):
        raise BrokenError(f"the metric of its model is {artifact.valid!r}; it has to be in [0, 1]")
    if isinstance(artifact, Policy):
        bank = case.walk.setup.bank
        if from_json(json.loads(json.dumps(to_json(artifact, bank))), bank) != artifact:
            raise BrokenError("its policy is another one when it is read from JSON")
    end = "then it ends" if case.walk.done else "and could go on"
    return f"it shows a {ends_in}; {case.n_steps} steps were taken, {end}"


def _is_share(value: object) -> bool:
    return isinstance(value, float) and isfinite(value) and 0 <= value <= 1


def learned_is_json(case: Case) -> str:
    """What is recorded beside an artifact can be written and read, after every step."""
    if case.walk.no_json:
        raise BrokenError(
            f"{case.walk.no_json}: give plain JSON alone (float(x), x.tolist(), None)"
        )
    learned = case.walk.method.learned()
    if "layers" in learned and "loss" not in learned:
        raise BrokenError("learned() has `layers` and no `loss`: add the last epoch's mean loss")
    return f"plain JSON: {', '.join(learned) or 'nothing'}"


def resumes(case: Case) -> str:
    """Stopped after any step, a fresh one goes on from the file with the same bits."""
    stops = _spread(case.n_steps)
    for stop in stops:
        fresh = case.subject.start()
        try:
            state = loaded(case.moments[stop].state)
        except Exception as error:  # it refuses all that pickle would run
            brief = str(error).partition("\n")[0][:200]
            raise BrokenError(
                f"the state after step {stop} cannot be loaded from a file ({brief}): "
                "state_dict() may hold tensors, numbers, texts, lists and dicts alone"
            ) from None
        with generators.seeded(100 + stop):  # whoever goes on has other global generators
            fresh.method.load_state_dict(state)
            for n_more in range(min(AFTER, case.n_steps - stop) + 1):
                if n_more:
                    fresh.step()
                where = first_difference(case.moments[stop + n_more].seen, fresh.look())
                if where is not None:
                    when = f"{n_more} steps later" if n_more else "at once"
                    raise BrokenError(
                        f"stopped after step {stop} and loaded into a fresh one, it is another "
                        f"{when}, first in {where!r}: state_dict() has to hold all that the next "
                        "step depends on, and load_state_dict() to put it back"
                    )
    return f"stopped after {_listed(stops)} steps, it goes on with the same bits"


def _spread(n: int) -> list[int]:
    """Steps 0 to n - 1, or some of them, the first and the last included."""
    if n <= MOST_STOPS:
        return list(range(n))
    return sorted({round(each * (n - 1) / (MOST_STOPS - 1)) for each in range(MOST_STOPS)})


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def seed_decides(case: Case) -> str:
    """The same seed gives the same numbers, whatever else happens; another seed gives others."""
    n, expected = case.n_steps, case.moments[-1].seen
    with generators.seeded(7):
        silent = first_difference(expected, follow(case.subject.start(), n))
    if silent is not None:
        with generators.seeded(7):
            again = first_difference(expected, trail(case.subject.start())[-1].seen)
        if again is not None:
            raise BrokenError(
                f"two runs with one seed differ, first in {again!r}: draw all that is random from "
                "setup.seeds, as in setup.seeds.generator('name', step)"
            )
        raise BrokenError(
            f"it goes another way when nobody looks at it between the steps, first in {silent!r}: "
            "artifact(), learned() and state_dict() must change nothing, and step() may not rely "
            "on the model still being in the mode that it was left in"
        )
    if first_difference(expected, follow(case.subject.start(seed=1), n)) is None:
        raise BrokenError(
            "another seed gives the very same numbers: draw all that is random from setup.seeds"
        )
    return f"the same after {n} steps for the same seed, another for another"


def generators_are_left(case: Case) -> str:
    """The global generators are nobody's to touch."""
    touched = case.walk.touched
    if touched:  # once more: what a library does at its first import is no fault of the method
        with generators.seeded(
            generators.UNUSUAL + 1
        ):  # not the state that a fixed seed may have left
            again = case.subject.start()
            trail(again)
        touched = again.touched
    if touched:
        told = ", ".join(f"{name} ({when})" for name, when in touched.items())
        raise BrokenError(
            f"it draws from or seeds a global generator: {told}; draw from setup.seeds.generator, "
            "and where a library takes none, put the block under global_seed of datasets/seeds.py"
        )
    return f"{', '.join(generators.states())} are as they were"


def costs_are_told(case: Case) -> str:
    """The meter is told the samples that the trunks saw, in a phase."""
    meter = case.walk.meter
    for what in ("forward", "backward"):
        if meter.seen["outside", what] or meter.told["outside", what]:
            raise BrokenError(
                f"samples go {what} outside of the steps, where no phase is open: "
                "build() and artifact() may train and score nothing"
            )
        for phase in sorted({phase for phase, _ in (*meter.seen, *meter.told)}):
            told, seen = meter.told[phase, what], meter.seen[phase, what]
            if told != seen:
                raise BrokenError(
                    f"in phase {phase!r} it tells {told} samples {what}, and hooks on its trunks "
                    f"saw {seen}: call setup.meter.count(forward=..., backward=...) for each batch"
                )
    if set(meter.opened) - OPENED - {"search"}:
        wrong = sorted(set(meter.opened) - OPENED - {"search"})
        raise BrokenError(
            f"it opens the phase {wrong[0]!r}; a method opens {', '.join(sorted(OPENED))}, and "
            "what is in none of them is its search"
        )
    if meter.phases != ["outside"]:
        raise BrokenError(
            "a phase that it opens stays open after a step: use `with setup.meter.phase(...):`"
        )
    n = sum(n for (_, what), n in meter.seen.items() if what == "forward")
    return f"{n} samples went forward through its trunks, and it told of as many"


def test_split_is_unknown(case: Case) -> str:
    """Nothing that it shows depends on the test split."""
    n, expected = case.n_steps, case.moments[-1].seen
    case.walk.fold = planted_fold(case.subject.kind, 4)  # else two test splits would lie in memory
    gc.collect()
    with _folds_noted() as made:
        walk = case.subject.start(test=4)
        made.clear()  # the one of the check itself
        where = first_difference(expected, follow(walk, n))
        fresh = len(made)
        made.clear()
        _rebuild(case, walk)
    if where is not None:
        raise BrokenError(
            f"what it shows depends on the test split, first in {where!r}: it may use setup.views "
            "alone, which has none"
        )
    if fresh or made:
        raise BrokenError(
            "it takes a fold of a task for itself, the test split with it: "
            "it may use setup.views alone"
        )
    return "what it shows is the same beside another test split"


def _rebuild(case: Case, walk: Walk) -> None:
    """Build the method once more from the same setup."""
    resolve(case.subject.row.build)(walk.setup, case.subject.options)


@contextmanager
def _folds_noted() -> Iterator[list[str]]:
    """Note each fold that is made inside the block: a method has no need of any."""
    made: list[str] = []
    new = Fold.__new__

    def noted(cls: type[Fold], *parts: Any, **named: Any) -> Fold:
        made.append("a fold")
        return new(cls, *parts, **named)

    with mock.patch.object(Fold, "__new__", noted):
        yield made


def inputs_are_left(case: Case) -> str:
    """Examples, labels and initial weights are as they were."""
    walk = case.walk
    before = planted_fold(case.subject.kind).views
    for name, view, given in zip(before._fields, before, walk.setup.views, strict=True):
        for what, old, new in zip(("x", "y"), view, given, strict=True):
            if not torch.equal(old, new):
                raise BrokenError(
                    f"it changes {what} of setup.views.{name} in place: clone() what you change"
                )
    return "examples and labels are as they were"


def kinds_fit(case: Case) -> str:
    """It can be built for the kinds of signal of its row, and refuses the others as it should."""
    row = case.subject.row
    for kind, words in WHAT_IT_IS.items():
        try:
            walk = case.subject.start(kind=kind)  # type: ignore[arg-type]
            if kind in row.kinds:
                walk.step()
                walk.look()
        except DoesNotFitError as error:
            if kind in row.kinds:
                raise BrokenError(
                    f"its row says that it is for {words}, but build() refuses them ({error}): "
                    "change `kinds` of the row"
                ) from None
            continue
        except UserError:
            if kind in row.kinds:
                raise
            continue
        except Exception as error:
            if kind in row.kinds:
                raise
            raise BrokenError(
                f"its row says that it is not for {words}, and there {raised(error)}: let build() "
                "raise a DoesNotFitError, and a suite skips such trials"
            ) from None
        if kind not in row.kinds:
            raise BrokenError(
                f"its row says that it is not for {words}, but build() takes them: raise a "
                "DoesNotFitError there, and a suite skips such trials"
            )
    return f"it takes {' and '.join(WHAT_IT_IS[kind] for kind in row.kinds)}"


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
