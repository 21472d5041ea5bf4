import pickle

import pytest
import torch

from augbench.methods.transforms.constants import COUNTING, DeviceConstant, SizedConstant
from augbench.methods.transforms.transform import (
    draw_signed,
    draw_uniform,
    per_sample,
    relaxed_bernoulli,
)
from augbench.methods.transforms.ungraded import ungraded

ENDS = torch.tensor([0.0, 1e-30, 1e-9, 0.3, 0.7, 1 - 1e-7, 1.0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_ends_of_the_relaxed_bernoulli_are_exact_for_any_draw(dtype: torch.dtype) -> None:
    uniform = torch.tensor([0.0, 1e-12, 0.5, 1 - 1e-7, 1.0], dtype=dtype)
    assert torch.equal(
        relaxed_bernoulli(torch.zeros(5, dtype=dtype), uniform), torch.zeros(5).to(dtype)
    )
    assert torch.equal(
        relaxed_bernoulli(torch.ones(5, dtype=dtype), uniform), torch.ones(5).to(dtype)
    )


def test_the_gradient_of_the_relaxed_bernoulli_is_finite_for_any_draw() -> None:
    probability, uniform = torch.meshgrid(ENDS, ENDS, indexing="ij")
    probability = probability.flatten().requires_grad_()
    out = relaxed_bernoulli(probability, uniform.flatten())
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert probability.grad is not None
    assert torch.isfinite(probability.grad).all()


def test_the_relaxed_bernoulli_fires_as_often_as_its_probability_says() -> None:
    uniform = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000
    for value in (0.1, 0.5, 0.9):
        probability = torch.full_like(uniform, value).requires_grad_()
        out = relaxed_bernoulli(probability, uniform)
        out.sum().backward()
        assert (out > 0.5).double().mean() == pytest.approx(value, abs=1e-3)
        # On average the gradient is that of the probability itself, 1, up to the relaxation's bias.
        assert probability.grad is not None
        assert probability.grad.mean() == pytest.approx(1, abs=0.02)


def test_the_relaxed_bernoulli_hardens_with_its_temperature() -> None:
    uniform = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    half = torch.full((1000,), 0.4)
    soft = [relaxed_bernoulli(half, uniform, t) for t in (0.5, 0.05)]
    between = [((s > 0.01) & (s < 0.99)).float().mean() for s in soft]
    assert between[1] < 0.5 * between[0]


def test_draws_fill_their_range_evenly() -> None:
    x, generator = torch.zeros(10_000, 1), torch.Generator().manual_seed(0)
    for draw, low in ((draw_uniform, 0.0), (draw_signed, -1.0)):
        noise = draw(x, generator)
        assert noise.shape == (10_000,)
        assert float(noise.min()) == pytest.approx(low, abs=0.01)
        assert float(noise.max()) == pytest.approx(1, abs=0.01)
        assert float(noise.mean()) == pytest.approx((low + 1) / 2, abs=0.03)


def test_values_per_sample_take_the_shape_and_dtype_of_x() -> None:
    x = torch.zeros(3, 2, 5, dtype=torch.float64)
    assert per_sample(torch.tensor([1.0, 2.0, 3.0]), x).shape == (3, 1, 1)
    assert per_sample(torch.tensor([1.0, 2.0, 3.0]), x).dtype == torch.float64


def test_a_constant_is_copied_once_to_each_device_and_dtype() -> None:
    table = DeviceConstant(torch.tensor([1.0, 2.0], dtype=torch.float64))
    x = torch.zeros(1)
    assert table(x).dtype == torch.float32
    assert table(x) is table(x)
    assert table(x.double()).dtype == torch.float64
    assert table(x.to("meta")).device.type == "meta"


def test_indices_keep_their_dtype() -> None:
    assert DeviceConstant(torch.tensor([1, 0]))(torch.zeros(1)).dtype == torch.int64


def test_a_constant_first_asked_for_in_inference_serves_a_training_too() -> None:
    table = DeviceConstant(torch.tensor([1.0, 2.0], dtype=torch.float64))
    with torch.inference_mode():
        table(torch.zeros(1))
    x = torch.ones(2, requires_grad=True)
    (x * table(x)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 2]


def test_what_depends_on_a_size_is_made_once_for_each_size_device_and_dtype() -> None:
    x, calls = torch.zeros(1), []

    def make(size: int, *, dtype: torch.dtype) -> torch.Tensor:
        calls.append((size, dtype))
        return torch.ones(size, dtype=dtype)

    made = SizedConstant(make)
    assert made(3, x) is made(3, x)
    assert made(2, x).shape == (2,)
    assert made(3, x, torch.float64).dtype == made(3, x.double()).dtype == torch.float64
    assert calls == [(3, torch.float32), (2, torch.float32), (3, torch.float64)]
    assert made(3, x.to("meta")).device.type == "meta"
    assert pickle.loads(pickle.dumps(COUNTING))(3, x).tolist() == [0, 1, 2]


def test_the_relaxed_bernoulli_can_be_differentiated_twice() -> None:
    probability = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    uniform = torch.tensor([0.75, 0.5, 0.15], dtype=torch.float64)
    assert torch.autograd.gradcheck(relaxed_bernoulli, (probability, uniform))
    assert torch.autograd.gradgradcheck(relaxed_bernoulli, (probability, uniform))


def test_an_ungraded_transform_blends_by_its_relaxed_probability() -> None:
    transform = ungraded("negative", torch.neg, "nobody")
    x, noise = torch.ones(3, 2), torch.tensor([0.1, 0.5, 0.9])
    blend = relaxed_bernoulli(torch.full((3,), 0.5), noise)
    out = transform.apply(x, torch.full((3,), 0.5), noise)
    torch.testing.assert_close(out[:, 0], 1 - 2 * blend)
