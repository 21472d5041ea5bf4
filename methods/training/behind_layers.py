"""A trunk behind augmentation layers that learn with it: what AugNet and Augerino share."""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Protocol

from torch import Tensor

from augbench.datasets.errors import require
from augbench.datasets.options.training import TrainingSettings
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.training import Training


class LayerOptions(Protocol):
    """The options of a method that say how layers are learned, and how many copies are made."""

    @property
    def learning_rate(self) -> float | None: ...  # of the layers; None: the trunk's

    @property
    def weight_decay(self) -> float | None: ...  # of the layers; None: the trunk's

    @property
    def n_copies_train(self) -> int: ...

    @property
    def n_copies_test(self) -> int: ...


def behind_layers(
    setup: Setup,
    model: AveragedModel,
    options: LayerOptions,
    *,
    penalty: Callable[[], Tensor] | None,
    describe: Callable[[], list[list[dict[str, Any]]]],
    before_epoch: Callable[[int], None] | None = None,
) -> EndToEnd:
    """The layers and the trunk of a model, trained together on the training view.

    ``describe`` returns what each layer has learned. Raises a UserError for numbers out of range.
    Source: AugNet, equation 3 and figure 1.
    """
    _check(options)
    model = model.to(setup.device)
    training = Training(
        model,
        setup.views.train.to(setup.device),
        setup.views.model_valid.to(setup.device),
        settings=setup.training,
        n_classes=setup.n_classes,
        metric=setup.metric,
        seeds=setup.seeds,
        meter=setup.meter,
        penalty=penalty,
        parameter_groups=_parameter_groups(model, setup.training, options),
        before_epoch=before_epoch,
    )
    return EndToEnd(training, partial(_learned, describe))


def _learned(describe: Callable[[], list[list[dict[str, Any]]]]) -> dict[str, Any]:
    return {"layers": describe()}


def _check(options: LayerOptions) -> None:
    for name in ("learning_rate", "weight_decay"):
        given = getattr(options, name)
        require(options, name, given is None or 0 <= given < inf, "0 or more")
    for name in ("n_copies_train", "n_copies_test"):
        require(options, name, getattr(options, name) >= 1, "1 or more")


def _parameter_groups(
    model: AveragedModel, settings: TrainingSettings, options: LayerOptions
) -> list[dict[str, Any]]:
    """One group for the trunk, one for the layers."""

    def layers_or_trunk(of_layers: float | None, of_trunk: float) -> float:
        return of_trunk if of_layers is None else of_layers

    return [
        {"params": list(model.trunk.parameters())},
        {
            "params": [each for layer in model.layers for each in layer.parameters()],
            "lr": layers_or_trunk(options.learning_rate, settings.learning_rate),
            "weight_decay": layers_or_trunk(options.weight_decay, settings.weight_decay),
        },
    ]
