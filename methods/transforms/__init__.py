"""The transforms by name: each row builds one for a signal."""

from methods.transforms import frequency_domain, image, rotation, sensors, time_domain
from methods.transforms.transform import Builder

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
    "translate_x": image.translate_x,
    "translate_y": image.translate_y,
    "rotate": image.rotate,
    "horizontal_flip": image.horizontal_flip,
    "brightness": image.brightness,
}

TRANSFORMS: dict[str, Builder] = EEG | IMAGE
