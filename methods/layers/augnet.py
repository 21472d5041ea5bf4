"""AugNet as a module of anybody's own: augmentation layers in front of a network."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.layers.argument_checks import (
    check_batch,
    check_image_values,
    check_layer_options,
    check_model_options,
    check_ranges,
    check_signal,
    check_type,
    wrong_labels,
)
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.layers.magnitude_norm import magnitude_norm
from augbench.methods.options.end_to_end import AtEval, Regularizer
from augbench.methods.transforms.bank import NO_RANGES, make_bank
from augbench.methods.transforms.imported.build import probability_hint
from augbench.methods.transforms.transform import Transform
from augbench.methods.transforms.unit_notice import notice_unit

LayerContent = AugmentationLayer | Sequence[str | Transform]
_FORM = "write layers=[['time_mask', ...], ...], a list for each layer"


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
    the larger, the more is augmented. ``temperature`` divides the hidden weights before the softmax
    that makes weights of them: where it is small, as by default, a layer selects one transform
    within some hundred steps; where it is larger, the layer mixes them for longer. The other
    options are those of `AugNetOptions`.

    Weights that were saved belong to the same transforms in the same order: ``state_dict`` holds
    no names.

    Raises a UserError for an unknown transform, one for other signals, one that passes no gradient
    to its magnitude, a number out of range, x that does not fit the signal or the model's type,
    labels that do not fit the logits, and a first batch of images far outside of [0, 1]. A
    UserNotice says where the first batch of EEG is far from standardised.

    Source: AugNet, equations 2 and 3, section 3.4.
    """

    _values_checked = False

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
        check_model_options(penalty, regularizer)
        check_layer_options(initial_magnitude, initial_weight, temperature, at_eval)
        check_signal(signal)
        check_ranges(ranges)
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
            for content in _bind(_read_layers(layers), signal, ranges)
        ]
        super().__init__(made, trunk, n_copies_train=n_copies_train, n_copies_test=n_copies_test)
        self.signal = signal
        self.penalty_weight, self.regularizer = penalty, regularizer

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

        Raises a UserError for labels that are no int64 from 0 to K - 1, one for each example.
        """
        try:
            entropy = F.cross_entropy(logits, y, weight=weight)
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
            complaint = wrong_labels(logits, y)
            if complaint is None:
                raise
            raise UserError(complaint) from error
        return entropy + self.penalty()

    def describe(self) -> list[list[dict[str, Any]]]:
        """What each layer has learned: for each a list of `AugmentationLayer.describe`."""
        return [layer.describe() for layer in self.augmentation_layers]

    def extra_repr(self) -> str:
        """Lambda, what it multiplies, and how many copies are averaged."""
        chosen = f"penalty={self.penalty_weight:g}, regularizer={self.regularizer!r}"
        return f"{chosen}, {super().extra_repr()}"

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        if not torch.compiler.is_compiling():
            self._check(x)
        return super().forward(x, generator)

    def _check(self, x: Tensor) -> None:
        check_batch(x, self.signal)
        if not torch.is_autocast_enabled(x.device.type):
            check_type(x, self)
        # Their values once: later it would make each step wait for a GPU.
        if self.signal is not None and not self._values_checked:
            if not x.is_meta:
                (check_image_values if self.signal.kind == "image" else notice_unit)(x)
            self._values_checked = True


def _read_layers(layers: Iterable[LayerContent]) -> list[LayerContent]:
    """The layers as a list, each of them a layer, or a list of names and transforms."""
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise UserError(f"layers is {layers!r}; {_FORM}")
    found = list(layers)
    for content in found:
        if isinstance(content, str | Transform):
            name = content if isinstance(content, str) else content.name
            raise UserError(f"layers holds {name!r} where a list of transforms belongs: {_FORM}")
        if isinstance(content, AugmentationLayer):
            continue
        if not isinstance(content, Iterable):
            raise UserError(f"layers holds {content!r}; {_FORM}")
        for each in content:
            if not isinstance(each, str | Transform):
                raise UserError(f"layers names {each!r}; a transform is a name or a Transform")
    return [each if isinstance(each, AugmentationLayer) else list(each) for each in found]


def _bind(
    layers: Sequence[LayerContent], signal: Signal | None, ranges: Mapping[str, float]
) -> list[AugmentationLayer | list[Transform]]:
    """The same layers, with a transform in the place of each name."""
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
