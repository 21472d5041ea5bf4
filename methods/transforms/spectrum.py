"""Filters by Fourier transforms, whose backward is as fast as their forward. EEG is (B, C, T)."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from augbench.datasets.forward_mode import apply_function
from augbench.methods.transforms.constants import DeviceConstant, SizedConstant


def filtered(x: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectrum of the window, which is taken as periodic, by a response.

    (B, C, T), (B, 1 or C, T // 2 + 1) real or complex -> (B, C, T).
    """
    result: Tensor = apply_function(_Filter, x, response)[0]
    return result


def hilbert(x: Tensor, sign: int = 1) -> Tensor:
    """The Hilbert transform, (B, C, T) -> (B, C, T), of the window padded to a power of two.

    With ``sign`` -1 it is minus that.
    """
    result: Tensor = apply_function(_Hilbert, x, sign)
    return result


# How often a bin stands in the sum that the inverse is: once at both ends, else twice.
def _counts(n_times: int, *, dtype: torch.dtype) -> Tensor:
    counts = torch.full((n_times // 2 + 1,), 2.0 / n_times, dtype=dtype)
    counts[0] /= 2
    if n_times % 2 == 0:
        counts[-1] /= 2
    return counts


_COUNTS = SizedConstant(_counts)


class _Filter(Function):
    """irfft(rfft(x) * response), and rfft(x).

    torch's backward of rfft is a complex Fourier transform of twice the size, four times as slow.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, response: Tensor) -> tuple[Tensor, Tensor]:
        spectrum = torch.fft.rfft(x)
        return torch.fft.irfft(spectrum * response, n=x.shape[-1]), spectrum

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Any) -> None:
        ctx.save_for_backward(inputs[1], output[1])
        ctx.n_times = inputs[0].shape[-1]
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(
        ctx: Any, slope: Tensor | None, by_spectrum: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        response, spectrum = ctx.saved_tensors
        counts = _COUNTS(ctx.n_times, spectrum.real)
        for_x = for_response = None
        if slope is not None:
            slopes = torch.fft.rfft(slope)
            if ctx.needs_input_grad[0]:
                for_x = torch.fft.irfft(slopes * response.conj(), n=ctx.n_times)
            if ctx.needs_input_grad[1]:
                products = (slopes * spectrum.conj()).sum_to_size(response.shape)
                for_response = (products if response.is_complex() else products.real) * counts
        if by_spectrum is not None:  # in a derivative of this derivative
            back = torch.fft.irfft(by_spectrum / counts, n=ctx.n_times)
            for_x = back if for_x is None else for_x + back
        return for_x, for_response


_ZERO = DeviceConstant(torch.zeros(1))


class _Hilbert(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, sign: int) -> Tensor:
        n_times = x.shape[-1]
        n_padded = 1 << (n_times - 1).bit_length()
        if n_padded > n_times:  # rfft would write zeros to all of it first
            zeros = _ZERO(x).expand(*x.shape[:-1], n_padded - n_times)
            x = torch.cat([x, zeros], dim=-1)
        spectrum = torch.fft.rfft(x).mul_(complex(0, -sign))
        # irfft ignores the imaginary parts of the first and the last bin, as it has to here.
        turned: Tensor = torch.fft.irfft(spectrum, n=n_padded)
        return turned[..., :n_times]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        ctx.sign = inputs[1]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return hilbert(slope, -ctx.sign), None
