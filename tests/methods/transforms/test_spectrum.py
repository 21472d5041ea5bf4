import pytest
import torch
from torch import Tensor

from augbench.methods.transforms.spectrum import filtered, hilbert


def signals(n_times: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, n_times, generator=generator, dtype=torch.float64)


def response(n_times: int, *, real: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    dtype = torch.float64 if real else torch.complex128
    return torch.randn(2, 1, n_times // 2 + 1, generator=generator, dtype=dtype)


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("n_times", [1, 2, 7, 8])
def test_a_filter_and_its_derivatives_are_those_of_fourier_transforms(
    n_times: int, real: bool
) -> None:
    def by_hand(x: Tensor, response: Tensor) -> Tensor:
        product: Tensor = torch.fft.irfft(torch.fft.rfft(x) * response, n=n_times)
        return product

    x = signals(n_times).requires_grad_()
    factors = response(n_times, real=real).requires_grad_()
    torch.testing.assert_close(filtered(x, factors), by_hand(x, factors))
    g = signals(n_times).flip(0)
    for ours, theirs in zip(
        torch.autograd.grad((g * filtered(x, factors)).sum(), (x, factors)),
        torch.autograd.grad((g * by_hand(x, factors)).sum(), (x, factors)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradcheck(filtered, (x, factors))
    assert torch.autograd.gradgradcheck(filtered, (x, factors))


@pytest.mark.parametrize("n_times", [1, 2, 3, 4, 5, 30, 64, 100])
def test_a_hilbert_transform_turns_each_frequency_of_the_padded_window_by_a_quarter(
    n_times: int,
) -> None:
    x = signals(n_times)
    n_padded = 1 << (n_times - 1).bit_length()
    expected = torch.fft.irfft(-1j * torch.fft.rfft(x, n=n_padded), n=n_padded)[..., :n_times]
    torch.testing.assert_close(hilbert(x), expected)
    torch.testing.assert_close(hilbert(x.float()).double(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_times", [4, 11, 16])
def test_the_derivatives_of_a_hilbert_transform_are_finite_differences(n_times: int) -> None:
    x = signals(n_times)[:1, :1].requires_grad_()
    assert torch.autograd.gradcheck(hilbert, (x,))
    assert torch.autograd.gradgradcheck(hilbert, (x,))


def test_torch_func_vectorizes_them() -> None:
    x, factors = signals(16)[None].repeat(2, 1, 1, 1), response(16)[None].repeat(2, 1, 1, 1)
    out = torch.func.vmap(filtered)(x, 2 * factors)
    torch.testing.assert_close(out[1], filtered(x[1], 2 * factors[1]))
    torch.testing.assert_close(torch.func.vmap(hilbert)(x)[1], hilbert(x[1]))
