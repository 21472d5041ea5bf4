"""EEGNet of braindecode, with its first three layers in an order that is faster on a CPU.

They are a convolution of time, a batch norm and a combination of the channels, and all of them are
linear once the statistics of the batch norm are known. So the channels can be combined first: two
signals for each filter are convolved in place of eight, or of however many there are. The
statistics follow from the mean and the covariance of all windows of the input.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIRST_LAYERS = ("conv_temporal", "bnorm_temporal", "conv_spatial")
LEAST_SIGNALS = 16  # windows x channels; below, torch's own convolutions are faster


class MaxNormConv2d(nn.Conv2d):
    """A convolution whose filters are scaled down to norm 1 where they exceed it, in forward.

    braindecode 0.8.1 overwrites ``weight.data`` in every forward instead. That is hidden from
    autograd, forbidden inside torch.func, and leaves an inference tensor behind.
    """

    def filters(self) -> Tensor:
        """The scaled weight."""
        norm = self.weight.flatten(1).norm(dim=1).clamp(min=1.0).reshape(-1, 1, 1, 1)
        scaled: Tensor = self.weight / norm
        return scaled

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.filters(), self.bias, groups=self.groups)


class EEGNet(nn.Sequential):
    """(B, C, T) -> (B, K), from the layers of braindecode's network, by their names."""

    conv_temporal: nn.Conv2d
    bnorm_temporal: nn.BatchNorm2d
    conv_spatial: MaxNormConv2d
    conv_separable_depth: nn.Conv2d

    def forward(self, x: Tensor) -> Tensor:
        layers = dict(self.named_children())
        products = _suits_products(x)
        if products:
            x = self._first_layers(x)
            for name in ("ensuredims", "dimshuffle", *FIRST_LAYERS):
                del layers[name]
        depthwise = self.conv_separable_depth
        for layer in layers.values():
            if products and layer is depthwise:
                x = convolve_by_blocks(x, depthwise.weight.flatten(1), int(depthwise.padding[1]))
            else:
                x = layer(x)
        return x

    def _first_layers(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, F, 1, T'), as FIRST_LAYERS one after the other."""
        n, n_channels, _ = x.shape
        kernels = self.conv_temporal.weight.flatten(1)
        padding = int(self.conv_temporal.padding[1])
        mean, variance = self._statistics(x, kernels, padding)
        norm = self.bnorm_temporal
        scale = norm.weight * (variance + norm.eps).rsqrt()
        spatial = self.conv_spatial.filters().view(len(kernels), -1, n_channels)
        combined = torch.bmm(spatial.flatten(0, 1).expand(n, -1, -1), x)
        outputs = convolve_by_blocks(
            combined.view(n, *spatial.shape[:2], -1), kernels * scale[:, None], padding
        )
        shift = (norm.bias - mean * scale)[:, None] * spatial.sum(2)
        return (outputs + shift[..., None]).flatten(1, 2).unsqueeze(2)

    def _statistics(self, x: Tensor, kernels: Tensor, padding: int) -> tuple[Tensor, Tensor]:
        """Mean and variance of each output of the first convolution, (F,); the batch norm's."""
        norm = self.bnorm_temporal
        if not norm.training and norm.running_mean is not None and norm.running_var is not None:
            return norm.running_mean, norm.running_var
        mean, covariance, n = window_moments(x.flatten(0, 1), kernels.shape[1], padding)
        # A narrow band of loud signals is a small difference of large numbers: in float64.
        exact = kernels.double()
        means = exact @ mean
        variances = ((exact @ covariance) * exact).sum(1)
        _keep(norm, means.detach(), variances.detach() * (n / (n - 1)))
        return means.to(kernels.dtype), variances.to(kernels.dtype)


def _keep(norm: nn.BatchNorm2d, means: Tensor, unbiased: Tensor) -> None:
    """Update the running statistics, unless `torch.func.replace_all_batch_norm_modules_` took them.

    Each is (F,).
    """
    if norm.running_mean is None or norm.running_var is None:
        return
    assert norm.momentum is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(means.to(norm.running_mean.dtype), norm.momentum)
    norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), norm.momentum)


def _suits_products(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and x.ndim == 3
        and x.shape[0] * x.shape[1] >= LEAST_SIGNALS
        and not torch.compiler.is_compiling()
    )


def convolve_by_blocks(x: Tensor, kernels: Tensor, padding: int) -> Tensor:
    """(B, F, D, T), (F, K) -> (B, F, D, T'): each of F signals with its own kernel.

    In blocks of P >= K outputs, which depend on two blocks of the input.
    """
    n, n_filters, depth, n_times = x.shape
    n_taps = kernels.shape[1]
    n_outputs = n_times + 2 * padding - n_taps + 1
    n_blocks = max(1, n_outputs // n_taps)
    size = max(n_taps, -(-n_outputs // n_blocks))
    x = F.pad(x.transpose(0, 1), (padding, (n_blocks + 1) * size - n_times - padding))
    band = _shifted_rows(kernels[:, None].expand(-1, size, -1), 2 * size).transpose(1, 2)
    both = torch.cat([band[:, :size], band[:, size:]], dim=2)
    products = torch.bmm(x.reshape(n_filters, -1, size), both)
    first, second = products.view(n_filters, n, depth, -1, 2 * size).split(size, dim=4)
    outputs: Tensor = (first[:, :, :, :-1] + second[:, :, :, 1:]).flatten(3)
    return outputs[..., :n_outputs].transpose(0, 1)


def window_moments(x: Tensor, n_taps: int, padding: int) -> tuple[Tensor, Tensor, int]:
    """(S, T) -> mean (K,) and covariance (K, K) of all windows of K samples, and their number.

    In float64, of the zero-padded signals.
    """
    n_starts = x.shape[1] + 2 * padding - n_taps + 1
    n = len(x) * n_starts
    # In blocks of K samples. The last one is of zeros, so that signals can follow one another.
    n_blocks = -(-(x.shape[1] + 2 * padding) // n_taps) + 1
    x = F.pad(x, (padding, n_blocks * n_taps - x.shape[1] - padding)).double()
    mean = x[:, : n_starts + n_taps - 1].sum(0).unfold(0, n_starts, 1).sum(1) / n
    # Products of each sample with those 0 to K - 1 later. Each of the last K - 1 starts no window.
    blocks = x.reshape(-1, n_taps)
    pairs = torch.cat([blocks.T @ blocks, blocks[:-1].T @ blocks[1:]], dim=1)
    head, tail = x[:, : n_taps - 1], x[:, n_starts : n_starts + n_taps - 1]
    late = _by_lag(tail.T @ tail, n_taps)
    first = _by_lag(pairs, n_taps).sum(0) - late.sum(0)
    # From a sample of the windows to the next, one product leaves and another one comes.
    change = (late - _by_lag(head.T @ head, n_taps)).cumsum(0)
    lags = torch.cat([first[None], first + change])
    upper = _shifted_rows(lags, 2 * n_taps - 1)[:, :n_taps]
    second = (upper + upper.triu(1).T) / n
    return mean, second - torch.outer(mean, mean), n


def _shifted_rows(x: Tensor, width: int) -> Tensor:
    """(..., N, K) -> (..., N, width >= N + K - 1): row i, moved i to the right, among zeros."""
    n, n_columns = x.shape[-2:]
    flat = F.pad(x, (0, width + 1 - n_columns)).flatten(-2)
    return flat[..., : n * width].reshape(*x.shape[:-1], width)


def _by_lag(products: Tensor, n_lags: int) -> Tensor:
    """(N, M) -> (N, L): element d of row i is element i + d of it, or 0."""
    n, n_columns = products.shape
    flat = F.pad(F.pad(products, (0, n_lags)).flatten(), (0, n))
    return flat.view(n, n_columns + n_lags + 1)[:, :n_lags]
