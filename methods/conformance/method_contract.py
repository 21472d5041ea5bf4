"""What a method is: it steps, shows what its row says, and takes the signals that it names."""

import json
from math import isfinite

from augbench.datasets.errors import UserError
from augbench.methods.conformance.finding import BrokenError, raised
from augbench.methods.conformance.method_case import Case
from augbench.methods.conformance.method_walk import (
    kind_of,
)
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.training.method import DoesNotFitError, Trained

METHODS_OF_A_METHOD = ("step", "artifact", "learned", "state_dict", "load_state_dict")
WHAT_IT_IS = {"eeg": "EEG", "image": "images"}


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
