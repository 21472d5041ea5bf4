"""The trunk of AugNet's table 3, SleepStagerChambon2018 of braindecode, faster."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augbench.datasets.forward_mode import is_in_forward_mode
from augbench.datasets.trunks.cuda_graph import is_recording
from augbench.datasets.trunks.pooled_convolution import convolve_and_pool

# Signals (windows x channels) that are convolved at a time, on a CPU: what is computed from them
# has to fit into its caches. Of 6 x 3000 samples, 64 windows in eight parts take 0.7 of the time
# that they take at once.
SIGNALS_AT_ONCE = 64
# Fewer are left to torch's own convolution: a product of matrices that narrow is slow.
LEAST_SIGNALS = 16
LEAST_POOL = 6  # outputs of each filter in one product


class SleepStager(nn.Module):
    """(B, C, T) -> (B, K): spatial filters, then twice a convolution of time and a maximum.

    Its parameters have the names, shapes and first values of braindecode's network.
    Source: Chambon et al. 2018.
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        kernel: int,  # samples, as padding and pool
        padding: int,
        pool: int,
        dropout: float,
        n_filters: int = 8,
    ) -> None:
        super().__init__()
        self.padding, self.pool = padding, pool
        if n_channels > 1:
            self.spatial_conv = nn.Conv2d(1, n_channels, (n_channels, 1))

        def convolution(n_in: int) -> list[nn.Module]:
            return [
                nn.Conv2d(n_in, n_filters, (1, kernel), padding=(0, padding)),
                nn.Identity(),  # where braindecode can have a batch norm
                nn.ReLU(),
                nn.MaxPool2d((1, pool)),
            ]

        self.feature_extractor = nn.Sequential(*convolution(1), *convolution(n_filters))
        for _ in range(2):
            n_times = (n_times + 2 * padding - kernel + 1) // pool
        self.final_layer = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(n_filters * n_channels * n_times, n_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        n_signals = x.shape[0] * x.shape[1]
        if self._suits_products(x, n_signals):
            parts = (x,) if x.is_cuda else x.chunk(-(-n_signals // SIGNALS_AT_ONCE))
            features = torch.cat([self._features_by_products(part) for part in parts])
        else:
            features = self._features(x)
        logits: Tensor = self.final_layer(features)
        return logits

    def _suits_products(self, x: Tensor, n_signals: int) -> bool:
        return (
            (x.device.type == "cpu" or is_recording())
            and x.dtype in (torch.float32, torch.float64)
            and n_signals >= LEAST_SIGNALS
            and self.pool >= LEAST_POOL
            and not torch.compiler.is_compiling()
            and not is_in_forward_mode()
        )

    def _features(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, F), by torch's own convolutions."""
        x = x.unsqueeze(1)
        if x.shape[2] > 1:
            x = self.spatial_conv(x).transpose(1, 2)
        features: Tensor = self.feature_extractor(x).flatten(1)
        return features

    def _features_by_products(self, x: Tensor) -> Tensor:
        """(B, C, T) -> (B, F), the same ones; inside, time comes first and the batch last."""
        n, n_channels, _ = x.shape
        if n_channels > 1:
            mix, bias = self.spatial_conv.weight, self.spatial_conv.bias
            assert bias is not None
            x = torch.baddbmm(bias.view(-1, 1), mix.view(1, n_channels, -1).expand(n, -1, -1), x)
        x = F.pad(x, (self.padding, self.padding)).view(n * n_channels, 1, -1).permute(2, 1, 0)
        first, second = (each for each in self.feature_extractor if isinstance(each, nn.Conv2d))
        x = self._convolution(x, first)
        x = self._convolution(F.pad(x, (0, 0, 0, 0, self.padding, self.padding)), second)
        return x.reshape(*x.shape[:2], n, n_channels).permute(2, 1, 3, 0).flatten(1)

    def _convolution(self, x: Tensor, layer: nn.Conv2d) -> Tensor:
        """(T, C, S) -> (n, F, S), with pooling and ReLU."""
        assert layer.bias is not None
        largest = convolve_and_pool(x, layer.weight.squeeze(2), self.pool)
        # Both of these keep the order of numbers, so they can follow the maximum.
        return (largest + layer.bias.view(-1, 1)).relu()
