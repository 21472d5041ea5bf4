import pytest
import torch
from torch import Generator

from augbench.analysis.paper.invariance import cosine_distances, invariances

OUTPUTS = torch.randn(400, 4, generator=Generator().manual_seed(0))


def generator() -> Generator:
    return Generator().manual_seed(1)


def test_outputs_that_do_not_move_are_wholly_invariant() -> None:
    got = invariances(OUTPUTS, OUTPUTS, generator())
    # Where two inputs have nearly the same output, the baseline weighs little against BARELY.
    torch.testing.assert_close(got, torch.ones(400).double(), atol=1e-4, rtol=0)


def test_moving_as_far_as_to_another_input_has_no_invariance() -> None:
    moved = OUTPUTS[torch.randperm(400, generator=generator())]
    assert abs(float(invariances(OUTPUTS, moved, generator()).median())) < 0.2


def test_no_input_is_its_own_baseline() -> None:
    # Two inputs at right angles: each is the other's baseline, at the distance 1.
    outputs = torch.eye(2)
    moved = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    for seed in range(10):
        got = invariances(outputs, moved, Generator().manual_seed(seed))
        assert got.tolist() == pytest.approx([0.5**0.5] * 2, abs=1e-6)


def test_a_constant_model_has_no_invariance_to_speak_of() -> None:
    same = torch.ones(8, 4)
    assert invariances(same, same, generator()).tolist() == [0.0] * 8


def test_the_length_of_an_output_does_not_matter() -> None:
    distances = cosine_distances(OUTPUTS, 3 * OUTPUTS)
    torch.testing.assert_close(distances, torch.zeros(400).double(), atol=1e-6, rtol=0)
