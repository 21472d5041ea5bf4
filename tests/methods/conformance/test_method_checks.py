"""The checks of a method: all of ours pass, and each way to break a promise is named."""

import gc
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets import TASKS
from augbench.datasets.options.row import resolve
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.task import Fold
from augbench.methods import METHODS
from augbench.methods.conformance import generators
from augbench.methods.conformance.method_checks import CHECKS, check_method
from augbench.methods.options.row import MethodRow
from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import DoesNotFitError, Setup, Trained
from little_method import Little, Options, row_of


@pytest.mark.parametrize("name", METHODS)
def test_our_methods_pass(name: str) -> None:
    findings = list(check_method(name, METHODS[name]))
    assert [each for each in findings if not each.kept] == []
    assert [each.about for each in findings] == list(CHECKS)
    assert all(each.text for each in findings)


def failed(row: MethodRow) -> dict[str, str]:
    """What fails, and the words."""
    return {each.about: each.text for each in check_method("mine", row) if not each.kept}


def test_a_method_written_out_passes() -> None:
    assert failed(row_of(Little)) == {}


def test_checking_leaves_the_global_generators_as_they_were() -> None:
    before = generators.states()
    failed(row_of(SeedsTorch))
    assert generators.touched(before, generators.states()) == []


class ForgetsTheOptimizer(Little):
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "optimizer": None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict({**state, "optimizer": self.optimizer.state_dict()})


class ForgetsANumber(Little):
    def load_state_dict(self, state: dict[str, Any]) -> None:
        rate = self.rate
        super().load_state_dict(state)
        self.rate = rate


class KeepsANumberBeside(Little):
    """Of which neither the state nor anything else tells, until it acts."""

    late = 0

    def step(self) -> bool:
        self.late += 1
        if self.late == 4:
            self.rate *= 0.5
        return super().step()


class SavesAnObject(Little):
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "options": self.options}


@pytest.mark.parametrize("cls", [ForgetsTheOptimizer, ForgetsANumber, KeepsANumberBeside])
def test_a_state_that_is_forgotten_is_named(cls: type) -> None:
    told = failed(row_of(cls))
    assert set(told) == {"resume"}
    assert "loaded into a fresh one, it is another" in told["resume"]
    assert "state_dict() has to hold all" in told["resume"]


def test_a_state_that_no_file_takes_is_named() -> None:
    told = failed(row_of(SavesAnObject))
    assert "cannot be loaded from a file" in told["resume"]


class TellsNothing(Little):
    def tell(self, n: int) -> None:
        pass


class TellsHalf(Little):
    def tell(self, n: int) -> None:
        self.setup.meter.count(forward=n, backward=n // 2, steps=1)


class LooksTwice(Little):
    def learned(self) -> dict[str, Any]:
        self.model.eval()
        with torch.no_grad():
            loss = self.model(self.setup.views.train.x).mean().item()
        return {"loss": loss}


class TrainsWhileItIsBuilt(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        super().__init__(setup, options)
        self.model(setup.views.train.x)
        self.model = setup.trunk()
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-2)


class OpensARetraining(Little):
    def step(self) -> bool:
        with self.setup.meter.phase("retrain"):
            return super().step()


class LeavesAPhaseOpen(Little):
    def step(self) -> bool:
        done = super().step()
        if self.epoch == 3:
            self.kept = self.setup.meter.phase("pretrain")
            self.kept.__enter__()
        return done


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (TellsNothing, r"in phase 'search' it tells 0 samples forward, .* saw \d+: call"),
        (TellsHalf, r"tells \d+ samples backward, and hooks on its trunks saw"),
        (LooksTwice, "outside of the steps, where no phase is open"),
        (TrainsWhileItIsBuilt, "outside of the steps, where no phase is open"),
        (OpensARetraining, "opens the phase 'retrain'"),
        (LeavesAPhaseOpen, "a phase that it opens stays open after a step"),
    ],
)
def test_costs_that_are_not_told_are_named(cls: type, words: str) -> None:
    told = failed(row_of(cls))
    assert re.search(words, told["costs"])


class SeedsTorch(Little):
    def step(self) -> bool:
        torch.manual_seed(self.epoch)
        return super().step()


class SeedsAlwaysAlike(Little):
    def step(self) -> bool:
        random.seed(0)
        return super().step()


class DrawsFromNumpy(Little):
    def order(self, n: int) -> torch.Tensor:
        return torch.from_numpy(np.random.permutation(n))  # noqa: NPY002


class DrawsFromPython(Little):
    def learned(self) -> dict[str, Any]:
        random.random()
        return super().learned()


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (SeedsTorch, "torch"),
        (SeedsAlwaysAlike, "random"),
        (DrawsFromNumpy, "numpy.random"),
        (DrawsFromPython, "random"),
    ],
)
def test_a_global_generator_that_is_touched_is_named(cls: type, name: str) -> None:
    told = failed(row_of(cls))["global generators"]
    assert f"a global generator: {name} (" in told
    assert "setup.seeds.generator" in told


def test_numbers_that_no_seed_decides_are_named() -> None:
    assert "two runs with one seed differ" in failed(row_of(DrawsFromNumpy))["seed"]


class IgnoresTheSeed(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        super().__init__(setup, options)
        for parameter in self.model.parameters():
            torch.nn.init.constant_(parameter, 0.1)

    def order(self, n: int) -> torch.Tensor:
        return torch.arange(n)

    def step(self) -> bool:
        self.model.drop = torch.nn.Identity()  # type: ignore[assignment]
        return super().step()


def test_a_seed_that_decides_nothing_is_named() -> None:
    assert "another seed gives the very same" in failed(row_of(IgnoresTheSeed))["seed"]


class ForgetsToTrain(Little):
    """Its first look leaves the model in evaluation mode."""

    def step(self) -> bool:
        train, self.model.train = self.model.train, lambda mode=True: self.model  # type: ignore
        try:
            return super().step()
        finally:
            self.model.train = train  # type: ignore[method-assign]


class LearnsWhenLookedAt(Little):
    def artifact(self, *, last: bool = False) -> Trained | None:
        self.rate *= 0.99
        return super().artifact()


@pytest.mark.parametrize("cls", [ForgetsToTrain, LearnsWhenLookedAt])
def test_a_look_that_changes_something_is_named(cls: type) -> None:
    told = failed(row_of(cls))
    assert "when nobody looks at it" in told["seed"]


class FindsTheTestSplit(Little):
    """In the memory of the process."""

    def step(self) -> bool:
        for each in gc.get_objects():
            if isinstance(each, Fold):
                self.rate *= 1 + 0.1 * float(each.test.x.mean())
        return super().step()


class LooksIntoFrames(Little):
    def step(self) -> bool:
        frame: Any = sys._getframe()
        while frame is not None:
            for value in frame.f_locals.values():
                fold = getattr(value, "fold", None)
                if isinstance(fold, Fold):
                    self.rate *= 1 + 0.1 * float(fold.test.x.mean())
            frame = frame.f_back
        return super().step()


class BuildsATask(Little):
    def step(self) -> bool:
        build = resolve(TASKS["sinusoids"].build)
        task = build(SinusoidsOptions(n_train=40, n_test=8), Path(), 0)
        self.loss = float(task.fold(0).test.x.mean())
        return super().step()


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (FindsTheTestSplit, "depends on the test split"),
        (LooksIntoFrames, "depends on the test split"),
        (BuildsATask, "takes a fold of a task for itself"),
    ],
)
def test_a_test_split_that_is_reached_is_named(cls: type, words: str) -> None:
    told = failed(row_of(cls))["test split"]
    assert words in told
    assert "setup.views alone" in told


class ChangesLabels(Little):
    def step(self) -> bool:
        self.setup.views.train.y[:3] = 0
        return super().step()


class ScalesExamples(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        super().__init__(setup, options)
        setup.views.model_valid.x.mul_(0.5)


@pytest.mark.parametrize(
    ("cls", "what"), [(ChangesLabels, "y of setup.views.train"), (ScalesExamples, "x of setup.vi")]
)
def test_inputs_that_are_changed_in_place_are_named(cls: type, what: str) -> None:
    assert f"it changes {what}" in failed(row_of(cls))["inputs"]


class MovesWhileScored(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        super().__init__(setup, options)
        self.model.register_forward_hook(self._count)

    def _count(self, module: torch.nn.Module, *rest: object) -> None:
        module.norm.num_batches_tracked += 1


def test_weights_that_move_while_they_are_scored_are_named() -> None:
    told = failed(row_of(MovesWhileScored))
    assert "'norm.num_batches_tracked' change while the model is scored" in told["contract"]


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        ({"loss": torch.tensor(0.5)}, "learned()['loss'] is a Tensor"),
        ({"loss": float("nan")}, "learned()['loss'] is nan"),
        ({"loss": np.float32(1)}, "learned()['loss'] is a float32"),
        ({"a": [{"b": (1, 2)}]}, "learned()['a'][0]['b'] is a tuple"),
        ({1: 2}, "has the key 1, which is no text"),
        ({"layers": []}, "has `layers` and no `loss`"),
        ([1], "learned() is a list and no dict"),
    ],
)
def test_what_is_learned_and_is_no_json_is_named(learned: Any, words: str) -> None:
    class Tells(Little):
        def learned(self) -> dict[str, Any]:
            found: dict[str, Any] = learned
            return found

    told = failed(row_of(Tells))
    assert set(told) == {"learned"}
    assert words in told["learned"]


def test_what_is_no_json_after_one_step_alone_is_named() -> None:
    class Tells(Little):
        def learned(self) -> dict[str, Any]:
            return {"rate": torch.ones(1) if self.epoch == 2 else self.rate}

    told = failed(row_of(Tells))
    assert "learned()['rate'] is a Tensor after step 2: give plain JSON" in told["learned"]


class Raises(Little):
    def step(self) -> bool:
        raise ValueError("not today")


class ReturnsNothing(Little):
    def step(self) -> bool:
        super().step()
        return None  # type: ignore[return-value]


class ShowsNothing(Little):
    def step(self) -> bool:
        self.epoch += 1
        return False

    def artifact(self, *, last: bool = False) -> None:
        return None


class ShowsAPolicy(Little):
    def artifact(self, *, last: bool = False) -> Any:
        return Policy() if self.epoch else None


class ShowsTooSoon(Little):
    def artifact(self, *, last: bool = False) -> Trained | None:
        return Trained(self.model, self.valid)


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Raises, "it raises ValueError: not today (test_method_checks.py, line "),
        (ReturnsNothing, "step() returns None"),
        (ShowsNothing, "artifact() was None after each"),
        (ShowsAPolicy, "says that it ends in a model, but artifact(last=True) is policy"),
        (ShowsTooSoon, "before the first step"),
        (Options, "it raises TypeError"),
    ],
)
def test_what_breaks_the_contract_is_named_and_the_rest_is_left(cls: type, words: str) -> None:
    told = failed(row_of(cls))
    assert set(told) == {"contract", "the others"}
    assert words in told["contract"]


def test_a_method_without_its_functions_is_named() -> None:
    told = failed(row_of(lambda setup, options: object()))  # type: ignore[arg-type]
    assert "build() returns a object without step, artifact, learned" in told["contract"]


@dataclass
class Loose:
    epochs: int = 5


@dataclass(frozen=True)
class WithoutDefault:
    epochs: int


@pytest.mark.parametrize(
    ("options", "words"),
    [(Loose, "write @dataclass(frozen=True)"), (WithoutDefault, "epochs has no default")],
)
def test_options_that_a_suite_cannot_use_are_named(options: type, words: str) -> None:
    told = failed(row_of(Little, options=options))
    assert words in told["options"]


class RefusesImages(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        if setup.signal.kind == "image":
            raise DoesNotFitError("mine is for EEG")
        super().__init__(setup, options)


class FailsOnImages(Little):
    def __init__(self, setup: Setup, options: Options) -> None:
        if not setup.signal.channels:
            raise KeyError("channels")
        super().__init__(setup, options)


def test_a_kind_that_is_refused_by_a_traceback_is_named() -> None:
    told = failed(row_of(FailsOnImages, kinds=("eeg",)))["signals"]
    assert "it raises KeyError: 'channels' (test_method_checks.py, line " in told
    assert "let build() raise a DoesNotFitError" in told


def test_kinds_that_the_row_and_the_builder_see_otherwise_are_named() -> None:
    assert "change `kinds` of the row" in failed(row_of(RefusesImages))["signals"]
    assert failed(row_of(RefusesImages, kinds=("eeg",))) == {}
    told = failed(row_of(Little, kinds=("eeg",)))
    assert "raise a DoesNotFitError" in told["signals"]
