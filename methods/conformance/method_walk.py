"""A method on the tiny fold, step by step, and what was seen of it after each step."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from augbench.datasets.errors import UserError
from augbench.datasets.options.row import resolve
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Fold
from augbench.methods.conformance import generators
from augbench.methods.conformance.counting_meter import CountingMeter
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.plain_json import not_json
from augbench.methods.conformance.planted import ALL, FEW, planted_fold, planted_setup
from augbench.methods.conformance.shown import Flat, flat, saved, shown
from augbench.methods.options.row import MethodRow
from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import Method, Setup, Trained
from augbench.methods.training.training import predict

MOST = 100  # steps in which a method has to show something
LEAST = 4  # steps of a longer method that are looked at
AFTER = 2  # steps after the first artifact
N_SCORED = 7  # samples


@dataclass
class Walk:
    """A method that is built and can step. The fold stays alive: its test split is in memory."""

    method: Method
    setup: Setup
    meter: CountingMeter
    fold: Fold
    n_steps: int = 0
    done: bool = False
    touched: dict[str, str] = field(default_factory=dict)  # global generators, and when
    no_json: str = ""  # what JSON cannot hold of what it learned, and when

    def step(self) -> None:
        """Take one step as the harness does: in the phase of the search."""
        before = generators.states()
        with self.meter.phase("search"):
            done = self.method.step()
        self._note(before, f"step {self.n_steps + 1}")
        if not isinstance(done, bool):
            raise BrokenError(
                f"step() returns {done!r}; it has to return True after the last step, else False"
            )
        self.n_steps += 1
        self.done = done

    def look(self) -> Flat:
        """All that the harness sees, the logits of a model included, which are scored in between.

        Raises a BrokenError where scoring moves the weights of the model.
        """
        before = generators.states()
        found = shown(self.method)
        self.no_json = self.no_json or self._odd_learned()
        artifact = self.method.artifact()
        if isinstance(artifact, Trained):
            x = self.setup.views.model_valid.x[:N_SCORED]
            with self.meter.phase("evaluate"):
                logits = predict(artifact.model, x, seed=1, meter=self.meter)
            found |= flat(logits, "/logits")
            after = flat({"artifact": {"model": dict(artifact.model.state_dict())}})
            moved = [key for key, value in after.items() if found.get(key) != value]
            if moved:
                raise BrokenError(
                    f"the weights {moved[0].removeprefix('/artifact/model/')!r} change while the "
                    "model is scored in evaluation mode: change nothing in forward() there"
                )
        self._note(before, f"artifact() and learned() after step {self.n_steps}")
        return found

    def _odd_learned(self) -> str:
        learned = self.method.learned()
        if not isinstance(learned, dict):
            return f"learned() is a {type(learned).__name__} and no dict"
        odd = not_json(learned, "learned()")
        return f"{odd} after step {self.n_steps}" if odd else ""

    def _note(self, before: dict[str, Any], when: str) -> None:
        for name in generators.touched(before, generators.states()):
            self.touched.setdefault(name, when)


class Moment(NamedTuple):
    """A method between two steps."""

    state: bytes  # as a checkpoint holds it
    seen: Flat


@dataclass(frozen=True)
class Subject:
    """A method's row with options, and the kind of signal that it is tried on."""

    name: str
    row: MethodRow
    given: Any  # options; None: the row's own
    kind: Kind

    @property
    def options(self) -> Any:
        return self.row.options() if self.given is None else self.given

    def start(self, *, seed: int = 0, test: int = 3, kind: Kind | None = None) -> Walk:
        """Build the method anew; ``test`` says which test split lies in memory meanwhile."""
        kind = kind or self.kind
        fold = planted_fold(kind, test)
        meter = CountingMeter()
        try:
            return self._start(fold, kind, meter, seed, FEW[kind])
        except UserError:  # it may name a transform that the few lack
            return self._start(fold, kind, CountingMeter(), seed, ALL[kind])

    def _start(
        self, fold: Fold, kind: Kind, meter: CountingMeter, seed: int, names: tuple[str, ...]
    ) -> Walk:
        setup = planted_setup(kind, fold.views, meter, seed, names)
        before = generators.states()
        method: Method = resolve(self.row.build)(setup, self.options)
        walk = Walk(method, setup, meter, fold)
        for name in generators.touched(before, generators.states()):
            walk.touched[name] = "while it is built"
        return walk


def trail(walk: Walk) -> list[Moment]:
    """Walk to the end of a method, or a little past its first artifact, and look at each step.

    Raises a BrokenError for a method that shows nothing in ``MOST`` steps.
    """
    moments = [_moment(walk)]
    first: int | None = None
    while not walk.done and not (first and walk.n_steps >= max(LEAST, first + AFTER)):
        if walk.n_steps == MOST:
            raise BrokenError(
                f"it has taken {MOST} steps, and artifact() was None after each: show a model or a "
                "policy now and then"
            )
        walk.step()
        moments.append(_moment(walk))
        if first is None and walk.method.artifact() is not None:
            first = walk.n_steps
    return moments


def follow(walk: Walk, n_steps: int) -> Flat:
    """Take steps without a look in between, and look at the end."""
    for _ in range(n_steps):
        walk.step()
    return walk.look()


def _moment(walk: Walk) -> Moment:
    return Moment(saved(walk.method.state_dict()), walk.look())


def kind_of(artifact: object) -> str:
    """A policy, a model, or what it is instead."""
    if isinstance(artifact, Policy):
        return "policy"
    if isinstance(artifact, Trained) and isinstance(artifact.model, torch.nn.Module):
        return "model"
    return f"a {type(artifact).__name__}"
