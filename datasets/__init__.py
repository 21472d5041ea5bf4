"""What is learned: tasks with their folds, and the trunks that learn them."""

from datasets import arrays, digits, sinusoids, ssvep
from datasets.task import TaskRow

TASKS: dict[str, TaskRow] = {
    "sinusoids": TaskRow(sinusoids.SinusoidsOptions, sinusoids.sinusoids),
    "digits": TaskRow(digits.DigitsOptions, digits.digits),
    "ssvep": TaskRow(ssvep.SsvepOptions, ssvep.ssvep),
    "arrays": TaskRow(arrays.ArraysOptions, arrays.arrays),
}
