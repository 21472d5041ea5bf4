"""AugNet as a method: its options, its errors, what it learns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.banks import PHOTOGRAPHS
from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.sinusoids import sinusoids
from augbench.datasets.task import Signal, Split, Views
from augbench.datasets.trunks import TRUNKS
from augbench.methods import augnet, none
from augbench.methods.options.end_to_end import AugNetOptions
from augbench.methods.options.search_free import NoneOptions
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.transforms import EEG, TRANSFORMS
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import Transform, per_sample

OFFSET_ONLY = (("offset",),)


def run(setup: Setup, n_epochs: int, **options: Any) -> EndToEnd:
    method = augnet.build(setup, AugNetOptions(**options))
    for _ in range(n_epochs):
        method.step()
    return method


def operations(method: EndToEnd) -> dict[str, dict[str, Any]]:
    return {each["transform"]: each for layer in method.learned()["layers"] for each in layer}


def without_dropout(setup: Setup) -> Setup:
    def trunk() -> nn.Module:
        module = setup.trunk()
        module.drop = nn.Identity()
        return module

    return replace(setup, trunk=trunk)


def with_bank(setup: Setup, *rows: Transform) -> Setup:
    return replace(setup, bank={row.name: row for row in rows})


def test_held_at_the_identity_it_trains_the_very_weights_of_no_augmentation(
    setup: Setup,
) -> None:
    """So batches, loss and trunk are those of every other method, and only layers differ."""
    setup = without_dropout(setup)  # dropout shares its stream with the layers' noise
    frozen = run(
        setup,
        3,
        layers=OFFSET_ONLY,
        initial_magnitude=0.0,
        learning_rate=0.0,
        weight_decay=0.0,
        n_copies_test=1,
    )
    plain = none.build(setup, NoneOptions())
    for _ in range(3):
        plain.step()
    ours = frozen.training.model.trunk.state_dict()
    for name, tensor in plain.training.model.state_dict().items():
        assert torch.equal(ours[name], tensor), name
    assert frozen.training.last_valid == plain.training.last_valid


def test_the_penalty_widens_a_harmless_operation(setup: Setup) -> None:
    """A wrong sign of lambda would shrink it."""
    harmless = replace(setup.bank["offset"], apply=lambda x, magnitude, noise: x * 1.0)
    setup = with_bank(setup, harmless)
    fixed = {"layers": OFFSET_ONLY, "initial_magnitude": 0.2}
    wide = run(setup, 4, **fixed, penalty=0.5)
    assert operations(wide)["offset"]["magnitude"] > 0.3
    for off in ({"penalty": 0.0}, {"regularizer": "none"}):
        still = run(setup, 4, **fixed, **off)
        assert operations(still)["offset"]["magnitude"] == pytest.approx(0.2)


def test_an_operation_that_destroys_the_class_shrinks_and_a_harmless_one_is_selected(
    setup: Setup,
) -> None:
    """Classes differ in channel 0; noise on it is harmful, noise on nothing is not."""

    def destroy(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + 20 * per_sample(magnitude * (noise - 0.5), x)

    harmful = replace(setup.bank["offset"], apply=destroy)
    harmless = replace(setup.bank["blur"], apply=lambda x, magnitude, noise: x * 1.0)
    setup = with_bank(setup, harmful, harmless)
    both = (("offset", "blur"),)
    method = run(setup, 30, layers=both, learning_rate=3e-3, penalty=0.5)
    found = operations(method)
    assert found["blur"]["weight"] > 0.9
    alone = run(
        setup, 30, layers=OFFSET_ONLY, initial_magnitude=0.9, learning_rate=3e-2, penalty=0.0
    )
    assert operations(alone)["offset"]["magnitude"] < 0.6


def test_it_learns_from_the_training_view_alone(setup: Setup) -> None:
    shifted = setup.views.model_valid._replace(x=setup.views.model_valid.x + 7)
    views = Views(setup.views.train, shifted, shifted)
    fixed = {"layers": (("offset", "blur"),)}
    runs = [run(each, 3, **fixed) for each in (setup, replace(setup, views=views))]
    learned = [each.learned()["layers"] for each in runs]
    assert learned[0] == learned[1]


def test_augmentation_parameters_have_their_own_learning_rate_and_decay(setup: Setup) -> None:
    method = run(setup, 0, layers=OFFSET_ONLY, learning_rate=0.5, weight_decay=0.25)
    trunk, layers = method.training.optimizer.param_groups
    assert (trunk["lr"], trunk["weight_decay"]) == (1e-2, 0.0)
    assert (layers["lr"], layers["weight_decay"]) == (0.5, 0.25)
    n_all = len(list(method.training.model.parameters()))
    assert len(trunk["params"]) + len(layers["params"]) == n_all


def test_every_parameter_moves(setup: Setup) -> None:
    method = run(setup, 0, layers=(("offset", "blur"), ("negate", "blur")))
    before = {k: v.clone() for k, v in method.training.model.named_parameters()}
    method.step()
    for name, parameter in method.training.model.named_parameters():
        assert not torch.equal(parameter, before[name]), name


def test_what_is_learned_is_told_in_physical_units(setup: Setup) -> None:
    layers = (("offset", "negate"),)
    plain = operations(run(setup, 0, layers=layers, initial_magnitude=0.25))
    assert plain["offset"] == {
        "transform": "offset",
        "weight": 0.5,
        "magnitude": 0.25,
        "value": 0.5,
        "unit": "units",
        "strongest": 2.0,
    }
    assert plain["negate"]["value"] == plain["negate"]["magnitude"]
    assert plain["negate"]["magnitude"] == 0.25


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"layers": (("offset", "ofset"),)}, "did you mean 'offset'"),
        ({"layers": (("quantize",),)}, "passes no gradient.*usable here: offset, blur, negate"),
        ({"layers": ()}, "at least one layer"),
        ({"layers": (("offset",), ())}, "at least one layer"),
        ({"penalty": -1.0}, "penalty is -1.0"),
        ({"penalty": float("nan")}, "penalty is nan"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"initial_magnitude": 1.5}, "initial_magnitude is 1.5"),
        ({"initial_weight": float("nan")}, "initial_weight is nan"),
        ({"n_copies_train": 0}, "n_copies_train is 0"),
        ({"n_copies_test": 0}, "n_copies_test is 0"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0; it has to be 0 or more"),
        ({"weight_decay": float("nan")}, "weight_decay is nan; it has to be 0 or more"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_sentence(
    options: dict[str, Any], complaint: str, setup: Setup
) -> None:
    with pytest.raises(UserError, match=complaint):
        augnet.build(setup, AugNetOptions(**{"layers": OFFSET_ONLY, **options}))


def test_layers_by_default_are_those_of_the_paper_as_far_as_the_bank_goes(setup: Setup) -> None:
    eeg = Signal("eeg", (6, 400), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
    names = (*augnet.SENSORS, *augnet.TIME_FREQUENCY)
    assert set(names) == set(EEG)
    bank = {name: TRANSFORMS[name](eeg) for name in names}

    def layers(signal: Signal, bank: dict[str, Transform]) -> list[tuple[str, ...]]:
        method = augnet.build(replace(setup, signal=signal, bank=bank), AugNetOptions())
        return [tuple(o["transform"] for o in layer) for layer in method.learned()["layers"]]

    everything = [augnet.SENSORS, augnet.TIME_FREQUENCY, augnet.TIME_FREQUENCY]
    assert layers(eeg, bank) == everything
    shift = {"frequency_shift": bank["frequency_shift"]}
    assert layers(eeg, shift) == [("frequency_shift",), ("frequency_shift",)]
    image = Signal("image", (1, 8, 8))
    names = ("rotate", "translate_x", "horizontal_flip", "brightness")
    found = layers(image, {name: TRANSFORMS[name](image) for name in names})
    moves = ("translate_x", "rotate", "horizontal_flip")
    assert found == [("brightness",), moves, moves]


def test_layers_by_default_hold_whatever_else_the_task_lists(setup: Setup) -> None:
    """A package's transform too: all methods have the same transforms to choose from."""
    learned = augnet.build(setup, AugNetOptions()).learned()["layers"]
    names = [tuple(operation["transform"] for operation in layer) for layer in learned]
    assert names == [("offset", "blur", "negate")] * 2  # `quantize` passes no gradient
    photographs = Signal("image", (3, 32, 32))
    bank = make_bank(PHOTOGRAPHS, photographs)
    setup = replace(setup, signal=photographs, bank=bank)
    learned = augnet.build(setup, AugNetOptions()).learned()["layers"]
    found = {operation["transform"] for layer in learned for operation in layer}
    assert found == set(PHOTOGRAPHS) - {"crop"}


def test_without_a_gradient_anywhere_layers_by_default_are_refused(setup: Setup) -> None:
    bare = with_bank(setup, setup.bank["quantize"])
    with pytest.raises(UserError, match=r"no transform with a gradient.*quantize"):
        augnet.build(bare, AugNetOptions())


def test_hidden_weights_start_where_the_official_code_starts_them(setup: Setup) -> None:
    """A common value changes no weight, but a decay pulls at it, and Adam divides by the pull."""
    weights = {}
    for start in (None, 0.0, 1.0):
        options = {} if start is None else {"initial_weight": start}
        method = run(setup, 0, layers=(("offset", "blur"),), weight_decay=1.0, **options)
        (layer,) = method.training.model.layers
        assert layer.hidden_weights.tolist() == [1.0 if start is None else start] * 2
        method.step()
        weights[start] = layer.weights.tolist()
    assert weights[None] == weights[1.0]
    assert weights[0.0] != weights[1.0]


def test_an_epoch_over_every_real_transform_gives_finite_gradients_to_all_that_count(
    setup: Setup,
) -> None:
    """The whole bank of the paper in its default layers, on signals of the tiny size."""
    channels = ("C3", "C4", "F3", "F4", "O1", "O2")
    signal = Signal("eeg", (6, 400), channels, 100.0)
    x = torch.randn(16, 6, 400, generator=torch.Generator().manual_seed(0))
    split = Split(x, torch.arange(16) % 3)
    names = (*augnet.SENSORS, *augnet.TIME_FREQUENCY, "band_stop")
    setup = replace(
        setup,
        views=Views(split, split, split),
        signal=signal,
        trunk=lambda: nn.Sequential(nn.AvgPool1d(50), nn.Flatten(), nn.Linear(48, 3)),
        bank={name: TRANSFORMS[name](signal) for name in names},
    )
    method = run(setup, 1, initial_magnitude=0.3)
    for layer in method.training.model.layers:
        for parameter in layer.parameters():
            assert parameter.grad is not None
            assert torch.isfinite(parameter.grad).all()
            assert (parameter.grad[~layer.negligible] != 0).all()


def test_on_sinusoids_it_finds_about_half_a_hertz(setup: Setup) -> None:
    """The margin between the classes: shifts of 0.5 Hz either way meet. A short training."""
    task = sinusoids(SinusoidsOptions(n_train=500, n_folds=1), Path(), 4)
    views = task.fold(0).views
    few = Split(views.model_valid.x[:8], views.model_valid.y[:8])

    def trunk() -> nn.Module:
        with global_seed(4):
            return TRUNKS[task.trunk](task.signal, task.n_classes)

    setup = replace(
        setup,
        views=Views(views.train, few, few),
        signal=task.signal,
        n_classes=task.n_classes,
        metric=task.metric,
        trunk=trunk,
        bank=make_bank(task.transforms, task.signal, task.ranges),
        training=task.training,
        seeds=Seeds(("sinusoids", 4)),
    )
    layers = (("frequency_shift",),)
    method = run(setup, 12, layers=layers)
    found = operations(method)["frequency_shift"]
    assert found["unit"] == "hertz"
    assert 0.3 < found["value"] < 0.7


def test_the_trunk_warms_up_alone_then_the_temperature_falls_by_equal_factors(
    setup: Setup,
) -> None:
    method = augnet.build(
        setup, AugNetOptions(layers=(("offset", "blur"),), warm_up=2, annealing=2, temperature=0.01)
    )
    (layer,) = method.training.model.layers
    start = [parameter.clone() for parameter in layer.parameters()]
    temperatures, moved = [], []
    for _ in range(6):
        method.step()
        temperatures.append(layer.temperature.item())
        moved.append(
            any(not torch.equal(a, b) for a, b in zip(layer.parameters(), start, strict=True))
        )
    assert temperatures == pytest.approx([1.0, 1.0, 1.0, 0.1, 0.01, 0.01])
    assert moved == [False, False, True, True, True, True]


@pytest.mark.parametrize("at", [1, 3])
def test_resuming_keeps_the_place_in_the_schedule(at: int, setup: Setup) -> None:
    options = AugNetOptions(layers=(("offset", "blur"),), warm_up=2, annealing=2)
    undisturbed, first, second = (augnet.build(setup, options) for _ in range(3))
    for _ in range(5):
        undisturbed.step()
    for _ in range(at):
        first.step()
    second.load_state_dict(first.state_dict())
    assert second.learned() == first.learned()
    for _ in range(5 - at):
        second.step()
    assert second.learned() == undisturbed.learned()
