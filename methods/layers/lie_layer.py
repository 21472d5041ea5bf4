"""Augerino's layer: affine maps of images, from a box in the Lie algebra whose size is learned."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from augbench.methods.transforms.transform import without_autocast
from augbench.methods.transforms.warp import interpolated

TRANSLATION = 0.1  # of a whole image side per unit, in coordinates that run from -1 to 1
DEGREES = 57.29577951308232  # in a radian
HALVINGS, DEGREE = 5, 9  # of the exponential

# name -> the generator, the value of a coefficient of 1, the unit of that value
GENERATORS: dict[str, tuple[list[list[float]], float, str]] = {
    "translation_x": ([[0, 0, TRANSLATION], [0, 0, 0]], TRANSLATION / 2, "share of the width"),
    "translation_y": ([[0, 0, 0], [0, 0, TRANSLATION]], TRANSLATION / 2, "share of the height"),
    "rotation": ([[0, -1, 0], [1, 0, 0]], DEGREES, "degrees"),
    "scale": ([[1, 0, 0], [0, 1, 0]], 1.0, "logarithm of the factor"),
    "stretch": ([[1, 0, 0], [0, -1, 0]], 1.0, "logarithm of the factor"),
    "shear": ([[0, 1, 0], [1, 0, 0]], 1.0, "logarithm of the factor"),
}


class LieLayer(nn.Module):
    """Moves each image by an affine map, whose coefficients are uniform in +-width / 2.

    ``layer(x, generator)``: (B, C, H, W) -> (B, C, H, W), bilinear, zeros outside; the noise comes
    from torch's global generator where none is passed. It does the same in training and evaluation.

    Source: Benton et al. 2020 (Augerino), section 3.2; g-benton/learning-invariances,
    augerino/uniform_aug.py.
    """

    generators: Tensor  # (G, 3, 3)

    def __init__(self, names: tuple[str, ...], *, initial_width: float) -> None:
        super().__init__()
        self.names = names
        raw = torch.tensor(initial_width).expm1().log()  # its softplus is the width
        self.raw_widths = nn.Parameter(raw.repeat(len(names)))
        rows = torch.tensor([[*GENERATORS[name][0], [0, 0, 0]] for name in names])
        self.register_buffer("generators", rows.float(), persistent=False)

    @property
    def widths(self) -> Tensor:
        """(G,), above 0: no generator is ever switched off completely."""
        return F.softplus(self.raw_widths)

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        if len(x) == 0:  # of which torch makes no grid
            return x
        shape = (len(x), len(self.names))
        uniform = torch.rand(shape, generator=generator, dtype=x.dtype, device=x.device)
        with without_autocast(x):
            return warp(x, self.maps(uniform))

    def maps(self, uniform: Tensor) -> Tensor:
        """(B, G) in [0, 1) -> (B, 2, 3): where each pixel comes from."""
        coefficients = (uniform - 0.5) * self.widths  # (B, G)
        # The official code solves a differential equation for this exponential, on the CPU.
        return exponential(torch.einsum("bg,gij->bij", coefficients, self.generators))[:, :2]


def exponential(matrices: Tensor) -> Tensor:
    """(B, 3, 3) -> (B, 3, 3), as exact as torch where rows sum up to 9 (to 2e-5 at 24).

    The series of a 32nd of a matrix, squared five times. `torch.linalg.matrix_exp` looks at the
    matrices to choose its series, for which a GPU has to wait: it cannot be in a CUDA graph.
    """
    one = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    small = matrices / 2**HALVINGS
    series = one.expand_as(small)
    for k in range(DEGREE, 1, -1):
        series = torch.baddbmm(one, small, series, alpha=1 / k)
    beyond_one = small @ series  # the exponential without the 1, which would cost it digits
    for _ in range(HALVINGS):
        beyond_one = torch.baddbmm(beyond_one, beyond_one, beyond_one, beta=2)
    made: Tensor = one + beyond_one
    return made


def warp(x: Tensor, maps: Tensor) -> Tensor:
    """(B, C, H, W), (B, 2, 3) -> (B, C, H, W), in coordinates of -1 and 1 at the outermost pixels.

    This is Augerino's convention (align_corners=True); the transforms of the table put -1 and 1 at
    the borders. On images that are not square, a rotation turns these coordinates, not the pixels.
    """
    grid = F.affine_grid(maps, list(x.shape), align_corners=True)
    return interpolated(x, grid, align_corners=True)
