import torch
from torch import Tensor

from augbench.methods.transforms.smooth_dip import SmoothDip

DIP = SmoothDip(before=-0.5, after=0.25)
AXIS = torch.arange(12, dtype=torch.float64)


def spans(*shape: int) -> tuple[Tensor, Tensor]:
    """Places and lengths of spans."""
    generator = torch.Generator().manual_seed(0)
    place = 8 * torch.rand(*shape, 1, 1, generator=generator, dtype=torch.float64)
    length = 4 * torch.rand(*shape, 1, 1, generator=generator, dtype=torch.float64)
    return place, length


def dip(place: Tensor, length: Tensor) -> Tensor:
    return DIP(AXIS, place, length, 1.5)


def test_a_dip_and_its_derivatives_are_those_of_two_sigmoids() -> None:
    place, length = spans(3)
    behind = torch.sigmoid(1.5 * (AXIS - place - 0.25 * length))
    ahead = torch.sigmoid(1.5 * (AXIS - place + 0.5 * length))
    torch.testing.assert_close(dip(place, length), behind - ahead)
    leaves = (place.requires_grad_(), length.requires_grad_())
    assert torch.autograd.gradcheck(dip, leaves)
    assert torch.autograd.gradgradcheck(dip, leaves)


def test_a_span_of_length_0_leaves_everything() -> None:
    place, length = spans(3)
    assert not dip(place, 0 * length).any()


def test_torch_func_vectorizes_it() -> None:
    place, length = spans(2, 3)

    def loss(place: Tensor, length: Tensor) -> Tensor:
        return dip(place, length).square().sum()

    slopes = torch.func.vmap(torch.func.grad(loss, (0, 1)))(place, length)
    for k in range(2):
        leaves = place[k].clone().requires_grad_(), length[k].clone().requires_grad_()
        for ours, theirs in zip(slopes, torch.autograd.grad(loss(*leaves), leaves), strict=True):
            torch.testing.assert_close(ours[k], theirs)
