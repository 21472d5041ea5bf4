import hashlib
import pickle
from collections import OrderedDict
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.eegnet import EEGNet, convolve_by_blocks, window_moments
from augbench.datasets.trunks.precision import InBfloat16
from same_bits import here_and_there

CASES = [  # windows, channels, samples
    (16, 8, 640),
    (64, 8, 640),
    (17, 2, 333),
    (1, 1, 200),  # too few signals for products
    (1, 19, 201),
    (20, 1, 27),  # the shortest
    (5, 4, 28),
    (4, 8, 1281),
]


def ours(n_channels: int, n_times: int) -> EEGNet:
    """With spatial filters of norm 0.5, which braindecode leaves alone, and busy batch norms."""
    with global_seed(1), torch.no_grad():
        network = TRUNKS["eegnet"](Signal("eeg", (n_channels, n_times), (), 128.0), 4)
        assert isinstance(network, EEGNet)
        weight = network.conv_spatial.weight
        weight.copy_(0.5 * F.normalize(weight.flatten(1)).view_as(weight))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_()
    return network


def theirs(n_channels: int, n_times: int) -> nn.Module:
    from braindecode.models import EEGNetv4

    network = EEGNetv4(n_chans=n_channels, n_outputs=4, n_times=n_times)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return network


def batch(n: int, n_channels: int, n_times: int) -> Tensor:
    """Noise that differs between channels, on a slow wave and an offset."""
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(n, n_channels, n_times, generator=generator)
    wave = torch.linspace(0, 9, n_times).sin()
    return noise * torch.linspace(0.5, 2, n_channels)[:, None] + wave + 0.3


def layer_by_layer(network: EEGNet) -> nn.Sequential:
    """The same layers, by torch's own convolutions."""
    return nn.Sequential(OrderedDict(network.named_children()))


def without_dropout(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def found(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Logits, gradients by x and all weights, and the running statistics, after a training pass."""
    x = x.detach().requires_grad_()
    logits = without_dropout(network).train()(x)
    loss = F.cross_entropy(logits, torch.arange(len(x)) % 4)
    weights = dict(network.named_parameters())
    slopes = torch.autograd.grad(loss, [x, *weights.values()])
    buffers = {name: each.clone().double() for name, each in network.named_buffers()}
    return {"logits": logits.detach(), **dict(zip(["x", *weights], slopes, strict=True)), **buffers}


def apart(one: Tensor, other: Tensor) -> float:
    """The relative difference."""
    return float((one.double() - other.double()).norm() / other.double().norm())


# A batch norm follows: the loss depends on none of these, but for eps and rounding.
NO_GRADIENT = ("bnorm_temporal.weight", "bnorm_temporal.bias", "bnorm_1.bias")
NO_GRADIENT_OF_ONE_CHANNEL = (*NO_GRADIENT, "conv_spatial.weight")


@pytest.mark.parametrize("case", CASES)
def test_logits_gradients_and_statistics_are_braindecodes(case: tuple[int, int, int]) -> None:
    network, reference, x = ours(*case[1:]), theirs(*case[1:]), batch(*case)
    reference.load_state_dict(network.state_dict())
    precise = deepcopy(reference).double()
    true = found(precise, x.double())
    mine, other = found(network, x), found(reference, x)
    assert list(mine) == list(true)
    largest = max(float(true[name].abs().max()) for name, _ in network.named_parameters())
    for name, exact in true.items():
        if name in (NO_GRADIENT_OF_ONE_CHANNEL if case[1] == 1 else NO_GRADIENT):
            torch.testing.assert_close(mine[name].double(), exact, rtol=1e-3, atol=1e-5 * largest)
        else:
            assert apart(mine[name], exact) < 1e-5 + apart(other[name], exact), name
            assert apart(mine[name], other[name]) < 1e-5 + apart(other[name], exact), name
    with torch.no_grad():
        network.eval(), reference.eval()
        assert apart(network(x), reference(x)) < 1e-5


def test_braindecode_loads_its_state_and_it_loads_braindecodes() -> None:
    network, reference = ours(8, 640), theirs(8, 640)
    assert {name: each.shape for name, each in network.state_dict().items()} == {
        name: each.shape for name, each in reference.state_dict().items()
    }
    network.load_state_dict(reference.state_dict())
    reference.load_state_dict(ours(8, 640).state_dict())


def test_filters_above_norm_one_are_scaled_down_in_both_orders() -> None:
    network, x = ours(8, 640), batch(16, 8, 640)
    with torch.no_grad():
        network.conv_spatial.weight.mul_(torch.linspace(0.5, 9, 16).view(-1, 1, 1, 1))
    one = found(deepcopy(network), x)
    other = found(layer_by_layer(network), x)
    assert all(apart(one[name], other[name]) < 1e-5 for name in one if name not in NO_GRADIENT)


def test_quiet_outputs_of_loud_signals_have_the_right_variance() -> None:
    """Filters that remove an offset of 1000 and a wave of 100: what is left has variance 1."""
    network, x = ours(8, 640), batch(16, 8, 640)
    with torch.no_grad():
        weight = network.conv_temporal.weight
        weight.sub_(weight.mean(3, keepdim=True))
    x = x + 1000
    precise = layer_by_layer(deepcopy(network)).double()
    exact, one = found(precise, x.double()), found(network, x)
    assert apart(one["bnorm_temporal.running_var"], exact["bnorm_temporal.running_var"]) < 1e-6


def test_a_frozen_batch_norm_keeps_its_statistics() -> None:
    network, x = ours(8, 640).train(), batch(16, 8, 640)
    network(x)
    network.bnorm_temporal.eval()
    before = deepcopy(network.bnorm_temporal.state_dict())
    one = network(x)
    assert one.isfinite().all()
    after = network.bnorm_temporal.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_functional_call_leaves_weights_and_statistics_alone() -> None:
    network, x = without_dropout(ours(8, 640)).train(), batch(16, 8, 640)
    before = deepcopy(network.state_dict())
    other = deepcopy(network)
    with torch.no_grad():
        for weight in other.parameters():
            weight.mul_(1.2)
    buffers = {name: each.clone() for name, each in network.named_buffers()}
    logits = functional_call(network, {**dict(other.named_parameters()), **buffers}, (x,))
    assert all(torch.equal(before[name], each) for name, each in network.state_dict().items())
    assert torch.equal(logits, other(x))
    for name, each in other.named_buffers():
        assert torch.equal(buffers[name], each)
        assert not torch.equal(before[name], each)


def test_it_does_not_use_products_where_they_are_slow_or_nobody_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Tensor:
        raise AssertionError

    network, x = ours(2, 640), batch(16, 2, 640)
    monkeypatch.setattr(EEGNet, "_first_layers", fail)
    with pytest.raises(AssertionError):
        network(x)
    network(x[:2])
    assert deepcopy(network).to("meta")(x.to("meta")).shape == (16, 4)
    network.bfloat16()(x.bfloat16())


def test_copies_and_pickles_give_the_same_bits() -> None:
    network, x = ours(8, 640).eval(), batch(16, 8, 640)
    expected = network(x)
    assert torch.equal(deepcopy(network)(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), expected)
    with torch.inference_mode():
        assert torch.equal(network(x), expected)


def test_it_compiles_into_one_graph() -> None:
    network, x = ours(8, 640), batch(16, 8, 640)
    compiled = torch.compile(deepcopy(network), backend="aot_eager", fullgraph=True)
    one, other = found(compiled, x), found(network, x)
    assert apart(one["logits"], other["logits"]) < 1e-5
    assert apart(one["x"], other["x"]) < 1e-5


def test_in_bfloat16_logits_are_near_those_of_float32() -> None:
    network, x = ours(8, 640), batch(16, 8, 640)
    exact = found(deepcopy(network), x)["logits"]
    rough = found(InBfloat16(network).train(), x)["logits"]
    assert rough.dtype == torch.float32
    assert 1e-5 < apart(rough, exact) < 0.05


@pytest.mark.parametrize(
    ("n_signals", "n_times", "n_taps", "padding"),
    [(20, 640, 64, 32), (5, 27, 64, 32), (4, 100, 7, 3), (16, 63, 64, 32), (3, 200, 8, 0)],
)
def test_moments_of_windows_are_those_of_the_windows(
    n_signals: int, n_times: int, n_taps: int, padding: int
) -> None:
    x = batch(1, n_signals, n_times)[0]
    windows = F.pad(x.double(), (padding, padding)).unfold(1, n_taps, 1).reshape(-1, n_taps)
    mean, covariance, n = window_moments(x, n_taps, padding)
    assert n == len(windows)
    torch.testing.assert_close(mean, windows.mean(0))
    torch.testing.assert_close(covariance, torch.cov(windows.T, correction=0))


@pytest.mark.parametrize(
    ("n_times", "n_taps", "padding"), [(640, 64, 32), (27, 64, 32), (100, 7, 3), (63, 64, 32)]
)
def test_blocks_give_torchs_convolution(n_times: int, n_taps: int, padding: int) -> None:
    x, kernels = batch(3, 10, n_times).double(), batch(1, 5, n_taps)[0].double()
    by_torch = F.conv1d(x, kernels.repeat_interleave(2, 0)[:, None], groups=10, padding=padding)
    outputs = convolve_by_blocks(x.view(3, 5, 2, -1), kernels, padding)
    torch.testing.assert_close(outputs.flatten(1, 2), by_torch)


def digest() -> str:
    """Of logits, gradients and statistics."""
    values = found(ours(8, 640), batch(16, 8, 640)).values()
    return hashlib.sha256(b"".join(each.numpy().tobytes() for each in values)).hexdigest()


def test_another_process_finds_the_same_bits() -> None:
    assert len(here_and_there(digest)) == 1
