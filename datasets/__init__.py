"""What is learned: tasks with their folds, and the trunks that learn them."""

from augbench.datasets.options import margins
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.tasks import (
    ArraysOptions,
    Cifar10Options,
    DigitsOptions,
    ImagesOptions,
    MarioIggyOptions,
    MassOptions,
    RecordingsOptions,
    SimulatedOptions,
    SinusoidsOptions,
    SleepEdfOptions,
    SsvepOptions,
)
from augbench.datasets.plugins import Rows

_HERE = "augbench.datasets"

TASKS: dict[str, TaskRow] = {
    "sinusoids": TaskRow(
        SinusoidsOptions,
        f"{_HERE}.sinusoids:sinusoids",
        kinds=("eeg",),
        margin=margins.of_sinusoids,
    ),
    "mario_iggy": TaskRow(
        MarioIggyOptions,
        f"{_HERE}.mario_iggy:mario_iggy",
        kinds=("image",),
        margin=margins.of_mario_iggy,
    ),
    "digits": TaskRow(DigitsOptions, f"{_HERE}.digits:digits", None, ("image",)),
    "cifar10": TaskRow(
        Cifar10Options, f"{_HERE}.cifar10:cifar10", f"{_HERE}.cifar10:fetch_cifar10", ("image",)
    ),
    "ssvep": TaskRow(SsvepOptions, f"{_HERE}.ssvep:ssvep", f"{_HERE}.ssvep:fetch_ssvep", ("eeg",)),
    "sleep_edf": TaskRow(
        SleepEdfOptions,
        f"{_HERE}.sleep_edf:sleep_edf",
        f"{_HERE}.sleep_edf:fetch_sleep_edf",
        ("eeg",),
    ),
    "mass": TaskRow(MassOptions, f"{_HERE}.mass:mass", f"{_HERE}.mass:fetch_mass", ("eeg",)),
    "simulated": TaskRow(SimulatedOptions, f"{_HERE}.simulated:simulated", kinds=("eeg",)),
    "recordings": TaskRow(RecordingsOptions, f"{_HERE}.recordings:recordings", kinds=("eeg",)),
    "images": TaskRow(ImagesOptions, f"{_HERE}.images:images", kinds=("image",)),
    "arrays": TaskRow(ArraysOptions, f"{_HERE}.arrays:arrays"),
}


def known_tasks() -> Rows[TaskRow]:
    """Our tasks, and those that installed packages add."""
    return Rows(TASKS, "augbench.tasks", lambda row: isinstance(row, TaskRow), "a TaskRow")
