"""The methods that are compared, and the backend that they share."""

from importlib.metadata import entry_points

from datasets.errors import UserError
from methods import augnet, autoaugment, none, random_policy
from methods.method import MethodRow

METHODS: dict[str, MethodRow] = {
    "none": MethodRow(none.NoneOptions, none.build, "model"),
    "random_policy": MethodRow(random_policy.RandomPolicyOptions, random_policy.build, "policy"),
    "augnet": MethodRow(augnet.AugNetOptions, augnet.build, "model"),
    "autoaugment": MethodRow(autoaugment.AutoAugmentOptions, autoaugment.build, "policy"),
}


def known_methods() -> dict[str, MethodRow]:
    """Our methods and those that installed packages add: entry points that load to a `MethodRow`.

    Raises a UserError for an entry point that is no row, or that takes the name of another method.
    """
    rows = dict(METHODS)
    for entry in entry_points(group="augbench.methods"):
        row = entry.load()
        if not isinstance(row, MethodRow):
            raise UserError(
                f"method {entry.name!r} of entry point {entry.value!r} is a {type(row).__name__}; "
                "it has to be a methods.method.MethodRow"
            )
        if entry.name in rows:
            raise UserError(
                f"method {entry.name!r} of entry point {entry.value!r} has the name of another "
                "method; rename it or uninstall its package"
            )
        rows[entry.name] = row
    return rows
