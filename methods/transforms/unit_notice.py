"""EEG in another unit than that of its standard deviation."""

import warnings

from torch import Tensor

from augbench.datasets.errors import UserNotice

# Standard deviations that standardised EEG does not have, even where a batch is quiet or loud.
LEAST_DEVIATION, MOST_DEVIATION = 0.05, 20.0


def notice_unit(x: Tensor) -> None:
    """Warn of EEG (B, C, T) that is far from standardised, by the standard deviation of it all."""
    if not x.numel():
        return
    deviation = float(x.detach().float().std(correction=0))
    if 0 < deviation < LEAST_DEVIATION or deviation > MOST_DEVIATION:
        warnings.warn(
            f"x holds EEG with a standard deviation of {deviation:.3g}; transforms and trunks take "
            "it to be about 1 (noise is in standard deviations), unless all was learned in this "
            "unit: x = (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)",
            UserNotice,
            stacklevel=2,
        )
