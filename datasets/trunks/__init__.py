"""The networks that learn the tasks: functions of a signal and a number of classes, by name."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from augbench.datasets.options.row import resolve
from augbench.datasets.options.tasks import Kind


class TrunkRow(NamedTuple):
    """A trunk: the kinds of signal that it takes, the function that builds it, its sizes.

    ``build``, ``module:function``, is imported at the first call, so that a suite can be checked
    without torch.
    """

    kinds: tuple[Kind, ...]
    build: str
    sizes: Mapping[str, Any] = {}

    def __call__(self, signal: Any, n_classes: int) -> Any:
        """Build the trunk for a `Signal`; a UserError if it is of another kind or too small."""
        return resolve(self.build)(signal, n_classes, **self.sizes)


_EEG = "augbench.datasets.trunks.eeg"
_IMAGE = "augbench.datasets.trunks.image"
_MLP = "augbench.datasets.trunks.mlp:mlp"
_RESNET = "augbench.datasets.trunks.pre_act_resnet:pre_act_resnet18"

TRUNKS: dict[str, TrunkRow] = {
    "freq_net": TrunkRow(("eeg",), f"{_EEG}:freq_net"),
    "mlp": TrunkRow(("eeg", "image"), _MLP, {"widths": (64,)}),
    # The four of the capacity study, section 4.3: neurons a layer.
    "mlp_1": TrunkRow(("eeg", "image"), _MLP, {"widths": (1,)}),
    "mlp_2": TrunkRow(("eeg", "image"), _MLP, {"widths": (2,)}),
    "mlp_2_2": TrunkRow(("eeg", "image"), _MLP, {"widths": (2, 2)}),
    "mlp_2_2_2": TrunkRow(("eeg", "image"), _MLP, {"widths": (2, 2, 2)}),
    "eegnet": TrunkRow(("eeg",), f"{_EEG}:eegnet"),
    "sleep_stager": TrunkRow(("eeg",), f"{_EEG}:sleep_stager"),
    "conv_net": TrunkRow(("image",), f"{_IMAGE}:conv_net"),
    "conv_net_8": TrunkRow(("image",), f"{_IMAGE}:conv_net", {"n_filters": 8}),  # for a CPU
    "small_conv_net": TrunkRow(("image",), f"{_IMAGE}:small_conv_net"),
    "layer13": TrunkRow(("image",), f"{_IMAGE}:layer13"),
    "airbench94": TrunkRow(("image",), "augbench.datasets.trunks.airbench:airbench94"),
    "pre_act_resnet18": TrunkRow(("image",), _RESNET),
    "pre_act_resnet18_16": TrunkRow(("image",), _RESNET, {"n_filters": 16}),
}
