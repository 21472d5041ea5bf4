import tracemalloc

import numpy as np
import pytest
import torch

from augbench.datasets.task import Digest, Split, Views, fingerprint

X = torch.arange(4_000_000, dtype=torch.float32).reshape(1000, 4, 1000)
Y = torch.arange(1000)


def test_a_fingerprint_stays_what_it_was() -> None:
    """Run directories hold them: if this changes, no run can be resumed."""
    assert fingerprint(X[:10], Y[:10], about="('C3',) 64.0") == "80f6ae64a26ef2ad"


def test_blocks_give_the_fingerprint_of_the_whole() -> None:
    digest = Digest("about")
    digest.begin(np.dtype(np.float32), tuple(X.shape))
    for block in X.split(17):
        digest.update(block.numpy())
    digest.add(Y.numpy())
    assert digest.hexadecimal() == fingerprint(X, Y, about="about")


def test_a_fingerprint_copies_nothing() -> None:
    tracemalloc.start()
    fingerprint(X, Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000  # of 16 MB


def test_views_of_other_strides_have_the_fingerprint_of_their_values() -> None:
    turned = X[:10].transpose(1, 2)
    assert fingerprint(turned) == fingerprint(turned.contiguous()) != fingerprint(X[:10])


def test_rows_with_gaps_between_them_move_without_the_gaps() -> None:
    gapped = torch.as_strided(X, (600, 3, 1000), (4000, 1000, 1))
    moved = Split(gapped, Y[:600]).to("meta")
    assert moved.x.is_meta
    assert moved.x.is_contiguous()
    assert moved.x.shape == gapped.shape
    assert Split(gapped, Y[:600]).to("cpu").x is gapped


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_rows_with_gaps_between_them_are_the_same_on_a_gpu() -> None:
    gapped = torch.as_strided(X, (600, 3, 1000), (4000, 1000, 1))
    assert torch.equal(Split(gapped, Y[:600]).to("cuda").x.cpu(), gapped)


def test_one_set_for_both_validations_counts_once() -> None:
    def split(n: int) -> Split:
        return Split(torch.zeros(n, 2), torch.arange(n) % 2)

    assert Views(split(5), split(3), split(3)).n_examples == 8
    assert Views(split(5), split(3), split(4)).n_examples == 12
