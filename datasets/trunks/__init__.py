"""The networks that learn the tasks: functions of a signal and a number of classes, by name."""

from functools import partial

from augbench.datasets.trunks import eeg, image
from augbench.datasets.trunks.mlp import mlp
from augbench.datasets.trunks.pre_act_resnet import pre_act_resnet18
from augbench.datasets.trunks.trunk import Trunk

TRUNKS: dict[str, Trunk] = {
    "freq_net": eeg.freq_net,
    "mlp": partial(mlp, widths=(64,)),
    # The four of the capacity study, section 4.3: neurons a layer.
    "mlp_1": partial(mlp, widths=(1,)),
    "mlp_2": partial(mlp, widths=(2,)),
    "mlp_2_2": partial(mlp, widths=(2, 2)),
    "mlp_2_2_2": partial(mlp, widths=(2, 2, 2)),
    "eegnet": eeg.eegnet,
    "sleep_stager": eeg.sleep_stager,
    "conv_net": image.conv_net,
    "conv_net_8": partial(image.conv_net, n_filters=8),  # a quarter of it, for a CPU
    "small_conv_net": image.small_conv_net,
    "layer13": image.layer13,
    "pre_act_resnet18": pre_act_resnet18,
    "pre_act_resnet18_16": partial(pre_act_resnet18, n_filters=16),
}
