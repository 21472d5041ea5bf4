"""A fixed policy, chosen by hand: what everybody does when nothing is learned."""

import warnings
from math import pi

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import Kind
from augbench.methods.options.search_free import FixedOptions, Step
from augbench.methods.policies.policy import Policy, Subpolicy
from augbench.methods.policies.policy_json import read_subpolicy
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.transforms.transform import Transform

# In the unit of the transform. For images a crop: AugNet (section 5.1) also flips, but a mirrored
# traffic sign is another sign (accuracy .670 with flips, .744 without), and nothing here knows what
# the images show; a suite of photographs asks for the flip. For EEG each sample draws one
# transform, at the value that was best for this transform alone on Sleep-EDF:
# eeg-augmentation-benchmark-2022.
# At most what magnitude 1 is: 5.2 % of the window for the mask.
BY_KIND: dict[Kind, tuple[tuple[Step, ...], ...]] = {
    "image": ((("crop", 1.0, 0.125),),),
    "eeg": (
        (("frequency_shift", 0.5, 0.3),),
        (("ft_surrogate", 0.5, 0.8 * 2 * pi),),
        (("band_stop", 0.5, 1.2),),
        (("gaussian_noise", 0.5, 0.12),),
        (("time_mask", 0.5, 200.0),),
        (("channel_dropout", 0.5, 0.4),),
        (("channel_shuffle", 0.5, 0.8),),
        (("rotation_x", 0.5, 25.0),),
        (("rotation_y", 0.5, 9.0),),
        (("rotation_z", 0.5, 30.0),),
    ),
}


def build(setup: Setup, options: FixedOptions) -> EndToEnd:
    """The trunk, trained under the policy.

    Warns where the policy of `BY_KIND` meets the recordings that its values were chosen on. Raises
    a UserError for transforms that the task does not list, and numbers out of range.
    Source: AugNet, section 5.1, for images; eeg-augmentation-benchmark-2022 for EEG.
    """
    if options.subpolicies is None and _is_sleep_edf(setup):
        warnings.warn(
            "the values of `fixed` for EEG were chosen on subjects of Sleep-EDF, and this task has "
            "its channels: the test subjects may be among them; set `subpolicies` for a policy of "
            "your own",
            UserNotice,
            stacklevel=2,
        )
    subpolicies = _by_kind(setup) if options.subpolicies is None else options.subpolicies
    if not subpolicies:
        raise UserError(
            "the task lists no transform of the fixed policy; name some of its own in "
            f"`subpolicies`: {', '.join(setup.bank) or 'it has none'}"
        )
    return EndToEnd(retrain(setup, Policy(tuple(_read(each, setup) for each in subpolicies))))


def _is_sleep_edf(setup: Setup) -> bool:
    """Whether a channel is one of the two bipolar ones of Sleep-EDF, as files or we spell them."""
    names = {name.upper().removeprefix("EEG").strip() for name in setup.signal.channels}
    return bool(names & {"FPZ-CZ", "PZ-OZ"})


def _by_kind(setup: Setup) -> tuple[tuple[Step, ...], ...]:
    """The steps of the default whose transforms the task lists, with magnitudes."""
    present = [
        tuple(_with_magnitude(step, setup.bank[step[0]]) for step in steps if step[0] in setup.bank)
        for steps in BY_KIND[setup.signal.kind]
    ]
    return tuple(steps for steps in present if steps)


def _with_magnitude(step: Step, transform: Transform) -> Step:
    """The step with its value as a magnitude, at most 1."""
    if len(step) == 2:
        return step
    return (*step[:2], min(1.0, step[2] / transform.strongest))


def _read(steps: tuple[Step, ...], setup: Setup) -> Subpolicy:
    operations = [(*step, None)[:3] for step in steps]
    return read_subpolicy({"operations": operations, "weight": 1.0}, setup.bank)
