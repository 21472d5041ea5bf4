"""Named streams, and torch's global generator lent for a while."""

import pytest
import torch

from augbench.datasets.seeds import Seeds, global_seed


@pytest.mark.parametrize("seed", [0, 5, 2**63 - 1])
def test_a_block_draws_what_the_seed_gives_and_changes_nothing_outside(seed: int) -> None:
    torch.manual_seed(seed)
    expected = torch.rand(4)
    torch.manual_seed(3)
    outside = torch.rand(4)
    torch.manual_seed(3)
    with global_seed(seed):
        inside = torch.rand(4)
    assert torch.equal(inside, expected)
    assert torch.equal(torch.rand(4), outside)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_block_on_a_gpu_draws_what_the_seed_gives_and_changes_nothing_outside() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4), torch.rand(4, device="cuda")
    torch.manual_seed(3)
    outside = torch.rand(4), torch.rand(4, device="cuda")
    torch.manual_seed(3)
    with global_seed(5, "cuda"):
        inside = torch.rand(4), torch.rand(4, device="cuda")
    for drawn, wanted in zip(
        (*inside, torch.rand(4), torch.rand(4, device="cuda")), (*expected, *outside), strict=True
    ):
        assert torch.equal(drawn, wanted)


def test_equal_names_give_equal_numbers_and_others_others() -> None:
    seeds = Seeds(("task", 0))
    assert seeds.integer("batches", 1) == seeds.child("batches").integer(1)
    assert seeds.integer("batches", 1) != seeds.integer("batches", 2)
    draws = [torch.rand(3, generator=seeds.generator("noise")) for _ in range(2)]
    assert torch.equal(*draws)
