"""The methods that are compared, and the code that they share."""

from typing import TYPE_CHECKING

from augbench.datasets.lazy import lazy_names
from augbench.datasets.plugins import Rows
from augbench.methods.options.end_to_end import AugerinoOptions, AugNetOptions
from augbench.methods.options.gradients import AddaOptions, DadaOptions, FasterAutoAugmentOptions
from augbench.methods.options.proposals import (
    AutoAugmentOptions,
    FastAutoAugmentOptions,
    RandomSearchOptions,
)
from augbench.methods.options.row import MethodRow
from augbench.methods.options.search_free import (
    FixedOptions,
    NoneOptions,
    RandAugmentOptions,
    RandomPolicyOptions,
    TrivialAugmentOptions,
    UniformAugmentOptions,
)

_HERE = "augbench.methods"

METHODS: dict[str, MethodRow] = {
    "none": MethodRow(NoneOptions, f"{_HERE}.none:build", "model"),
    "fixed": MethodRow(FixedOptions, f"{_HERE}.fixed:build", "model"),
    "randaugment": MethodRow(RandAugmentOptions, f"{_HERE}.randaugment:build", "model"),
    "trivialaugment": MethodRow(TrivialAugmentOptions, f"{_HERE}.trivialaugment:build", "model"),
    "uniformaugment": MethodRow(UniformAugmentOptions, f"{_HERE}.uniformaugment:build", "model"),
    "random_policy": MethodRow(RandomPolicyOptions, f"{_HERE}.random_policy:build", "policy"),
    "augnet": MethodRow(AugNetOptions, f"{_HERE}.augnet:build", "model"),
    "augerino": MethodRow(AugerinoOptions, f"{_HERE}.augerino:build", "model", ("image",)),
    "random_search": MethodRow(RandomSearchOptions, f"{_HERE}.random_search:build", "policy"),
    "autoaugment": MethodRow(AutoAugmentOptions, f"{_HERE}.autoaugment:build", "policy"),
    "fast_autoaugment": MethodRow(
        FastAutoAugmentOptions, f"{_HERE}.fast_autoaugment:build", "policy"
    ),
    "faster_autoaugment": MethodRow(
        FasterAutoAugmentOptions, f"{_HERE}.faster_autoaugment:build", "policy"
    ),
    "dada": MethodRow(DadaOptions, f"{_HERE}.dada:build", "policy"),
    "adda": MethodRow(AddaOptions, f"{_HERE}.adda:build", "policy"),
    "cadda": MethodRow(AddaOptions, f"{_HERE}.adda:build_class_wise", "policy"),
}


def known_methods() -> Rows[MethodRow]:
    """Our methods, and those that installed packages add."""
    return Rows(METHODS, "augbench.methods", lambda row: isinstance(row, MethodRow), "a MethodRow")


if TYPE_CHECKING:  # for editors and type checkers, which do not run `lazy_names`
    from augbench.datasets.task import Signal
    from augbench.methods.layers.augnet import AugNet
    from augbench.methods.layers.averaged_model import AveragedModel
    from augbench.methods.layers.layer import AugmentationLayer
    from augbench.methods.layers.lie_layer import LieLayer
    from augbench.methods.policies.policy import Operation, Policy, Subpolicy
    from augbench.methods.policies.policy_table import PolicyTable
    from augbench.methods.policies.policy_transform import PolicyTransform
    from augbench.methods.policies.soft_policy import SoftPolicy
    from augbench.methods.training.method import Method, Setup, Trained
    from augbench.methods.training.training import Training
    from augbench.methods.transforms.bank import make_bank
    from augbench.methods.transforms.imported.build import import_transform
    from augbench.methods.transforms.transform import Transform

# The public names of the library, and the file of each, below this folder or by its whole name.
FILES = {
    "AugNet": "layers.augnet",
    "AugmentationLayer": "layers.layer",
    "AveragedModel": "layers.averaged_model",
    "LieLayer": "layers.lie_layer",
    "Method": "training.method",
    "Operation": "policies.policy",
    "Policy": "policies.policy",
    "PolicyTable": "policies.policy_table",
    "PolicyTransform": "policies.policy_transform",
    "Setup": "training.method",
    "Signal": "augbench.datasets.task",
    "SoftPolicy": "policies.soft_policy",
    "Subpolicy": "policies.policy",
    "Trained": "training.method",
    "Training": "training.training",
    "Transform": "transforms.transform",
    "import_transform": "transforms.imported.build",
    "make_bank": "transforms.bank",
}
__getattr__ = lazy_names(__name__, FILES)
__all__ = ["METHODS", "MethodRow", "known_methods", *FILES]
