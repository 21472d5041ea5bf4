import numpy as np
import pytest

from augbench.datasets.standardise import standardise

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(60, 3, 64), (7, 1, 3001), (33, 5, 17)])
def test_any_blocks_give_the_bits_of_numpys_mean_and_std(
    shape: tuple[int, ...], order: str
) -> None:
    """Fingerprints of data depend on them."""
    x = np.asarray(RANDOM.normal(3, 20, shape).astype(np.float32), order=order)
    x64 = x.astype(np.float64)
    expected = (x64 - x64.mean(2, keepdims=True)) / x64.std(2, keepdims=True)
    blocks = [standardise(x[start : start + 13]) for start in range(0, len(x), 13)]
    assert np.array_equal(np.concatenate(blocks), expected.astype(np.float32))


def test_a_flat_channel_becomes_0() -> None:
    x = RANDOM.normal(size=(4, 2, 50)).astype(np.float32)
    x[:, 1] = 1e5
    assert (standardise(x)[:, 1] == 0).all()
    assert np.allclose(standardise(x)[:, 0].std(1), 1)
