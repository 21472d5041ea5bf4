"""AugNet: augmentation layers that are part of the network and learned from the training set."""

from collections.abc import Mapping
from functools import partial

from augbench.datasets.errors import UserError, require, unknown
from augbench.methods.layers.augnet import AugNet
from augbench.methods.options.end_to_end import AugNetOptions
from augbench.methods.policies.search_space import learnable_transforms
from augbench.methods.training.behind_layers import behind_layers
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.transforms.imported.build import probability_hint
from augbench.methods.transforms.transform import Transform

SENSORS = (
    "sign_flip",
    "channel_symmetry",
    "channel_shuffle",
    "channel_dropout",
    "rotation_x",
    "rotation_y",
    "rotation_z",
)
TIME_FREQUENCY = (
    "time_reverse",
    "time_mask",
    "gaussian_noise",
    "ft_surrogate",
    "frequency_shift",
    "band_stop",  # the paper leaves it out, since it has no gradient there; here it has one
)
GEOMETRIC = (
    "translate_x",
    "translate_y",
    "rotate",
    "shear_x",
    "shear_y",
    "horizontal_flip",
    "vertical_flip",
)
NON_GEOMETRIC = ("contrast", "brightness", "sample_pairing")
# The layers by default. Source: AugNet, sections 5.1 and 5.2; table 4 for what belongs to the
# sensors. OTHERS gets what the task lists beside these names, so that AugNet has the transforms
# that all other methods have: TIME_FREQUENCY for EEG, NON_GEOMETRIC for images.
BY_KIND = {
    "eeg": (SENSORS, TIME_FREQUENCY, TIME_FREQUENCY),
    "image": (NON_GEOMETRIC, GEOMETRIC, GEOMETRIC),
}
OTHERS = {"eeg": TIME_FREQUENCY, "image": NON_GEOMETRIC}


def build(setup: Setup, options: AugNetOptions) -> EndToEnd:
    """The trunk behind augmentation layers, all trained together on the training view.

    Raises a UserError for transforms that cannot be in a layer, and for numbers out of range.
    Source: AugNet, equations 2 and 3, section 3.4.
    """
    require(options, "warm_up", options.warm_up >= 0, "0 or more")
    require(options, "annealing", options.annealing >= 0, "0 or more")
    model = AugNet(
        setup.trunk(),
        layers=[[setup.bank[name] for name in names] for names in _layers(setup, options)],
        penalty=options.penalty,
        regularizer=options.regularizer,
        initial_magnitude=options.initial_magnitude,
        initial_weight=options.initial_weight,
        temperature=options.temperature,
        n_copies_train=options.n_copies_train,
        n_copies_test=options.n_copies_test,
        at_eval=options.at_eval,
    )
    return behind_layers(
        setup,
        model,
        options,
        penalty=None if options.regularizer == "none" else model.penalty,
        describe=model.describe,
        before_epoch=partial(_schedule, model, options),
    )


def _schedule(model: AugNet, options: AugNetOptions, epoch: int) -> None:
    """Set the temperature for an epoch, counted from 1, and whether the layers learn in it."""
    learning = epoch > options.warm_up
    passed = min(max(epoch - 1 - options.warm_up, 0), options.annealing)
    share = passed / options.annealing if options.annealing else 1.0
    for layer in model.augmentation_layers:
        layer.temperature.fill_(options.temperature**share)
        layer.requires_grad_(learning)


def _layers(setup: Setup, options: AugNetOptions) -> tuple[tuple[str, ...], ...]:
    if options.layers is None:
        return _default_layers(setup)
    if not options.layers or not all(options.layers):
        raise UserError("AugNet needs at least one layer, and a transform in each; see `layers`")
    for name in (name for names in options.layers for name in names):
        _check_transform(name, setup.bank)
    return options.layers


def _default_layers(setup: Setup) -> tuple[tuple[str, ...], ...]:
    """Every transform of the task that passes a gradient, in the layers of `BY_KIND`."""
    usable = [transform.name for transform in learnable_transforms(setup.bank)]
    groups, with_others = BY_KIND[setup.signal.kind], OTHERS[setup.signal.kind]
    known = {name for group in groups for name in group}
    others = tuple(name for name in usable if name not in known)
    layers = []
    for group in groups:
        listed = tuple(name for name in group if name in usable)
        layers.append(listed + others if group == with_others else listed)
    return tuple(layer for layer in layers if layer)


def _check_transform(name: str, bank: Mapping[str, Transform]) -> None:
    if name not in bank:
        raise unknown("transform", name, bank)
    if bank[name].gradient == "none":
        usable = [each for each, row in bank.items() if row.gradient != "none"]
        raise UserError(
            f"transform {name!r} passes no gradient to its magnitude, so AugNet cannot learn it; "
            f"take it out of `layers`{probability_hint(bank[name])}; "
            f"usable here: {', '.join(usable) or 'none'}"
        )
