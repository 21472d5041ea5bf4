"""Filters by Fourier transforms, whose backward is as fast as their forward. EEG is (B, C, T)."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from augbench.datasets.forward_mode import is_in_forward_mode


def filtered(x: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectrum of the window, which is taken as periodic, by a response.

    (B, C, T), (B, 1 or C, T // 2 + 1) real or complex -> (B, C, T).
    """
    if is_in_forward_mode():
        return _Filter.forward(x, response)[0]
    result: Tensor = _Filter.apply(x, response)[0]  # type: ignore[no-untyped-call]
    return result


def hilbert(x: Tensor) -> Tensor:
    """The Hilbert transform, (B, C, T) -> (B, C, T), of the window padded to a power of two."""
    if is_in_forward_mode():
        return _Hilbert.forward(x)
    result: Tensor = _Hilbert.apply(x)  # type: ignore[no-untyped-call]
    return result


def cos_and_sin(angle: Tensor) -> tuple[Tensor, Tensor]:
    """The cosine and the sine of each angle; the backward of one uses the other."""
    if is_in_forward_mode():
        return _CosAndSin.forward(angle)
    cos, sin = _CosAndSin.apply(angle)  # type: ignore[no-untyped-call]
    return cos, sin


class _CosAndSin(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(angle: Tensor) -> tuple[Tensor, Tensor]:
        return angle.cos(), angle.sin()

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: Any, output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, by_cos: Tensor, by_sin: Tensor) -> Tensor:
        cos, sin = ctx.saved_tensors
        result: Tensor = by_sin * cos - by_cos * sin
        return result


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
        # How often a bin stands in the sum that the inverse is: once at both ends, else twice.
        counts = spectrum.real.new_full(spectrum.shape[-1:], 2.0 / ctx.n_times)
        counts[0] /= 2
        if ctx.n_times % 2 == 0:
            counts[-1] /= 2
        for_x = for_response = None
        if slope is not None:
            slopes = torch.fft.rfft(slope)
            if ctx.needs_input_grad[0]:
                for_x = torch.fft.irfft(slopes * response.conj(), n=ctx.n_times)
            if ctx.needs_input_grad[1]:
                products = (slopes * spectrum.conj()).sum_to_size(response.shape) * counts
                for_response = products if response.is_complex() else products.real
        if by_spectrum is not None:  # in a derivative of this derivative
            back = torch.fft.irfft(by_spectrum / counts, n=ctx.n_times)
            for_x = back if for_x is None else for_x + back
        return for_x, for_response


class _Hilbert(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        n_times = x.shape[-1]
        n_padded = 1 << (n_times - 1).bit_length()
        # irfft ignores the imaginary parts of the first and the last bin, as it has to here.
        turned: Tensor = torch.fft.irfft(-1j * torch.fft.rfft(x, n=n_padded), n=n_padded)
        return turned[..., :n_times]

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
        """It is linear: nothing is needed."""

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return -hilbert(slope)
