"""AugNet's augmentation layers."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from augbench.methods.layers.argument_checks import (
    check_layer_options,
    check_transforms,
)
from augbench.methods.options.end_to_end import AtEval
from augbench.methods.transforms.constants import DeviceConstant
from augbench.methods.transforms.parts import Parts, parts_of, scale_of, weighted_sum
from augbench.methods.transforms.transform import Transform, draw_uniform, without_autocast

NEGLIGIBLE = 1e-6  # an operation of less weight is left out
# Bounds of a probability that is learned. At 0 and 1 `relaxed_bernoulli` has no gradient, so only
# the penalty and the decay would move a probability that is clamped there. For a sign flip whose
# true slope is 4 the mean gradient is 3.9 at 0.01, 4.0 at 0.5, 4.3 at 0.99, and 0 at 0 and 1.
# Closer to the ends hardly any batch holds a sample with a gradient.
LEARNABLE = (0.01, 0.99)


class AugmentationLayer(nn.Module):
    """A weighted average of transforms, whose weights and magnitudes are learned.

    ``layer(x, generator)``: (B, ...) -> (B, ...); the noise comes from torch's global generator
    where none is passed.

    An optimizer may move a magnitude out of its bounds. Whatever reads the layer brings it back
    first: a forward pass, ``magnitudes``, ``weights``, `magnitude_norm`, `describe`, ``repr``,
    ``state_dict``, ``train``, ``eval``, a copy and a pickle. Only what ``parameters()`` gives is
    as the optimizer left it, until then.

    In training every transform acts on every sample. In evaluation mode ``at_eval`` decides:
    "blend" is the same average, so that the trunk sees inputs of the kind it was trained on;
    "sample" draws one transform per sample from the weights. (The official code draws one transform
    per call for all samples and copies: copies cannot average that out.) In evaluation mode a
    transform without strength fires by a hard draw of its probability, and a transform that mixes
    samples is the identity: a prediction must not depend on the other samples of its batch. (The
    official code mixes test images with each other.)

    Transforms that are sums of simple parts share the work (`transforms/parts.py`).

    Raises a UserError if there are no transforms, or for a number out of range.

    Source: AugNet, equation 2.
    """

    temperature: Tensor  # (), of the softmax
    bounds: Tensor  # (Q, 2), of the magnitudes
    negligible: Tensor  # (Q,) bool: which transforms have hardly any weight

    def __init__(
        self,
        transforms: Sequence[Transform],
        *,
        initial_magnitude: float = 0.1,
        initial_weight: float = 1.0,
        temperature: float = 0.01,
        at_eval: AtEval = "blend",
    ) -> None:
        super().__init__()
        self.transforms = tuple(transforms)
        check_transforms(self.transforms)
        check_layer_options(initial_magnitude, initial_weight, temperature, at_eval)
        self.at_eval = at_eval
        self.register_buffer("temperature", torch.tensor(float(temperature)))
        bounds = [(0.0, 1.0) if row.graded else LEARNABLE for row in self.transforms]
        self.register_buffer("bounds", torch.tensor(bounds), persistent=False)
        self.limits: list[list[float]] = self.bounds.tolist()  # without a wait for a GPU
        # What makes values of magnitudes, in the units of the transforms.
        scales = [scale_of(row) for row in self.transforms]
        self.scales = DeviceConstant(torch.tensor(scales, dtype=torch.float64))
        n = len(self.transforms)
        self.hidden_weights = nn.Parameter(torch.full((n,), float(initial_weight)))
        # Under the name of a property, which brings it within its bounds.
        first = torch.full((n,), float(initial_magnitude))
        self.register_parameter("magnitudes", nn.Parameter(first))
        self.register_buffer("negligible", torch.zeros(n, dtype=torch.bool), persistent=False)
        self._seen: list[int] = []
        self.register_load_state_dict_post_hook(_project_first)  # type: ignore[no-untyped-call]
        self.register_state_dict_pre_hook(_project_first)  # type: ignore[no-untyped-call]
        self.project()

    @property
    def magnitudes(self) -> Tensor:
        """(Q,), the parameter, within its bounds."""
        if "magnitudes" not in self._parameters and "magnitudes" not in self.__dict__:
            raise AttributeError("magnitudes are not registered yet")  # asked by torch
        self.project_if_changed()
        return self._magnitudes

    @magnitudes.setter
    def magnitudes(self, tensor: Tensor) -> None:
        # In the replicas of a module torch puts plain tensors in the place of parameters.
        self.__dict__["magnitudes"] = tensor

    @property
    def weights(self) -> Tensor:
        """(Q,), non-negative, with sum 1; exactly 0, without gradient, where negligible."""
        self.project_if_changed()
        return self._weights(self._logits())

    @property
    def _magnitudes(self) -> Tensor:
        """(Q,), as the optimizer left them."""
        parameter = self._parameters.get("magnitudes")
        replica: Tensor = self.__dict__["magnitudes"] if parameter is None else parameter
        return replica

    def _weights(self, logits: Tensor) -> Tensor:
        # An operation that is left out of the sum alone would keep a wrong gradient on its hidden
        # weight: a tiny one, but Adam divides it by its own size. Out of the softmax it has none.
        return torch.softmax(logits.masked_fill(self.negligible, -torch.inf), 0)

    def project(self) -> None:
        """Bring the magnitudes back within their bounds, and find the negligible transforms."""
        self._projected_logits()

    def _projected_logits(self) -> Tensor:
        """(Q,), those of the softmax, after a projection: both need them."""
        # A decorator would import torch's compiler, which takes a second.
        if torch.compiler.is_compiling():
            logits: Tensor = torch.compiler.disable(self._project)()
            return logits
        return self._project()

    def _project(self) -> Tensor:
        logits = self._logits()
        with torch.inference_mode(False), torch.no_grad():  # what is found may outlive the mode
            weights = torch.softmax(logits, 0)
            if _is_recorded(weights):
                self._project_in_graph(weights)
                return logits
            self.negligible = weights < NEGLIGIBLE  # NaN is not, and makes the loss NaN
            numbers = torch.cat([self._magnitudes, self.negligible]).tolist()  # one wait for a GPU
            magnitudes, negligible = numbers[: len(self.limits)], numbers[len(self.limits) :]
            within = zip(magnitudes, self.limits, strict=True)
            if not all(low <= magnitude <= high for magnitude, (low, high) in within):
                self._clamp()
        self.used = [q for q, is_negligible in enumerate(negligible) if not is_negligible]
        self._seen = self._versions()
        return logits

    def _logits(self) -> Tensor:
        return self.hidden_weights / self.temperature

    def _project_in_graph(self, weights: Tensor) -> None:
        """The same as far as it goes without a wait for numbers, which a graph cannot do.

        It goes on with the transforms of its recording, ``used``: one that becomes negligible gets
        weight 0, one that no longer is stays away, until the graph is recorded anew.
        """
        self.negligible = weights < NEGLIGIBLE
        for q in set(range(len(self.transforms))).difference(self.used):
            self.negligible[q].fill_(True)
        self._magnitudes.clamp_(*self.bounds.unbind(1))
        self._seen = self._versions()

    def project_if_changed(self) -> None:
        """The same in less time, for who knows that a forward pass comes in each step.

        It does not see what is written to ``parameter.data``, as some old optimizers do.
        """
        if self._seen != self._versions():
            self.project()

    def _clamp(self) -> None:
        # A clamp with a gradient would stop that of a magnitude which has left the interval.
        inside = self._magnitudes.clamp(*self.bounds.unbind(1))
        # Else not: autograd refuses a parameter that is written between forward and backward.
        if not torch.equal(inside, self._magnitudes):
            self._magnitudes.copy_(inside)

    def _versions(self) -> list[int]:
        """How often each tensor was written, so far as torch counts it."""
        tensors = (self._magnitudes, self.hidden_weights, self.temperature)
        return [0 if tensor.is_inference() else tensor._version for tensor in tensors]

    def describe(self) -> list[dict[str, Any]]:
        """What is learned of each transform: one record each, in their order.

        Its keys are ``transform``, ``weight`` and ``magnitude``, both in [0, 1], ``value``, the
        magnitude in ``unit``, and ``strongest``, the value of magnitude 1. At magnitude 0 a
        transform changes nothing. In between the value is its strength, or, for those that draw
        their strength (``Transform.draws_strength``: rotations, shifts), the largest strength that
        is drawn, to either side. For a transform without strength it is a probability.
        """
        self.project()
        weights, magnitudes = self.weights.tolist(), self.magnitudes.tolist()
        return [
            {
                "transform": transform.name,
                "weight": weight,
                "magnitude": magnitude,
                "value": magnitude * transform.strongest,
                "unit": transform.unit,
                "strongest": transform.strongest,
            }
            for transform, weight, magnitude in zip(
                self.transforms, weights, magnitudes, strict=True
            )
        ]

    def extra_repr(self) -> str:
        """A line for each transform, with the magnitude in its unit and the largest one."""
        return "\n".join(
            f"{each['transform']}: weight {each['weight']:.3f}, {each['value']:.3g} {each['unit']}"
            f" of at most {each['strongest']:.3g}"
            for each in self.describe()
        )

    def train(self, mode: bool = True) -> "AugmentationLayer":
        self.project()
        return super().train(mode)

    def __getstate__(self) -> Any:
        self.project()
        return super().__getstate__()  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        logits: Tensor = self._projected_logits()
        if len(x) == 0:  # some transforms of kornia and of Fourier take no empty batch
            return x
        with without_autocast(x):
            shares = self._shares(self._weights(logits), x, generator)
            # Expanded and taken apart at once, so that their gradients are put together at once.
            values = self._magnitudes.to(x.dtype) * self.scales(x)
            each = values.unsqueeze(1).expand(-1, len(x)).unbind(0)
            terms = [self._parts(q, x, shares[q], each[q], generator) for q in self.used]
            return weighted_sum(x, terms)

    def _parts(
        self, q: int, x: Tensor, share: Tensor, value: Tensor, generator: Generator | None
    ) -> Parts:
        """A share of what a transform makes of x."""
        transform = self.transforms[q]
        if not transform.graded and not self.training:
            value = (draw_uniform(x, generator) < value).to(x.dtype)
        noise = transform.draw(x, generator)
        if transform.mixes and not self.training:
            return Parts(gains=(share,))
        return parts_of(transform, x, share, value, noise)

    def _shares(
        self, weights: Tensor, x: Tensor, generator: Generator | None
    ) -> tuple[Tensor, ...]:
        """(Q,), (B, ...) -> (B, 1, ...) each, the weight of each transform for each sample."""
        weights, ones = weights.to(x.dtype), [1] * (x.ndim - 1)
        if self.training or self.at_eval == "blend":
            return weights.view(-1, 1, *ones).expand(-1, len(x), *ones).unbind(0)
        drawn = torch.multinomial(weights, len(x), replacement=True, generator=generator)
        chosen = F.one_hot(drawn, len(weights)).to(x.dtype)
        return chosen.t().reshape(-1, len(x), *ones).unbind(0)


def _is_recorded(weights: Tensor) -> bool:
    """Whether this is the recording of a CUDA graph, not the warm-up before it."""
    return weights.is_cuda and torch.cuda.is_current_stream_capturing()


def _project_first(layer: AugmentationLayer, *_: object) -> None:
    layer.project()
