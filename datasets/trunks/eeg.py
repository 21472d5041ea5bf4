"""Trunks for EEG, which is (B, C, T)."""

from collections import OrderedDict
from math import ceil

from torch import nn

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.datasets.trunks.eegnet import EEGNet, MaxNormConv2d
from augbench.datasets.trunks.sleep_stager import SleepStager
from augbench.datasets.trunks.trunk import require


def freq_net(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, T) -> (B, K), two narrow convolutions and a mean over time.

    Raises UserError for images and signals below 99 samples. Source: AugNet, table 2.
    """
    # Table 2 says 3 samples; the official code has 100, which see a whole period of every wave.
    first_kernel = 100
    require("freq_net", signal, "eeg", first_kernel - 1)
    return nn.Sequential(
        nn.Conv1d(signal.n_channels, 2, first_kernel, padding=1),
        nn.BatchNorm1d(2),
        nn.ReLU(),
        nn.Conv1d(2, 2, 3, padding=1),
        nn.BatchNorm1d(2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(2, n_classes),
    )


def eegnet(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, T) -> (B, K), a compact network for brain-computer interfaces.

    Raises UserError for images and signals below 27 samples.
    Source: Lawhern et al. 2018, braindecode's EEGNetv4.
    """
    require("eegnet", signal, "eeg", 27)
    from braindecode.models import EEGNetv4  # its import takes seconds

    # Versions below 0.8 ended in log_softmax; 0.8.1 does so only if add_log_softmax is set.
    theirs = EEGNetv4(n_chans=signal.n_channels, n_outputs=n_classes, n_times=signal.n_times)
    network = EEGNet(OrderedDict(theirs.named_children()))
    network.conv_spatial = MaxNormConv2d(
        theirs.conv_spatial.in_channels,
        theirs.conv_spatial.out_channels,
        (signal.n_channels, 1),
        groups=theirs.conv_spatial.groups,
        bias=False,
    )
    nn.init.xavier_uniform_(network.conv_spatial.weight)  # as braindecode does
    # Theirs is 0.01. On small data the running statistics are then still near their start when
    # training ends: on ssvep, validation stayed at chance (0.25) for 10 epochs. With 0.1 it rises.
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return network


def sleep_stager(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, T) -> (B, K), spatial filters, then two temporal convolutions.

    Raises UserError for images, an unknown sampling rate, and signals too short for both poolings.
    Source: AugNet, table 3; Chambon et al. 2018.
    """
    rate = signal.sampling_rate
    if signal.kind == "eeg" and rate < 8:
        raise UserError(
            f"trunk 'sleep_stager' measures its kernels in seconds and was given {rate:g} Hz as "
            "the sampling rate: give the true one, or choose another trunk"
        )
    kernel, pad, pool = (ceil(seconds * rate) for seconds in (0.5, 0.25, 0.125))
    shrunk = kernel - 1 - 2 * pad  # samples that a padded convolution costs
    require("sleep_stager", signal, "eeg", pool * (pool + shrunk) + shrunk)
    return SleepStager(
        signal.n_channels,
        signal.n_times,
        n_classes,
        kernel=kernel,
        padding=pad,
        pool=pool,
        dropout=0.5,  # table 3; the official code left braindecode's 0.25
    )
