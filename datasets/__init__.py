"""What is learned: tasks with their folds, and the trunks that learn them."""

from augbench.datasets import arrays, cifar10, digits, mario_iggy, sinusoids, ssvep
from augbench.datasets.plugins import with_plugins
from augbench.datasets.task import TaskRow

TASKS: dict[str, TaskRow] = {
    "sinusoids": TaskRow(sinusoids.SinusoidsOptions, sinusoids.sinusoids),
    "mario_iggy": TaskRow(mario_iggy.MarioIggyOptions, mario_iggy.mario_iggy),
    "digits": TaskRow(digits.DigitsOptions, digits.digits),
    "cifar10": TaskRow(cifar10.Cifar10Options, cifar10.cifar10, cifar10.fetch_cifar10),
    "ssvep": TaskRow(ssvep.SsvepOptions, ssvep.ssvep, ssvep.fetch_ssvep),
    "arrays": TaskRow(arrays.ArraysOptions, arrays.arrays),
}


def known_tasks() -> dict[str, TaskRow]:
    """Our tasks, and those that installed packages add; raises a UserError for a bad row."""
    return with_plugins(TASKS, "augbench.tasks", lambda row: isinstance(row, TaskRow), "a TaskRow")
