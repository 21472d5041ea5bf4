"""The hypergradient against autograd through a virtual step that is written out."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Split
from augbench.methods.gradients.hypergradient import Hypergradient, hypergradient
from augbench.methods.training.bilevel import RADIUS

RATE = 0.1
SEEDS = Seeds(("hypergradient",))


def network(
    activation: type[nn.Module] = nn.ReLU, *, dropout: float = 0.5, norm: bool = False
) -> nn.Module:
    with global_seed(1):
        layers: list[nn.Module] = [nn.Linear(6, 32), activation(), nn.Dropout(dropout)]
        if norm:
            layers.insert(1, nn.BatchNorm1d(32))
        return nn.Sequential(*layers, nn.Linear(32, 16), activation(), nn.Linear(16, 3)).train()


def split(n: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = torch.randn(n, 6, generator=generator)
    x[:, 0] += y.float()
    return Split(x, y)


@pytest.fixture
def train() -> Split:
    return split(16, 2)


@pytest.fixture
def valid() -> Split:
    return split(16, 3)


@dataclass
class Case:
    model: nn.Module
    train: Split
    valid: Split
    class_weights: Tensor | None = None

    def found(self, **options: Any) -> Hypergradient:
        return hypergradient(
            self.model,
            self.train,
            self.valid,
            rate=RATE,
            class_weights=self.class_weights,
            seeds=SEEDS,
            **options,
        )

    def loss_after(self, x: Tensor, share: Tensor) -> Tensor:
        """The validation loss after the step, with a graph all the way to ``x`` and ``share``."""
        weights = dict(self.model.named_parameters())

        def losses(at: dict[str, Any], of: Split, stream: str) -> Tensor:
            buffers = {name: each.clone() for name, each in self.model.named_buffers()}
            with global_seed(SEEDS.integer(stream)):
                logits = functional_call(self.model, {**at, **buffers}, (of.x,))
            return F.cross_entropy(logits, of.y, weight=self.class_weights, reduction="none")

        def total(y: Tensor) -> Any:
            return len(y) if self.class_weights is None else self.class_weights[y].sum()

        learned = losses(weights, Split(x, self.train.y), "train")
        learned = (share * learned).sum() / total(self.train.y)
        slopes = torch.autograd.grad(learned, [*weights.values()], create_graph=True)
        after = {n: w - RATE * g for (n, w), g in zip(weights.items(), slopes, strict=True)}
        return losses(after, self.valid, "valid").sum() / total(self.valid.y)

    def exact(self) -> tuple[Tensor, Tensor]:
        x = self.train.x.clone().requires_grad_()
        share = torch.ones(len(x), requires_grad=True)
        by_x, by_share = torch.autograd.grad(self.loss_after(x, share), [x, share])
        return by_x, by_share


def cosine(a: Tensor, b: Tensor) -> float:
    return float(F.cosine_similarity(a.flatten(), b.flatten(), dim=0))


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0])])
def test_by_a_second_backward_pass_it_is_what_autograd_says(
    train: Split, valid: Split, norm: bool, weights: Tensor | None
) -> None:
    case = Case(network(norm=norm), train, valid, weights)
    found = case.found()
    by_x, by_share = case.exact()
    # Sign and size as well: a cosine would not see a lost learning rate.
    assert torch.allclose(found.x, by_x, rtol=1e-4, atol=1e-7)
    assert torch.allclose(found.samples, by_share, rtol=1e-4, atol=1e-7)
    assert cosine(found.x, by_x) > 0.999


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_differences_come_close_on_a_smooth_network(
    train: Split, valid: Split, dropout: float
) -> None:
    case = Case(network(nn.ELU, dropout=dropout), train, valid)
    found = case.found(radius=RADIUS)
    by_x, by_share = case.exact()
    assert cosine(found.x, by_x) > 0.98  # measured: 1.0000
    assert cosine(found.samples, by_share) > 0.98
    assert float(found.x.norm() / by_x.norm()) == pytest.approx(1.0, abs=0.01)


def test_what_is_drawn_is_judged_alike_on_a_network_with_kinks() -> None:
    """Losses do not jump where slopes do, so samples agree; inputs need not (see the docstring)."""
    for seed in range(21):
        case = Case(network(nn.ReLU), split(16, 2 + seed), split(16, 50 + seed))
        assert cosine(case.found(radius=RADIUS).samples, case.exact()[1]) > 0.98


def missed(activation: type[nn.Module], radius: float | None) -> float:
    """How far slopes, summed along a path of stretched inputs, miss what the path does in all.

    The root mean square over batches, beside that of the change itself.
    """
    low, high, n_pieces, n_batches = 0.7, 1.3, 9, 20
    ones = torch.ones(64)
    misses, changes = [], []
    for seed in range(n_batches):
        train, valid = split(64, 2 + seed), split(64, 500 + seed)
        model = network(activation, dropout=0.0)

        def at(
            factor: float, train: Split = train, valid: Split = valid, model: nn.Module = model
        ) -> Case:
            return Case(model, Split(factor * train.x, train.y), valid)

        ends = (float(at(f).loss_after(f * train.x, ones).detach()) for f in (high, low))
        change = next(ends) - next(ends)
        step = (high - low) / n_pieces
        slopes = [
            (at(low + (piece + 0.5) * step).found(radius=radius).x * train.x).sum()
            for piece in range(n_pieces)
        ]
        misses.append(step * float(sum(slopes)) - change)
        changes.append(change)
    return float(torch.tensor(misses).norm() / torch.tensor(changes).norm())


def test_a_second_pass_leaves_out_what_jumps_at_kinks_and_differences_do_not() -> None:
    smooth, kinked = missed(nn.ELU, None), missed(nn.ReLU, None)
    assert smooth < 2e-3
    assert kinked > 20 * smooth
    assert missed(nn.ReLU, RADIUS) < 0.7 * kinked


def test_a_small_weight_on_a_sample_changes_the_loss_as_foretold(
    train: Split, valid: Split
) -> None:
    """A difference of two whole virtual steps, which shares no code with the derivative."""
    case = Case(network(dropout=0.0), train, valid)
    for sample in (0, 7):
        bump = torch.zeros(16)
        bump[sample] = 1e-2
        above, below = (
            float(case.loss_after(train.x, torch.ones(16) + sign * bump).detach())
            for sign in (1, -1)
        )
        foretold = float(case.found().samples[sample])
        assert (above - below) / 2e-2 == pytest.approx(foretold, rel=0.02, abs=1e-5)


def test_the_model_is_left_as_it_was(train: Split, valid: Split) -> None:
    """Batch-norm statistics above all: the passes beside the weights would spoil them."""
    for radius in (None, RADIUS):
        model = network(norm=True)
        before = {name: each.clone() for name, each in model.state_dict().items()}
        Case(model, train, valid).found(radius=radius)
        assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
        assert all(each.grad is None for each in model.parameters())


def test_passes_share_their_dropout_masks_and_leave_the_global_generator(
    train: Split, valid: Split
) -> None:
    case = Case(network(nn.ELU), train, valid)
    state = torch.get_rng_state()
    first, second = case.found(radius=RADIUS), case.found(radius=RADIUS)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.x, second.x)
    # Masks of their own would leave the noise of a loss over 2 epsilon: hundreds of times as much.
    assert float(first.samples.norm()) < 2 * float(case.exact()[1].norm())


def test_a_batch_that_nothing_can_be_learned_from_moves_nothing(valid: Split) -> None:
    """Samples of weight 0 have no slope in x: what a policy did to them does not matter."""
    train = split(16, 4)
    case = Case(network(), train, valid, torch.tensor([0.0, 1.0, 1.0]))
    found = case.found()
    assert torch.equal(found.x[train.y == 0], torch.zeros_like(found.x[train.y == 0]))
    assert found.x[train.y == 1].abs().sum() > 0
