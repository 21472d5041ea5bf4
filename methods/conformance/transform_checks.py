"""What a transform promises: the checks, in the order in which they are told."""

from collections.abc import Callable, Iterator, Mapping

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import Finding, raised, run_checks
from augbench.methods.conformance.transform_case import SIGNALS, WHAT_IT_IS, Case
from augbench.methods.conformance.transform_contract import (
    any_device,
    contract,
    pickles,
    shape_and_type_are_kept,
)
from augbench.methods.conformance.transform_gradient import gradient_is_as_declared
from augbench.methods.conformance.transform_noise import (
    each_sample_has_its_magnitude,
    equal_noise_gives_equal_results,
    input_is_left,
    noise_is_of_each_sample,
)
from augbench.methods.conformance.transform_strength import (
    magnitude_0_is_the_identity,
    strength_grows,
)
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.transform import Builder


def check_transform(name: str, build: Builder) -> Iterator[Finding]:
    """Whether a transform keeps its promises, on each kind of signal that it can be built for."""
    refused: dict[Kind, Exception] = {}
    n_built = 0
    for kind, signal in SIGNALS.items():
        if name in (IMAGE if kind == "eeg" else EEG):
            continue
        try:
            build(signal)
        except Exception as error:  # of another package, which may be for the other kind
            refused[kind] = error
            continue
        n_built += 1
        with generators.seeded(generators.UNUSUAL):
            for each in run_checks(CHECKS, Case(name, build, signal), needed=("contract",)):
                yield each._replace(about=f"{each.about} on {WHAT_IT_IS[kind]}")
    for kind, why in refused.items():
        if not n_built or not isinstance(why, UserError):
            told = str(why) if isinstance(why, UserError) else raised(why)
            yield Finding(
                f"built for {WHAT_IT_IS[kind]}",
                False,
                f"{told}; a builder takes a Signal of a kind, and raises a UserError for the "
                "kinds that it is not for",
            )
        else:
            yield Finding(f"built for {WHAT_IT_IS[kind]}", True, f"it refuses: {why}")


CHECKS: Mapping[str, Callable[[Case], str]] = {
    "contract": contract,
    "identity": magnitude_0_is_the_identity,
    "noise": equal_noise_gives_equal_results,
    "noise by sample": noise_is_of_each_sample,
    "magnitude by sample": each_sample_has_its_magnitude,
    "shape": shape_and_type_are_kept,
    "device": any_device,
    "input": input_is_left,
    "strength": strength_grows,
    "gradient": gradient_is_as_declared,
    "pickle": pickles,
}
