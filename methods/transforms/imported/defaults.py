"""What a name alone means: the usual augmentations of each library, their parameters and ranges."""

from typing import NamedTuple

from augbench.methods.options.imported import ImportedOptions
from augbench.methods.transforms.transform import Gradient


class Default(NamedTuple):
    """What stands for a name of which a suite says no more, and the gradient that it has."""

    described: ImportedOptions
    gradient: Gradient
    draws_strength: bool = False


def _drives(
    parameter: str,
    low: float | tuple[float, ...],
    high: float | tuple[float, ...],
    gradient: Gradient = "path",
    *,
    draws_strength: bool = True,
    **options: object,
) -> Default:
    return Default(ImportedOptions(parameter, (low, high), options), gradient, draws_strength)


def _applies(**options: object) -> Default:
    return Default(ImportedOptions(options=options), "relaxed")


DEFAULTS: dict[str, Default] = {
    "kornia.RandomRotation": _drives("degrees", 0.0, 30.0),
    "kornia.RandomPerspective": _drives("distortion_scale", 0.0, 0.5, draws_strength=False),
    "kornia.RandomThinPlateSpline": _drives("scale", 0.0, 0.3, draws_strength=False),
    "kornia.RandomBrightness": _drives("brightness", 0.0, 0.5),
    "kornia.RandomContrast": _drives("contrast", 0.0, 0.5),
    "kornia.RandomSaturation": _drives("saturation", 0.0, 0.9),
    "kornia.RandomHue": _drives("hue", 0.0, 0.5),
    "kornia.RandomGamma": _drives("gamma", (1.0, 1.0), (0.5, 1.5)),
    "kornia.RandomSharpness": _drives("sharpness", (1.0, 1.0), (0.0, 3.0)),
    "kornia.ColorJitter": _applies(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    "kornia.RandomGaussianBlur": _drives("sigma", 0.1, 2.0, kernel_size=[5, 5]),
    "kornia.RandomGaussianNoise": _drives("std", 0.0, 0.2, draws_strength=False),
    "kornia.RandomGaussianIllumination": _drives("gain", 0.0, 0.5),
    "kornia.RandomErasing": _drives("scale", 0.0, 0.33, "none"),
    "kornia.RandomPosterize": _drives("bits", 8.0, 1.0, "none"),
    "kornia.RandomHorizontalFlip": _applies(),
    "kornia.RandomVerticalFlip": _applies(),
    "kornia.RandomGrayscale": _applies(),
    "kornia.RandomInvert": _applies(),
    "kornia.RandomAutoContrast": _applies(),
    "kornia.RandomMedianBlur": _applies(kernel_size=[3, 3]),
    "kornia.RandomResizedCrop": _applies(scale=[0.5, 1.0]),
    "braindecode.FTSurrogate": _drives("phase_noise_magnitude", 0.0, 1.0, "none"),
    "braindecode.FrequencyShift": _drives("max_delta_freq", 0.0, 5.0, "none"),
    "braindecode.GaussianNoise": _drives("std", 0.0, 0.2, "none", draws_strength=False),
    "braindecode.SmoothTimeMask": _drives("mask_len_samples", 1.0, 100.0, "none"),
    "braindecode.BandstopFilter": _drives("bandwidth", 0.1, 2.0, "none", draws_strength=False),
    "braindecode.ChannelsDropout": _drives("p_drop", 0.0, 1.0, "none", draws_strength=False),
    "braindecode.ChannelsShuffle": _drives("p_shuffle", 0.0, 1.0, "none", draws_strength=False),
    "braindecode.SensorsXRotation": _drives("max_degrees", 0.0, 30.0, "none"),
    "braindecode.SensorsYRotation": _drives("max_degrees", 0.0, 30.0, "none"),
    "braindecode.SensorsZRotation": _drives("max_degrees", 0.0, 30.0, "none"),
    "braindecode.TimeReverse": _applies(),
    "braindecode.SignFlip": _applies(),
    "braindecode.ChannelsSymmetry": _applies(),
}


def described(name: str) -> ImportedOptions:
    """What a name alone means; applied with a probability if it is not in the table."""
    return DEFAULTS[name].described if name in DEFAULTS else ImportedOptions()
