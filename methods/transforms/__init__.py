"""The transforms by name: each row builds one for a signal."""

from augbench.methods.transforms import (
    frequency_domain,
    geometry,
    intensity,
    overlay,
    rotation,
    sensors,
    time_domain,
    tone,
)
from augbench.methods.transforms.transform import Builder

EEG: dict[str, Builder] = {
    "time_reverse": time_domain.time_reverse,
    "time_mask": time_domain.time_mask,
    "gaussian_noise": time_domain.gaussian_noise,
    "ft_surrogate": frequency_domain.ft_surrogate,
    "frequency_shift": frequency_domain.frequency_shift,
    "band_stop": frequency_domain.band_stop,
    "sign_flip": sensors.sign_flip,
    "channel_symmetry": sensors.channel_symmetry,
    "channel_shuffle": sensors.channel_shuffle,
    "channel_dropout": sensors.channel_dropout,
    "rotation_x": rotation.rotation_x,
    "rotation_y": rotation.rotation_y,
    "rotation_z": rotation.rotation_z,
}

IMAGE: dict[str, Builder] = {
    "translate_x": geometry.translate_x,
    "translate_y": geometry.translate_y,
    "rotate": geometry.rotate,
    "shear_x": geometry.shear_x,
    "shear_y": geometry.shear_y,
    "horizontal_flip": geometry.horizontal_flip,
    "vertical_flip": geometry.vertical_flip,
    "crop": geometry.crop,
    "brightness": intensity.brightness,
    "contrast": intensity.contrast,
    "saturation": intensity.saturation,
    "sharpness": intensity.sharpness,
    "hue": intensity.hue,
    "invert": tone.invert,
    "auto_contrast": tone.auto_contrast,
    "equalize": tone.equalize,
    "solarize": tone.solarize,
    "posterize": tone.posterize,
    "cutout": overlay.cutout,
    "sample_pairing": overlay.sample_pairing,
}

TRANSFORMS: dict[str, Builder] = EEG | IMAGE
