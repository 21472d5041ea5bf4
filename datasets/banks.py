"""The transforms that make sense for each kind of signal, by name."""

NEEDS_SAMPLING_RATE = ("frequency_shift", "band_stop")
NEEDS_POSITIONS = ("channel_symmetry", "rotation_x", "rotation_y", "rotation_z")

# All 13 of table 4 of the paper, in its order: time, frequency, sensors.
EEG = (
    "time_reverse",
    "time_mask",
    "gaussian_noise",
    "ft_surrogate",
    "frequency_shift",
    "band_stop",
    "sign_flip",
    "channel_symmetry",
    "channel_shuffle",
    "channel_dropout",
    "rotation_x",
    "rotation_y",
    "rotation_z",
)

# Source: AugNet, section 4.1.
GEOMETRIC = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")

# A mirrored digit or letter is another sign, so horizontal_flip is not among them.
IMAGE = (*GEOMETRIC, "brightness", "contrast", "crop")

# The 16 of AutoAugment (Cubuk et al. 2019, table 6), and the usual flip and crop: a mirrored
# photograph shows the same thing.
PHOTOGRAPHS = (
    *GEOMETRIC,
    "auto_contrast",
    "invert",
    "equalize",
    "solarize",
    "posterize",
    "contrast",
    "saturation",
    "brightness",
    "sharpness",
    "cutout",
    "sample_pairing",
    "horizontal_flip",
    "crop",
)


# Hertz; at this rate and below, the spectrum has no room for a band of `band_stop`.
NO_BAND = 8.0


def eeg_bank(
    *, positions: bool, mirror: bool, sampling_rate: float, n_channels: int
) -> tuple[str, ...]:
    """The EEG transforms that a signal allows; ``sampling_rate`` is 0 if it is not known.

    ``mirror`` says whether some channels are the mirror images of others.
    """
    left_out: set[str] = set()
    if not positions:
        left_out |= set(NEEDS_POSITIONS)
    if not mirror:
        left_out.add("channel_symmetry")
    if not sampling_rate:
        left_out |= set(NEEDS_SAMPLING_RATE)
    if sampling_rate <= NO_BAND:
        left_out.add("band_stop")
    if n_channels == 1:  # there is nothing to shuffle, and a dropout would leave nothing
        left_out |= {"channel_shuffle", "channel_dropout", *NEEDS_POSITIONS}
    return tuple(name for name in EEG if name not in left_out)
