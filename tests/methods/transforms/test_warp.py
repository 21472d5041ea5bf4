import pytest
import torch

from augbench.methods.transforms.warp import sampled, slid


def pictures(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(4, 3, 7, 9, generator=torch.Generator().manual_seed(0), dtype=dtype)


def by_sampling(x: torch.Tensor, pixels: torch.Tensor, axis: int) -> torch.Tensor:
    """The same for whole images, by the grid of an affine map."""
    affines = torch.eye(2, 3, dtype=x.dtype).repeat(len(x), 1, 1)
    affines[:, axis, 2] = -2 * pixels[:, 0] / x.shape[3 - axis]
    return sampled(x, affines.unsqueeze(1))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("far", [0.3, 3.0, 8.0, 50.0])
def test_sliding_whole_images_is_an_affine_sampling(axis: int, far: float) -> None:
    x = pictures(torch.float64)
    pixels = far * torch.tensor([[-1.0], [-0.4], [0.7], [1.0]], dtype=torch.float64)
    torch.testing.assert_close(slid(x, pixels, axis), by_sampling(x, pixels, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_each_line_slides_by_itself(axis: int) -> None:
    x = pictures()
    pixels = torch.linspace(-12, 12, 4 * x.shape[2 + axis]).view(4, -1)
    out = slid(x, pixels, axis)
    for line in range(pixels.shape[1]):
        alone = slid(x, pixels[:, line : line + 1], axis)
        torch.testing.assert_close(out.select(2 + axis, line), alone.select(2 + axis, line))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("per_line", [True, False])
def test_its_first_and_second_derivatives_are_finite_differences(axis: int, per_line: bool) -> None:
    x = torch.rand(2, 1, 4, 3, dtype=torch.float64, requires_grad=True)
    n_lines = x.shape[2 + axis] if per_line else 1
    pixels = torch.linspace(-2.2, 2.3, 2 * n_lines, dtype=torch.float64).view(2, -1)
    pixels.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: slid(a, b, axis), (x, pixels))
    assert torch.autograd.gradgradcheck(lambda a, b: slid(a, b, axis), (x, pixels))


def test_torch_func_vectorizes_it() -> None:
    x, pixels = pictures()[None].repeat(2, 1, 1, 1, 1), torch.rand(2, 4, 7)
    out = torch.func.vmap(lambda a, b: slid(a, b, 0))(x, pixels)
    torch.testing.assert_close(out[1], slid(x[1], pixels[1], 0))
