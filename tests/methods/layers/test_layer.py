"""AugNet's layer, averaged model and regularizer, against sums done by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.task import Signal
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.layers.layer import (
    NEGLIGIBLE,
    AugmentationLayer,
)
from augbench.methods.layers.magnitude_norm import magnitude_norm
from augbench.methods.options.end_to_end import AtEval
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.transform import Transform, per_sample

Bank = dict[str, Transform]


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 5) -> Tensor:
    return torch.randn(n, 2, 16, generator=stream(99))


def layer_of(
    rows: list[Transform],
    *,
    hidden: list[float] | None = None,
    magnitudes: list[float] | None = None,
    temperature: float = 0.01,
    at_eval: AtEval = "blend",
) -> AugmentationLayer:
    layer = AugmentationLayer(rows, initial_magnitude=0.5, temperature=temperature, at_eval=at_eval)
    with torch.no_grad():
        layer.hidden_weights.copy_(torch.tensor(hidden or [0.0] * len(rows)))
        layer.magnitudes.copy_(torch.tensor(magnitudes or [0.5] * len(rows)))
    layer.project()
    return layer


def exact(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> Transform:
    """A transform without noise, for sums that a hand can do."""
    return Transform(
        name=name,
        graded=True,
        gradient="path",
        strongest=1.0,
        unit="units",
        source="here",
        draw=lambda x, generator: torch.zeros(len(x)),
        apply=lambda x, magnitude, noise: function(x, per_sample(magnitude, x)),
    )


ADD = exact("add", lambda x, m: x + 3 * m)
SHRINK = exact("shrink", lambda x, m: x * (1 - m))
SQUARE = exact("square", lambda x, m: x + m * x.square())


def test_it_is_the_weighted_sum_of_equation_2(bank: Bank) -> None:
    rows = [bank["offset"], bank["negate"], bank["blur"]]
    magnitudes = [0.9, 0.4, 0.2]
    layer = layer_of(rows, hidden=[0.01, 0.0, 0.02], magnitudes=magnitudes)
    x, generator = batch(), stream(3)
    logits = torch.tensor([1.0, 0.0, 2.0])  # hidden over the temperature
    by_hand = torch.zeros_like(x)
    for weight, row, magnitude in zip(
        logits.exp() / logits.exp().sum(), rows, magnitudes, strict=True
    ):
        noise = row.draw(x, generator)
        by_hand += weight * row.apply(x, torch.full((5,), magnitude), noise)
    torch.testing.assert_close(layer(x, stream(3)), by_hand)


@pytest.mark.parametrize("temperature", [0.01, 0.5, 2.0])
def test_weights_are_the_softmax_of_hidden_weights_over_the_temperature(
    temperature: float,
) -> None:
    layer = layer_of([ADD, SHRINK], hidden=[0.02, 0.05], temperature=temperature)
    ratio = torch.exp(torch.tensor(0.03 / temperature))
    torch.testing.assert_close(layer.weights[1] / layer.weights[0], ratio)
    torch.testing.assert_close(layer.weights.sum(), torch.tensor(1.0))


def test_an_operation_of_negligible_weight_is_not_run_and_changes_nothing() -> None:
    def refuse(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        raise AssertionError("it was run")

    hidden = [0.0, -0.14]  # e^-14 = 8e-7 at temperature 0.01
    full = layer_of([SHRINK, ADD], hidden=hidden)
    skipping = layer_of([SHRINK, replace(ADD, apply=refuse)], hidden=hidden)
    raw = torch.softmax(full.hidden_weights / 0.01, 0)
    assert 0 < raw[1] < NEGLIGIBLE
    by_hand = raw[0] * 0.5 * batch() + raw[1] * (batch() + 1.5)
    torch.testing.assert_close(skipping(batch()), by_hand, rtol=0, atol=1e-5)
    assert skipping.weights.tolist() == [1.0, 0.0]


def test_a_negligible_operation_gets_no_gradient_at_all() -> None:
    """A wrong one, however small, would become a full step of Adam."""
    layer = layer_of([SHRINK, ADD, SQUARE], hidden=[0.0, -0.5, 0.0])
    (layer(batch()).square().sum() - magnitude_norm([layer])).backward()  # type: ignore[no-untyped-call]
    assert layer.hidden_weights.grad is not None
    assert layer.magnitudes.grad is not None
    assert layer.hidden_weights.grad[1] == 0
    assert layer.magnitudes.grad[1] == 0
    assert layer.hidden_weights.grad[0] != 0
    assert layer.magnitudes.grad[0] != 0


def test_an_operation_just_above_the_threshold_still_learns() -> None:
    layer = layer_of([SHRINK, ADD], hidden=[0.0, -0.13])
    layer(batch()).square().sum().backward()
    assert layer.hidden_weights.grad is not None
    assert layer.hidden_weights.grad[1] != 0


def test_gradients_agree_with_finite_differences(bank: Bank) -> None:
    layer = layer_of([bank["offset"], bank["blur"]], hidden=[0.3, 0.1], temperature=0.2).double()
    x = batch().double()

    def loss() -> Tensor:
        total: Tensor = layer(x, stream(1)).pow(3).mean() - 0.7 * magnitude_norm([layer])
        return total

    loss().backward()  # type: ignore[no-untyped-call]
    for parameter in layer.parameters():
        assert parameter.grad is not None
        for q in range(2):
            with torch.no_grad():
                parameter[q] += 1e-5
                above = loss()
                parameter[q] -= 2e-5
                below = loss()
                parameter[q] += 1e-5
            slope = (above - below) / 2e-5
            torch.testing.assert_close(parameter.grad[q], slope, rtol=1e-5, atol=1e-8)


def test_the_regularizer_is_one_norm_over_all_layers() -> None:
    first = layer_of([ADD, SHRINK], magnitudes=[0.2, 0.8])
    second = layer_of([SQUARE], magnitudes=[0.3])
    by_hand = (0.1**2 + 0.4**2 + 0.3**2) ** 0.5
    assert magnitude_norm([first, second]).item() == pytest.approx(by_hand)
    ablation = (0.2**2 + 0.8**2 + 0.3**2) ** 0.5
    assert magnitude_norm([first, second], "augerino").item() == pytest.approx(ablation)


def test_the_regularizers_gradient_is_the_one_by_hand() -> None:
    mu = torch.tensor([0.2, 0.8])
    layer = layer_of([ADD, SHRINK], hidden=[0.01, 0.0], magnitudes=mu.tolist())
    magnitude_norm([layer]).backward()  # type: ignore[no-untyped-call]
    w = torch.softmax(torch.tensor([1.0, 0.0]), 0)
    norm = (w * mu).norm()
    by_mu = w.square() * mu / norm
    by_w = w * mu.square() / norm
    by_hidden = w * (by_w - (w * by_w).sum()) / 0.01
    torch.testing.assert_close(layer.magnitudes.grad, by_mu)
    torch.testing.assert_close(layer.hidden_weights.grad, by_hidden)


def test_the_regularizer_pulls_upwards_from_magnitude_0() -> None:
    layer = layer_of([ADD, SHRINK], hidden=[0.01, 0.0], magnitudes=[0.0, 0.0])
    magnitude_norm([layer]).backward()  # type: ignore[no-untyped-call]
    w = torch.softmax(torch.tensor([1.0, 0.0]), 0)
    torch.testing.assert_close(layer.magnitudes.grad, w.square() / w.norm())
    assert magnitude_norm([layer]).item() == pytest.approx(0.0, abs=1e-7)


def test_projection_brings_magnitudes_back_and_keeps_those_inside() -> None:
    layer = layer_of([ADD, SHRINK, SQUARE])
    with torch.no_grad():
        layer.magnitudes.copy_(torch.tensor([-0.3, 0.4, 1.7]))
    layer.project()
    assert layer.magnitudes.tolist() == pytest.approx([0.0, 0.4, 1.0])


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_magnitudes_at_the_edges_still_have_a_gradient(edge: float) -> None:
    layer = layer_of([ADD], magnitudes=[edge])
    layer(batch()).sum().backward()
    assert layer.magnitudes.grad is not None
    assert layer.magnitudes.grad.item() == pytest.approx(3 * batch().numel())


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_probabilities_at_the_edges_still_have_the_gradient_of_those_inside(edge: float) -> None:
    """Flipping a 1 where a 1 is asked for costs 4 at each draw: the slope by the probability."""
    sign_flip = make_bank(["sign_flip"], Signal("eeg", (1, 1)))["sign_flip"]
    layer = layer_of([sign_flip], magnitudes=[edge])
    assert layer.magnitudes.item() == pytest.approx(abs(edge - 0.01))
    (layer(torch.ones(100_000, 1, 1), stream()) - 1).square().mean().backward()
    assert layer.magnitudes.grad is not None
    assert layer.magnitudes.grad.item() == pytest.approx(4.0, rel=0.15)


def test_loading_weights_refreshes_which_operations_count() -> None:
    one_sided, even = layer_of([ADD, SHRINK], hidden=[1.0, 0.0]), layer_of([ADD, SHRINK])
    even.load_state_dict(one_sided.state_dict())
    assert even.weights.tolist() == [1.0, 0.0]
    assert torch.equal(even(batch()), one_sided(batch()))


def test_selection_does_not_depend_on_the_order_of_operations() -> None:
    """All operations start equal, and learn alike wherever they stand in the layer."""
    found = []
    for rows in ([ADD, SHRINK, SQUARE], [SQUARE, ADD, SHRINK]):
        layer = layer_of(rows, magnitudes=[0.3] * 3)
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
        for _ in range(8):
            optimizer.zero_grad()
            loss = layer(batch()).square().mean() - 0.5 * magnitude_norm([layer])
            loss.backward()
            optimizer.step()
            layer.project()
        parameters = zip(layer.weights.tolist(), layer.magnitudes.tolist(), strict=True)
        found.append({row.name: pair for row, pair in zip(rows, parameters, strict=True)})
    for name, pair in found[0].items():
        assert found[1][name] == pytest.approx(pair, rel=1e-3)
    weights = [weight for weight, _ in found[0].values()]
    assert max(weights) - min(weights) > 0.1  # they did move


@pytest.mark.parametrize("at_eval", ["blend", "sample"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n", [1, 5])
def test_the_callers_batch_is_left_as_it_was(
    n: int, training: bool, at_eval: AtEval, bank: Bank
) -> None:
    rows = [bank["offset"], bank["negate"], bank["blur"]]
    model = AveragedModel([layer_of(rows, at_eval=at_eval)], nn.Flatten(), n_copies_test=1)
    model.train(training)
    x = batch(n)
    before = x.clone()
    assert model(x).shape == (n, 32)
    assert torch.equal(x, before)
    assert not x.requires_grad


def test_training_and_blending_evaluation_agree_for_graded_operations(bank: Bank) -> None:
    layer = layer_of([bank["offset"], bank["blur"]])
    assert torch.equal(layer.train()(batch(), stream()), layer.eval()(batch(), stream()))


def test_sampling_evaluation_applies_one_operation_to_each_sample() -> None:
    layer = layer_of([ADD, SHRINK], hidden=[0.01, 0.0], at_eval="sample").eval()
    x = torch.ones(4000, 1, 1)
    values, counts = layer(x, stream()).detach().flatten().unique(return_counts=True)
    assert values.tolist() == [0.5, 2.5]
    assert counts[1].item() / 4000 == pytest.approx(0.731, abs=0.03)


def test_an_operation_without_strength_fires_hard_in_evaluation_and_softly_in_training(
    bank: Bank,
) -> None:
    layer = layer_of([bank["negate"]], magnitudes=[0.3])
    x = torch.ones(4000, 1, 1)
    hard = layer.eval()(x, stream()).detach()
    assert sorted(hard.unique().tolist()) == [-1.0, 1.0]
    assert (hard < 0).double().mean().item() == pytest.approx(0.3, abs=0.03)
    soft = layer.train()(x, stream())
    assert len(soft.unique()) > 100
    soft.sum().backward()
    assert layer.magnitudes.grad is not None
    assert layer.magnitudes.grad.item() < 0  # more negation, less sum


def test_affine_moves_share_a_sampling_and_sum_up_as_if_they_did_not() -> None:
    """Among others that do not, whose noise comes in between."""
    names = ("translate_x", "brightness", "rotate", "horizontal_flip", "shear_y")
    bank = make_bank(names, Signal("image", (3, 12, 16)))
    alone = [replace(row, affine=None) for row in bank.values()]
    hidden, magnitudes = [0.02, 0.0, 0.01, 0.0, 0.03], [0.2, 0.7, 0.9, 0.4, 0.6]
    layers = [
        layer_of(rows, hidden=hidden, magnitudes=magnitudes)
        for rows in (list(bank.values()), alone)
    ]
    x = torch.rand(5, 3, 12, 16, generator=stream(2))
    outs = [layer(x, stream(3)) for layer in layers]
    torch.testing.assert_close(outs[0], outs[1], rtol=0, atol=1e-5)
    for out in outs:
        (out * torch.rand(out.shape, generator=stream(4))).sum().backward()
    for shared, apart in zip(*(layer.parameters() for layer in layers), strict=True):
        torch.testing.assert_close(shared.grad, apart.grad, rtol=1e-3, atol=1e-3)


def test_a_transform_that_mixes_samples_does_so_in_training_alone() -> None:
    roll = replace(ADD, name="roll", mixes=True, apply=lambda x, magnitude, noise: x.roll(1, 0))
    layer = layer_of([roll, SHRINK], magnitudes=[1.0, 0.5])
    x = batch()
    torch.testing.assert_close(layer.train()(x), 0.5 * x.roll(1, 0) + 0.25 * x)
    torch.testing.assert_close(layer.eval()(x), 0.5 * x + 0.25 * x)


def test_each_copy_has_noise_of_its_own(bank: Bank) -> None:
    model = AveragedModel([layer_of([bank["offset"]])], nn.Flatten(), n_copies_test=3).eval()
    copies = model.augment(batch(), stream()).unflatten(0, (3, 5))
    assert not torch.allclose(copies[0], copies[1])
    assert not torch.allclose(copies[1], copies[2])


def test_each_sample_has_noise_of_its_own(bank: Bank) -> None:
    layer = layer_of([bank["offset"]])
    moved = layer(torch.zeros(4, 2, 16), stream())[:, 0, 0]
    assert len(moved.unique()) == 4


def test_the_output_is_the_mean_over_copies_of_the_trunks_logits(bank: Bank) -> None:
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(32, 3))
    model = AveragedModel([layer_of([bank["offset"]])], trunk, n_copies_test=3).eval()
    x, generator = batch(), stream(5)
    noise = bank["offset"].draw(torch.cat([x, x, x]), generator).split(5)
    half = torch.full((5,), 0.5)
    copies = [trunk(bank["offset"].apply(x, half, each)) for each in noise]
    torch.testing.assert_close(model(x, stream(5)), (copies[0] + copies[1] + copies[2]) / 3)


def test_one_copy_gives_the_trunks_own_logits(bank: Bank) -> None:
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(32, 3))
    model = AveragedModel([layer_of([ADD], magnitudes=[0.0])], trunk, n_copies_test=1).eval()
    assert torch.equal(model(batch()), trunk(batch()))


def test_cross_entropy_cannot_tell_mean_logits_from_the_official_mean_log_softmax() -> None:
    copies = torch.randn(4, 6, 3, generator=stream())
    ours = copies.mean(0).log_softmax(1)
    theirs = copies.log_softmax(2).mean(0).log_softmax(1)
    torch.testing.assert_close(ours, theirs)


def test_the_number_of_copies_follows_the_mode() -> None:
    model = AveragedModel([layer_of([ADD])], nn.Flatten(), n_copies_train=2, n_copies_test=5)
    assert model.train().n_copies == 2
    assert model.eval().n_copies == 5


def test_layers_act_one_after_the_other() -> None:
    model = AveragedModel([layer_of([ADD]), layer_of([SQUARE])], nn.Flatten())
    added = batch() + 1.5
    torch.testing.assert_close(model.train()(batch()), (added + 0.5 * added.square()).flatten(1))


def test_a_generator_that_is_passed_is_the_only_source_of_noise(bank: Bank) -> None:
    rows = [bank["offset"], bank["negate"], bank["blur"]]
    model = AveragedModel([layer_of(rows, at_eval="sample")], nn.Flatten()).eval()
    before = torch.get_rng_state()
    first, second = model(batch(), stream(7)), model(batch(), stream(7))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, model(batch(), stream(8)))


def test_in_a_graph_a_transform_that_was_negligible_stays_away(bank: Bank) -> None:
    """A graph goes on with the transforms of its recording: what it left out gets no share."""
    layer = layer_of(list(bank.values())[:3], hidden=[0.0, 0.0, -1.0])
    assert layer.used == [0, 1]
    with torch.no_grad():
        layer.hidden_weights.copy_(torch.tensor([-1.0, 0.0, 0.0]))
        layer._project_in_graph(torch.softmax(layer.hidden_weights / layer.temperature, 0))
    assert layer.used == [0, 1]
    torch.testing.assert_close(layer.weights, torch.tensor([0.0, 1.0, 0.0]))
    layer.project()  # as when it is recorded anew
    assert layer.used == [1, 2]
    torch.testing.assert_close(layer.weights, torch.tensor([0.0, 0.5, 0.5]))


def test_weights_that_are_no_numbers_make_a_result_that_is_none() -> None:
    """So the loss of a training that has gone wrong is NaN, which ends it as diverged."""
    layer = layer_of([exact("double", lambda x, m: 2 * x), exact("zero", lambda x, m: 0 * x)])
    with torch.no_grad():
        layer.hidden_weights.fill_(float("nan"))
    assert layer(batch(), stream()).isnan().all()


def test_an_empty_batch_stays_empty() -> None:
    layer = layer_of([exact("double", lambda x, m: 2 * x)])
    assert layer(batch(0), stream()).shape == (0, 2, 16)
