"""The methods that are compared, and the backend that they share."""

from importlib.metadata import entry_points

from datasets.errors import UserError
from methods import augnet, autoaugment, none, random_policy
from methods.method import MethodRow

GROUP = "augbench.methods"  # the entry points under which other packages add rows

METHODS: dict[str, MethodRow] = {
    "none": MethodRow(none.NoneOptions, none.build, "model"),
    "random_policy": MethodRow(random_policy.RandomPolicyOptions, random_policy.build, "policy"),
    "augnet": MethodRow(augnet.AugNetOptions, augnet.build, "model"),
    "autoaugment": MethodRow(autoaugment.AutoAugmentOptions, autoaugment.build, "policy"),
}


def known_methods() -> dict[str, MethodRow]:
    """Our methods and those that installed packages add: entry points that load to a `MethodRow`.

    Raises a UserError for one that cannot be imported, is no row, or takes the name of another.
    """
    rows = dict(METHODS)
    for entry in entry_points(group=GROUP):
        origin = f"method {entry.name!r} of the entry point {entry.value!r}"
        if entry.name in rows:
            raise UserError(f"{origin} takes a name that is in use: rename or uninstall it")
        try:
            row = entry.load()
        except Exception as error:  # third-party code may raise anything at import
            raise UserError(
                f"{origin} cannot be imported ({type(error).__name__}: {error}): "
                "mend or uninstall it"
            ) from error
        if not isinstance(row, MethodRow):
            raise UserError(f"{origin} is a {type(row).__name__}; it must be a MethodRow")
        rows[entry.name] = row
    return rows
