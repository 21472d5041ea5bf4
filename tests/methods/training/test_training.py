"""The one inner training and the score."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor, nn

from augbench.datasets.task import Split
from augbench.methods.policies.policy import Policy
from augbench.methods.training import training
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.training.training import (
    DivergedError,
    Training,
    rate_share,
    score,
    score_predictions,
)


def script(monkeypatch: pytest.MonkeyPatch, metrics: list[float]) -> None:
    """Make the validation metric of each epoch known beforehand."""
    values = iter(metrics)
    monkeypatch.setattr(training, "score", lambda *args, **named: next(values))


def test_it_stops_when_the_patience_is_used_up_and_restores_the_best_weights(
    make_setup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, [0.2, 0.5, 0.4, 0.5, 0.4, 0.9])
    run = retrain(make_setup(epochs=100, patience=3), Policy())
    weights = []
    while not run.done:
        run.step()
        weights.append(run.model.state_dict()["dense.weight"].clone())
    assert run.epoch == 5  # epoch 2 is the best; 3, 4 and 5 are no better, and an equal one is not
    assert (run.best_epoch, run.best_valid, run.last_valid) == (2, 0.5, 0.4)
    assert torch.equal(run.load_best().state_dict()["dense.weight"], weights[1])
    assert not torch.equal(weights[1], weights[4])


def test_it_stops_after_the_last_epoch(make_setup: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, [0.1, 0.2, 0.3, 0.4])
    run = retrain(make_setup(epochs=3, patience=2), Policy())
    while not run.done:
        run.step()
    assert run.epoch == 3


def test_it_learns_what_was_planted(make_setup: Any) -> None:
    run = retrain(make_setup(epochs=40, patience=40), Policy())
    while not run.done:
        run.step()
    assert run.best_valid > 0.8


def test_training_accuracy_is_that_of_what_was_seen_before_each_update(make_setup: Any) -> None:
    run = retrain(make_setup(epochs=2), Policy())
    right, seen = 0, 0
    forward = run.model.forward

    def spy(x: Tensor) -> Tensor:
        nonlocal right, seen
        logits: Tensor = forward(x)
        if run.model.training:
            rows = [(run.train.x == each).flatten(1).all(1).nonzero()[0, 0] for each in x]
            right += int((logits.argmax(1) == run.train.y[torch.stack(rows)]).sum())
            seen += len(x)
        return logits

    run.model.forward = spy  # type: ignore[method-assign]
    run.step()
    assert run.train_accuracy == pytest.approx(right / seen)
    assert seen == len(run.train.y)
    resumed = retrain(make_setup(epochs=2), Policy())
    resumed.load_state_dict(run.state_dict())
    assert resumed.train_accuracy == run.train_accuracy


def test_every_sample_is_seen_once_an_epoch_in_an_order_of_its_own(make_setup: Any) -> None:
    setup: Setup = make_setup()
    epochs: list[list[float]] = []

    def spy(x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        epochs[-1] += x[:, 0, 0].tolist()
        return x

    run = retrain(setup, Policy())
    run.augment = spy
    for _ in range(2):
        epochs.append([])
        run.step()
    everyone = sorted(setup.views.train.x[:, 0, 0].tolist())
    assert sorted(epochs[0]) == sorted(epochs[1]) == everyone
    assert epochs[0] != epochs[1]


def test_labels_stay_with_their_samples(make_setup: Any) -> None:
    setup: Setup = make_setup()
    label_of = dict(
        zip(*(t.tolist() for t in (setup.views.train.x[:, 0, 0], setup.views.train.y)), strict=True)
    )

    def spy(x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        assert [label_of[value] for value in x[:, 0, 0].tolist()] == y.tolist()
        return x

    run = retrain(setup, Policy())
    run.augment = spy
    run.step()


def linear_run(setup: Setup, **given: Any) -> Training:
    """One batch an epoch and a linear trunk, so that a step can be done by hand."""
    return Training(
        nn.Sequential(nn.Flatten(), nn.Linear(32, 3)),
        setup.views.train,
        setup.views.model_valid,
        settings=replace(setup.training, batch_size=1000),
        n_classes=3,
        metric="accuracy",
        seeds=setup.seeds,
        meter=setup.meter,
        **given,
    )


def test_the_loss_weighs_classes_by_their_inverse_frequency(make_setup: Any) -> None:
    setup: Setup = make_setup()
    y = setup.views.train.y.numpy()
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=y)
    run = linear_run(setup)
    assert run.class_weights is not None
    assert run.class_weights.tolist() == pytest.approx(theirs.tolist())
    logits = run.model(setup.views.train.x).log_softmax(1)
    weights = torch.tensor(theirs, dtype=torch.float32)[setup.views.train.y]
    right = logits.gather(1, setup.views.train.y[:, None]).squeeze(1)
    by_hand = torch.autograd.grad(-(weights * right).sum() / weights.sum(), run.model[1].bias)[0]
    run.step()
    torch.testing.assert_close(run.model[1].bias.grad, by_hand)


def test_without_class_weights_the_loss_is_the_plain_mean(make_setup: Any) -> None:
    assert linear_run(make_setup(class_weights=False)).class_weights is None


def test_the_penalty_is_added_to_the_loss(make_setup: Any) -> None:
    gradients = []
    for factor in (0.0, 2.0):
        torch.manual_seed(0)
        run = linear_run(make_setup(), penalty=None)
        bias = run.model[1].bias
        run.penalty = lambda bias=bias, factor=factor: factor * bias.sum()
        run.step()
        gradients.append(bias.grad)
    torch.testing.assert_close(gradients[1] - gradients[0], torch.full((3,), 2.0))


def two_groups(setup: Setup) -> Training:
    """The trunk's dense layer learns ten times as fast as the rest of it."""
    trunk = setup.trunk()
    dense = list(trunk.dense.parameters())  # type: ignore[union-attr,operator]
    others = [weight for name, weight in trunk.named_parameters() if "dense" not in name]
    groups = [{"params": others}, {"params": dense, "lr": 10 * setup.training.learning_rate}]
    return Training(
        trunk,
        setup.views.train,
        setup.views.model_valid,
        settings=setup.training,
        n_classes=3,
        metric="accuracy",
        seeds=setup.seeds,
        meter=setup.meter,
        parameter_groups=groups,
    )


def rates(run: Training) -> list[float]:
    return [group["lr"] for group in run.optimizer.param_groups]


def test_a_cosine_takes_every_group_down_from_its_own_rate(make_setup: Any) -> None:
    run = two_groups(make_setup(epochs=4, learning_rate=0.1, schedule="cosine", patience=9))
    # The cosines of 0, 45, 90 and 135 degrees, lifted to [0, 1].
    for share in (1.0, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2):
        run.step()
        assert rates(run) == pytest.approx([0.1 * share, 1.0 * share])


def test_a_constant_rate_stays_to_the_last_bit(make_setup: Any) -> None:
    run = two_groups(make_setup(epochs=4, learning_rate=0.1, patience=9))
    for _ in range(4):
        run.step()
        assert rates(run) == [0.1, 1.0]


def test_a_cosine_ends_above_zero_and_never_rises() -> None:
    shares = [rate_share("cosine", epoch, 200) for epoch in range(1, 201)]
    assert shares[0] == 1.0
    assert shares[-1] == pytest.approx(6.17e-5, rel=1e-3)
    assert shares == sorted(shares, reverse=True)


def test_the_rate_is_what_the_optimizer_steps_with(make_setup: Any) -> None:
    """Adam's first steps are as long as the rate, whatever the gradient."""
    setup: Setup = make_setup(epochs=2, learning_rate=0.1, schedule="cosine", beta1=0.0, beta2=0.0)
    run = linear_run(setup)
    bias = run.model[1].bias  # type: ignore[index]
    steps = []
    for _ in range(2):
        before = bias.detach().clone()
        run.step()
        steps.append((bias.detach() - before).abs().max().item())
    assert steps == pytest.approx([0.1, 0.05], rel=1e-3)


def test_a_cosine_goes_on_where_it_was_to_the_last_bit(make_setup: Any) -> None:
    setup: Setup = make_setup(epochs=6, schedule="cosine", patience=9)
    through, before, after = (two_groups(setup) for _ in range(3))
    for _ in range(6):
        through.step()
    for _ in range(3):
        before.step()
    after.load_state_dict(deepcopy(before.state_dict()))
    for _ in range(3):
        after.step()
    assert rates(after) == rates(through)
    for one, other in zip(through.model.parameters(), after.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_epoch(make_setup: Any) -> None:
    run = linear_run(make_setup(), penalty=lambda: torch.tensor(torch.nan))
    with pytest.raises(DivergedError, match="epoch 1"):
        run.step()


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("seed", range(5))
def test_metrics_agree_with_scikit_learn(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(4, (50,), generator=generator).clamp(max=2)  # class 3 does not occur
    predicted = torch.randint(4, (50,), generator=generator)
    ours = score_predictions(predicted, y, metric="balanced_accuracy", n_classes=4)
    assert ours == pytest.approx(balanced_accuracy_score(y, predicted))
    plain = score_predictions(predicted, y, metric="accuracy", n_classes=4)
    assert plain == pytest.approx((y == predicted).double().mean().item())


def test_scoring_is_repeatable_for_a_model_that_draws_and_in_evaluation_mode(
    make_setup: Any,
) -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert not self.training
            assert not torch.is_grad_enabled()
            return torch.randn(len(x), 3)

    setup: Setup = make_setup()
    long = Split(torch.zeros(400, 1), torch.arange(400) % 3)
    given: Any = {"metric": "accuracy", "n_classes": 3, "meter": setup.meter}
    first = score(Noisy(), long, seed=1, **given)
    assert score(Noisy(), long, seed=1, **given) == first
    assert score(Noisy(), long, seed=2, **given) != first


@pytest.mark.parametrize(
    ("shape", "at_once"), [((1, 1000), 128), ((8, 640), 128), ((6, 3840), 28), ((64, 20_000), 1)]
)
def test_the_longer_windows_are_the_fewer_are_scored_at_a_time(
    make_setup: Any, shape: tuple[int, ...], at_once: int
) -> None:
    seen: list[int] = []

    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return torch.zeros(len(x), 3)

    setup: Setup = make_setup()
    split = Split(torch.zeros(1).expand(130, *shape), torch.arange(130) % 3)
    given: Any = {"metric": "accuracy", "n_classes": 3, "meter": setup.meter}
    score(Counting(), split, seed=1, **given)
    assert max(seen) == at_once
    assert sum(seen) == 130


@pytest.mark.parametrize(("steers", "phase"), [(True, "validate"), (False, "evaluate")])
def test_validation_that_steers_has_a_phase_of_its_own_and_training_the_phase_around(
    make_setup: Any, steers: bool, phase: str
) -> None:
    setup: Setup = make_setup()
    training = Training(
        setup.trunk(),
        setup.views.train,
        setup.views.model_valid,
        settings=setup.training,
        n_classes=setup.n_classes,
        metric=setup.metric,
        seeds=setup.seeds,
        meter=setup.meter,
        validation_steers=steers,
    )
    with setup.meter.phase("search"):
        training.step()
    assert setup.meter.told["search", "forward"] == 36  # type: ignore[attr-defined]
    assert setup.meter.told["search", "backward"] == 36  # type: ignore[attr-defined]
    assert setup.meter.told["search", "steps"] == 4  # type: ignore[attr-defined]
    assert setup.meter.told[phase, "forward"] == 20  # type: ignore[attr-defined]
    assert setup.meter.told[phase, "backward"] == 0  # type: ignore[attr-defined]
