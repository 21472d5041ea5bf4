"""AugNet as a module of anybody's own: augmentation layers in front of a network."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isfinite
from typing import Any, get_args

import torch.nn.functional as F
from torch import Generator, Tensor, nn

from augbench.datasets.errors import UserError, require, unknown
from augbench.datasets.task import Signal
from augbench.methods.layers.layer import (
    AugmentationLayer,
    AveragedModel,
    magnitude_norm,
)
from augbench.methods.options.end_to_end import AtEval, AugNetOptions, Regularizer
from augbench.methods.transforms.bank import NO_RANGES, make_bank
from augbench.methods.transforms.imported.build import probability_hint
from augbench.methods.transforms.transform import Transform

LayerContent = AugmentationLayer | Sequence[str | Transform]


class AugNet(AveragedModel):
    """A network behind layers that augment its input, and that learn how together with it.

        model = AugNet(trunk, layers=[["time_mask", "gaussian_noise"], ["channel_dropout"]],
                       signal=Signal("eeg", (8, 640), channels, sampling_rate=128.0))
        loss = model.loss(model(x), y)

    ``model(x)``: (B, C, T) or (B, C, H, W) -> (B, n_classes), the mean logits of ``n_copies_train``
    copies of each sample, or of ``n_copies_test`` in evaluation mode, each augmented by itself.
    EEG has to be standardised, about mean 0 and deviation 1; images lie in [0, 1], so that a
    normalisation belongs into the trunk. Any optimizer will do: nothing has to be called after its
    steps (see `AugmentationLayer`). ``model.layers`` and ``model.trunk`` hold the parameters, for
    learning rates of their own.

    Each layer is a list of names (``augbench transforms`` lists them) or `Transform`s, or an
    `AugmentationLayer`. ``signal`` says what an example is; only names need it. ``ranges`` changes
    what the largest magnitude of a transform means, in its unit. ``penalty`` is the paper's lambda:
    the larger, the more is augmented. The other options are those of `AugNetOptions`.

    Raises a UserError for an unknown transform, one for other signals, one that passes no gradient
    to its magnitude, a number out of range, or x that does not fit the signal.

    Source: AugNet, equations 2 and 3, section 3.4.
    """

    def __init__(
        self,
        trunk: nn.Module,
        *,
        layers: Iterable[LayerContent],
        signal: Signal | None = None,
        ranges: Mapping[str, float] = NO_RANGES,
        penalty: float = 0.2,
        regularizer: Regularizer = "selective",
        initial_magnitude: float = 0.1,
        initial_weight: float = 1.0,
        temperature: float = 0.01,
        n_copies_train: int = 1,
        n_copies_test: int = 4,
        at_eval: AtEval = "blend",
    ) -> None:
        self._check(
            AugNetOptions(
                penalty=penalty,
                temperature=temperature,
                initial_weight=initial_weight,
                initial_magnitude=initial_magnitude,
                n_copies_train=n_copies_train,
                n_copies_test=n_copies_test,
                regularizer=regularizer,
                at_eval=at_eval,
            )
        )
        if not isinstance(trunk, nn.Module):
            raise UserError(f"trunk is {trunk!r}; it has to be a torch.nn.Module")
        made = [
            content
            if isinstance(content, AugmentationLayer)
            else AugmentationLayer(
                content,
                initial_magnitude=initial_magnitude,
                initial_weight=initial_weight,
                temperature=temperature,
                at_eval=at_eval,
            )
            for content in _bind(list(layers), signal, ranges)
        ]
        super().__init__(made, trunk, n_copies_train=n_copies_train, n_copies_test=n_copies_test)
        self.signal = signal
        self.penalty_weight, self.regularizer = penalty, regularizer

    @staticmethod
    def _check(options: AugNetOptions) -> None:
        for name, known in (("regularizer", Regularizer), ("at_eval", AtEval)):
            if getattr(options, name) not in get_args(known):
                raise unknown(name, str(getattr(options, name)), get_args(known))
        for name in ("penalty", "temperature", "initial_weight", "initial_magnitude"):
            value = getattr(options, name)
            require(options, name, isinstance(value, int | float), "a number")
        require(options, "penalty", 0 <= options.penalty < inf, "0 or more")
        require(options, "temperature", options.temperature > 0, "more than 0")
        require(options, "initial_weight", isfinite(options.initial_weight), "finite")
        require(options, "initial_magnitude", 0 <= options.initial_magnitude <= 1, "in [0, 1]")
        for name in ("n_copies_train", "n_copies_test"):
            copies = getattr(options, name)
            require(options, name, isinstance(copies, int) and copies >= 1, "a whole number from 1")

    @property
    def augmentation_layers(self) -> list[AugmentationLayer]:
        """The layers, first layer first."""
        return [layer for layer in self.layers if isinstance(layer, AugmentationLayer)]

    def penalty(self) -> Tensor:
        """What is added to the cross-entropy, (): minus lambda times how much the layers augment.

        It is negative: it rewards augmentation that the cross-entropy does not mind.
        """
        if self.regularizer == "none":
            return next(self.layers.parameters()).new_zeros(())
        return -self.penalty_weight * magnitude_norm(self.augmentation_layers, self.regularizer)

    def loss(self, logits: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
        """The cross-entropy of (B, K) logits and (B,) labels, plus `penalty`: ().

        ``weight`` (K,) are weights of the classes.
        """
        return F.cross_entropy(logits, y, weight=weight) + self.penalty()

    def describe(self) -> list[list[dict[str, Any]]]:
        """What each layer has learned: for each a list of `AugmentationLayer.describe`."""
        return [layer.describe() for layer in self.augmentation_layers]

    def extra_repr(self) -> str:
        """Lambda, what it multiplies, and how many copies are averaged."""
        chosen = f"penalty={self.penalty_weight:g}, regularizer={self.regularizer!r}"
        return f"{chosen}, {super().extra_repr()}"

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        signal = self.signal
        if signal is not None and (
            x.ndim != len(signal.shape) + 1 or x.shape[1] != signal.n_channels
        ):
            raise UserError(
                f"x has shape {tuple(x.shape)}; a batch of this signal is "
                f"(B, {', '.join(map(str, signal.shape))})"
            )
        return super().forward(x, generator)


def _bind(
    layers: Sequence[LayerContent], signal: Signal | None, ranges: Mapping[str, float]
) -> list[AugmentationLayer | list[Transform]]:
    """The same layers, with a transform in the place of each name."""
    for content in layers:
        if isinstance(content, str | Transform):
            name = content if isinstance(content, str) else content.name
            raise UserError(
                f"layers holds {name!r} where a list of transforms belongs: "
                f"write layers=[[{name!r}, ...], ...], a list for each layer"
            )
    lists = [each for each in layers if not isinstance(each, AugmentationLayer)]
    if not layers or not all(lists):
        raise UserError("AugNet needs at least one layer, and a transform in each; see `layers`")
    names = [each for content in lists for each in content if isinstance(each, str)]
    if names and signal is None:
        raise UserError(
            f"layers names {names[0]!r}, and a transform has to know what it acts on: "
            "give signal=Signal(...)"
        )
    bank = {} if signal is None else make_bank(names, signal, ranges)
    bound: list[AugmentationLayer | list[Transform]] = []
    for content in layers:
        if isinstance(content, AugmentationLayer):
            bound.append(content)
        else:
            transforms = [bank[each] if isinstance(each, str) else each for each in content]
            _check_gradients(transforms)
            bound.append(transforms)
    return bound


def _check_gradients(transforms: Iterable[Transform]) -> None:
    for transform in transforms:
        if transform.gradient == "none":
            raise UserError(
                f"transform {transform.name!r} passes no gradient to its magnitude, so AugNet "
                f"cannot learn it; take it out of `layers`{probability_hint(transform)}"
            )
