"""The model that averages over copies which layers have augmented."""

from collections.abc import Iterable

import torch
from torch import Generator, Tensor, nn

from augbench.methods.layers.argument_checks import check_copies, check_logits


class AveragedModel(nn.Module):
    """Augment, forward, aggregate: the mean over copies of the logits of a trunk.

    ``model(x, generator)``: (B, ...) -> (B, n_classes), with the noise as in `AugmentationLayer`.

    Raises a UserError for a number of copies below 1, or a trunk that gives no row per example.

    Source: AugNet, section 3.2 and figure 1.
    """

    def __init__(
        self,
        layers: Iterable[nn.Module],  # each takes a batch and a generator
        trunk: nn.Module,
        *,
        n_copies_train: int = 1,
        n_copies_test: int = 4,
    ) -> None:
        super().__init__()
        check_copies("n_copies_train", n_copies_train)
        check_copies("n_copies_test", n_copies_test)
        self.layers = nn.ModuleList(layers)
        self.trunk = trunk
        self.n_copies_train, self.n_copies_test = n_copies_train, n_copies_test

    @property
    def n_copies(self) -> int:
        """How many copies of a sample the trunk sees in the current mode."""
        return self.n_copies_train if self.training else self.n_copies_test

    def extra_repr(self) -> str:
        """How many copies are averaged."""
        return f"n_copies_train={self.n_copies_train}, n_copies_test={self.n_copies_test}"

    def augment(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """(B, ...) -> (n_copies * B, ...), copy by copy, each with noise of its own."""
        if self.n_copies > 1:
            x = torch.cat([x] * self.n_copies)
        for layer in self.layers:
            x = layer(x, generator)
        return x

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        logits = self.trunk(self.augment(x, generator))
        check_logits(logits, self.n_copies * len(x))
        # Logits for any number of copies. The official code averages log-softmaxes instead when
        # there is more than one copy: they differ from this by a number per sample, which neither
        # cross-entropy nor argmax sees.
        mean: Tensor = logits.unflatten(0, (self.n_copies, -1)).mean(0)
        return mean
