"""What a task takes where its data are the user's: a trunk and a bank that fit the signal."""

import warnings

from augbench.datasets import banks
from augbench.datasets.electrodes import electrode, no_mirror, unplaced
from augbench.datasets.errors import UserNotice
from augbench.datasets.task import Signal


def fitting_bank(signal: Signal, where: str) -> tuple[str, ...]:
    """The transforms for the signal; a UserNotice names those that its channels do not allow."""
    if signal.kind == "image":
        return banks.IMAGE
    lost = unplaced(signal.channels)
    midline = bool(signal.channels) and not lost and on_midline(signal.channels)
    one_sided = no_mirror(signal.channels) if signal.channels and not lost else ""
    left_out: tuple[str, ...] = banks.NEEDS_POSITIONS
    why = ""
    if lost:
        why = (
            "need a place of its own on the head for each channel; these have none: "
            f"{', '.join(lost)} (give 10-20 names, or pick channels with the option channels)"
        )
    elif midline:
        why = (
            f"need channels beside the midline; {', '.join(signal.channels)} lie on it, so that a "
            "mirror changes nothing and few turns can be told apart"
        )
    elif one_sided:
        left_out, why = ("channel_symmetry",), f"does nothing here: {one_sided}"
    if why and signal.n_channels > 1:
        warnings.warn(
            f"the transforms of {where} are without {', '.join(left_out)}, which {why}",
            UserNotice,
            stacklevel=4,
        )
    return banks.eeg_bank(
        positions=bool(signal.channels) and not lost and not midline,
        mirror=not one_sided,
        sampling_rate=signal.sampling_rate,
        n_channels=signal.n_channels,
    )


def on_midline(channels: tuple[str, ...]) -> bool:
    """Whether all electrodes lie between left and right: Fpz, Cz, Oz and the like."""
    return all((electrode(name) or "").endswith("Z") for name in channels)


def fitting_trunk(signal: Signal) -> str:
    """A row of TRUNKS that can take the signal."""
    if signal.kind == "image":
        side = min(signal.shape[1:])
        return "conv_net" if side >= 32 else "small_conv_net" if side >= 4 else "mlp"
    # Chambon's network is made for windows of some 30 s, EEGNet for trials of a few.
    if signal.sampling_rate and signal.n_times / signal.sampling_rate >= 20:
        return "sleep_stager"
    return "eegnet" if signal.n_times >= 27 else "mlp"
