"""A first suite for own data: methods of each kind, with short searches, that runs as it is."""

import json
from collections.abc import Sequence
from typing import NamedTuple

STEPS = 2000  # of a training, about
FEWEST_EPOCHS, MOST_EPOCHS = 10, 50
BATCHES = ((400, 16), (2000, 32), (10_000, 64))  # examples up to which a batch has this size
LARGEST_BATCH = 128

# For AugNet: transforms that belong together share a layer.
LAYERS = {
    "eeg": (
        ("time_mask", "gaussian_noise", "time_reverse"),
        ("ft_surrogate", "frequency_shift", "band_stop"),
        ("channel_dropout", "channel_shuffle", "channel_symmetry"),
    ),
    "image": (
        ("translate_x", "translate_y", "rotate", "shear_x", "shear_y"),
        ("brightness", "contrast"),
    ),
}
# What any signal of a kind allows, where no task has been built.
SAFE = {
    "eeg": ("time_mask", "gaussian_noise", "ft_surrogate"),
    "image": ("translate_x", "translate_y", "rotate", "brightness"),
}


class Starter(NamedTuple):
    """What a suite is written of."""

    label: str
    lines: Sequence[str]  # of the table of the task
    n_folds: int  # how many to run
    kind: str  # "eeg" or "image"
    transforms: Sequence[str]  # that the task has
    n_train: int | None  # examples; None where they are not known yet


def training_numbers(n_train: int | None) -> tuple[int, int]:
    """Epochs and the size of a batch: about `STEPS` steps, within reason."""
    if n_train is None:
        return 30, 32
    batch = next((size for most, size in BATCHES if n_train <= most), LARGEST_BATCH)
    epochs = round(STEPS / max(1, -(-n_train // batch)))
    return min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS), batch


def starter_suite(of: Starter, command: str) -> str:
    """The text of a suite; ``command`` measures how long it takes."""
    epochs, batch = training_numbers(of.n_train)
    known = "" if of.n_train is None else f" of {-(-of.n_train // batch)} steps"
    return "\n".join(
        [
            "# How long it takes on this machine:",
            f"#     {command}",
            f"name = {text(of.label)}",
            f"folds = {of.n_folds}",
            "seeds = [0]  # [0, 1, 2] says how much a result depends on chance",
            "",
            f"[tasks.{of.label}]",
            f"# At most {epochs} epochs{known}; a third of them without gain end a training.",
            f"training = {{ epochs = {epochs}, patience = {max(3, epochs // 3)}, "
            f"batch_size = {batch} }}",
            *of.lines,
            "",
            "[methods.none]  # what any augmentation has to beat",
            "",
            "[methods.random_policy]  # policies that are drawn: what any search has to beat",
            "n_policies = 3",
            "",
            "[methods.augnet]  # learns how strong each transform is while the network learns",
            f"layers = {json.dumps(_layers(of.kind, of.transforms))}",
            "",
            "[methods.fast_autoaugment]  # a search on a network that is trained once",
            f"pretrain_epochs = {epochs}",
            "n_samplings = 50  # 500 by default",
            "samplings_per_point = 25",
            "",
            "[methods.dada]  # a search by gradients",
            f"epochs = {epochs // 2}  # 100 by default",
            f"epochs_per_point = {-(-epochs // 4)}",
            "",
        ]
    )


def text(value: str) -> str:
    """A basic string of TOML."""
    return json.dumps(value, ensure_ascii=False)


def _layers(kind: str, transforms: Sequence[str]) -> list[list[str]]:
    found = [[name for name in layer if name in transforms] for layer in LAYERS[kind]]
    return [layer for layer in found if layer]
