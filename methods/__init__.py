"""The methods that are compared, and the backend that they share."""

from augbench.datasets.plugins import with_plugins
from augbench.methods import (
    adda,
    augerino,
    augnet,
    autoaugment,
    dada,
    fast_autoaugment,
    faster_autoaugment,
    fixed,
    none,
    randaugment,
    random_policy,
    random_search,
    trivialaugment,
)
from augbench.methods.training.method import MethodRow

METHODS: dict[str, MethodRow] = {
    "none": MethodRow(none.NoneOptions, none.build, "model"),
    "fixed": MethodRow(fixed.FixedOptions, fixed.build, "model"),
    "randaugment": MethodRow(randaugment.RandAugmentOptions, randaugment.build, "model"),
    "trivialaugment": MethodRow(
        trivialaugment.TrivialAugmentOptions, trivialaugment.build, "model"
    ),
    "random_policy": MethodRow(random_policy.RandomPolicyOptions, random_policy.build, "policy"),
    "augnet": MethodRow(augnet.AugNetOptions, augnet.build, "model"),
    "augerino": MethodRow(augerino.AugerinoOptions, augerino.build, "model"),
    "random_search": MethodRow(random_search.RandomSearchOptions, random_search.build, "policy"),
    "autoaugment": MethodRow(autoaugment.AutoAugmentOptions, autoaugment.build, "policy"),
    "fast_autoaugment": MethodRow(
        fast_autoaugment.FastAutoAugmentOptions, fast_autoaugment.build, "policy"
    ),
    "faster_autoaugment": MethodRow(
        faster_autoaugment.FasterAutoAugmentOptions, faster_autoaugment.build, "policy"
    ),
    "dada": MethodRow(dada.DadaOptions, dada.build, "policy"),
    "adda": MethodRow(adda.AddaOptions, adda.build, "policy"),
    "cadda": MethodRow(adda.AddaOptions, adda.build_class_wise, "policy"),
}


def known_methods() -> dict[str, MethodRow]:
    """Our methods, and those that installed packages add; raises a UserError for a bad row."""
    return with_plugins(
        METHODS, "augbench.methods", lambda row: isinstance(row, MethodRow), "a MethodRow"
    )
