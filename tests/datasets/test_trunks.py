from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from augbench.datasets.errors import UserError
from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Normalisation, Signal
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.eegnet import MaxNormConv2d
from augbench.datasets.trunks.pre_act_resnet import PreActBlock
from augbench.datasets.trunks.precision import InBfloat16

EEG = Signal("eeg", (3, 320), ("C3", "Cz", "C4"), 64.0)
IMAGE = Signal("image", (3, 32, 32))
SMALL_IMAGE = Signal("image", (3, 9, 9))
ONLY_IMAGES = (
    "conv_net",
    "conv_net_8",
    "small_conv_net",
    "layer13",
    "airbench94",
    "pre_act_resnet18",
    "pre_act_resnet18_16",
)
ONLY_EEG = ("freq_net", "eegnet", "sleep_stager")


def signal_of(name: str) -> Signal:
    if name not in ONLY_IMAGES:
        return EEG
    return IMAGE if name in ("conv_net", "conv_net_8") else SMALL_IMAGE


def trunk_of(name: str, signal: Signal, n_classes: int = 5) -> torch.nn.Module:
    with global_seed(1):
        return TRUNKS[name](signal, n_classes)


def batch(signal: Signal, n: int = 6) -> torch.Tensor:
    return torch.rand(n, *signal.shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", TRUNKS)
def test_gives_logits_also_for_a_single_example(name: str) -> None:
    signal = signal_of(name)
    trunk = trunk_of(name, signal).eval()
    out = trunk(batch(signal))
    assert out.shape == (6, 5)
    assert trunk(batch(signal, 1)).shape == (1, 5)
    # Log-probabilities would sum to 1, whatever the input.
    assert not torch.allclose(out.exp().sum(1), torch.ones(6), atol=1e-3)


@pytest.mark.parametrize("name", TRUNKS)
@pytest.mark.parametrize("training", [False, True])
def test_forward_mode_gives_the_products_of_reverse_mode(name: str, training: bool) -> None:
    signal = signal_of(name)
    trunk = trunk_of(name, signal).double().train(training)
    for module in trunk.modules():
        if isinstance(module, torch.nn.Dropout | torch.nn.Dropout2d):
            module.p = 0.0
    if training:  # torch.func lets no batch norm change its statistics
        torch.func.replace_all_batch_norm_modules_(trunk)
    inputs = {"x": batch(signal).double()}
    inputs |= {k: weight.detach() for k, weight in trunk.named_parameters()}
    generator = torch.Generator().manual_seed(3)
    tangents = {
        k: torch.randn(each.shape, generator=generator).double() for k, each in inputs.items()
    }

    def logits(given: dict[str, torch.Tensor]) -> torch.Tensor:
        weights = {k: value for k, value in given.items() if k != "x"}
        return torch.func.functional_call(trunk, weights, (given["x"],))

    out, moved = torch.func.jvp(logits, (inputs,), (tangents,))
    same, back = torch.func.vjp(logits, inputs)
    torch.testing.assert_close(out, same)
    slope = torch.randn(out.shape, generator=generator).double()
    (slopes,) = back(slope)
    product = torch.stack([(slopes[k] * tangents[k]).sum() for k in inputs]).sum()
    torch.testing.assert_close((slope * moved).sum(), product)


@pytest.mark.parametrize("name", TRUNKS)
def test_second_derivatives_agree_with_a_finite_difference(name: str) -> None:
    signal = signal_of(name)
    trunk = trunk_of(name, signal).double().train()
    for module in trunk.modules():
        if isinstance(module, torch.nn.Dropout | torch.nn.Dropout2d):
            module.p = 0.0
    x, y = batch(signal).double(), torch.arange(6) % 5
    weights = list(trunk.parameters())
    generator = torch.Generator().manual_seed(3)
    direction = [torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in weights]

    def slope(create_graph: bool = False) -> torch.Tensor:
        """The derivative of the loss along the direction."""
        loss = F.cross_entropy(trunk(x), y)
        grads = torch.autograd.grad(loss, weights, create_graph=create_graph)
        return torch.stack([(g * d).sum() for g, d in zip(grads, direction, strict=True)]).sum()

    second = torch.autograd.grad(slope(create_graph=True), weights)
    analytic = sum(float((h * d).sum()) for h, d in zip(second, direction, strict=True))

    def moved(step: float) -> float:
        with torch.no_grad():
            for w, d in zip(weights, direction, strict=True):
                w += step * d
        value = slope().item()
        with torch.no_grad():
            for w, d in zip(weights, direction, strict=True):
                w -= step * d
        return value

    step = 1e-9  # small, lest a ReLU or a maximum changes sides: at 1e-7 some do in deep trunks
    numeric = (moved(step) - moved(-step)) / (2 * step)
    assert analytic != 0
    assert numeric == pytest.approx(analytic, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", TRUNKS)
def test_forward_leaves_the_weights_alone(name: str) -> None:
    signal = signal_of(name)
    trunk = trunk_of(name, signal)
    with torch.no_grad():
        for weight in trunk.parameters():
            weight.mul_(10)
    before = [weight.clone() for weight in trunk.parameters()]
    trunk(batch(signal))
    assert all(torch.equal(a, b) for a, b in zip(before, trunk.parameters(), strict=True))


@pytest.mark.parametrize("name", TRUNKS)
def test_a_saved_state_can_be_loaded_and_trained_on(name: str) -> None:
    signal = signal_of(name)
    one, other = trunk_of(name, signal), TRUNKS[name](signal, 5)
    other.load_state_dict(one.state_dict())
    x = batch(signal)
    assert torch.equal(one.eval()(x), other.eval()(x))
    other.train()(x).sum().backward()
    assert all(weight.grad is not None for weight in other.parameters())


@pytest.mark.parametrize("name", [*ONLY_IMAGES, "mlp"])
def test_a_trunk_normalises_where_the_signal_says_so_and_leaves_x_alone(name: str) -> None:
    signal = SMALL_IMAGE if name == "mlp" else signal_of(name)
    constants = Normalisation((0.2, 0.5, 0.7), (0.1, 0.3, 2.0))
    plain = trunk_of(name, signal).eval()
    normalising = trunk_of(name, replace(signal, normalisation=constants)).eval()
    assert all(map(torch.equal, plain.parameters(), normalising.parameters()))
    x = batch(signal).requires_grad_()
    before = x.detach().clone()
    means, deviations = (torch.tensor(numbers)[:, None, None] for numbers in constants)
    out = normalising(x)
    torch.testing.assert_close(out, plain((x - means) / deviations))
    assert not torch.allclose(out, plain(x))
    assert torch.equal(x, before)
    (gradient,) = torch.autograd.grad(out.square().sum(), x)
    inner = ((before - means) / deviations).requires_grad_()
    (by_hand,) = torch.autograd.grad(plain(inner).square().sum(), inner)
    torch.testing.assert_close(gradient, by_hand / deviations)


@pytest.mark.parametrize("name", ONLY_EEG)
def test_a_trunk_for_eeg_rejects_images(name: str) -> None:
    with pytest.raises(UserError, match=f"trunk '{name}' is for EEG and was given images"):
        TRUNKS[name](IMAGE, 2)


@pytest.mark.parametrize("name", ONLY_IMAGES)
def test_a_trunk_for_images_rejects_eeg(name: str) -> None:
    family = name.removesuffix("_8").removesuffix("_16")  # what differs in width alone
    with pytest.raises(UserError, match=f"trunk '{family}' is for images and was given EEG"):
        TRUNKS[name](EEG, 2)


@pytest.mark.parametrize(
    ("name", "shortest"),
    [
        ("freq_net", (2, 99)),
        ("eegnet", (2, 27)),
        ("sleep_stager", (2, 55)),
        ("conv_net", (1, 32, 32)),
        ("small_conv_net", (1, 4, 4)),
        ("layer13", (1, 4, 4)),
        ("airbench94", (1, 9, 9)),
        ("pre_act_resnet18", (1, 8, 8)),
    ],
)
def test_the_shortest_signal_runs_and_a_shorter_one_is_rejected(
    name: str, shortest: tuple[int, ...]
) -> None:
    kind = signal_of(name).kind
    rate = 64.0 if kind == "eeg" else 0.0
    signal = Signal(kind, shortest, sampling_rate=rate)
    assert trunk_of(name, signal)(batch(signal)).shape == (6, 5)
    with pytest.raises(UserError, match=f"'{name}' needs at least {shortest[-1]} .* given"):
        TRUNKS[name](Signal(kind, (*shortest[:-1], shortest[-1] - 1), sampling_rate=rate), 5)


def test_the_sleep_stager_rejects_an_unknown_sampling_rate() -> None:
    with pytest.raises(UserError, match="measures its kernels in seconds and was given 0 Hz"):
        TRUNKS["sleep_stager"](Signal("eeg", (2, 3000)), 5)


def test_the_sleep_stager_drops_half_as_table_3_says() -> None:
    dropouts = [m for m in trunk_of("sleep_stager", EEG).modules() if hasattr(m, "p")]
    assert [dropout.p for dropout in dropouts] == [0.5]


def test_the_filters_of_eegnet_are_held_to_norm_one() -> None:
    convolution = MaxNormConv2d(2, 4, (3, 1), bias=False)
    with torch.no_grad():
        convolution.weight.copy_(
            torch.randn(4, 2, 3, 1) * torch.tensor([9, 9, 0.1, 0.1])[:, None, None, None]
        )
    bounded = torch.renorm(convolution.weight.detach(), 2, 0, 1.0)
    x = torch.randn(5, 2, 3, 7)
    assert torch.allclose(convolution(x), F.conv2d(x, bounded), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "shape", "n_parameters"),
    [
        ("freq_net", (1, 1000), 236),
        ("mlp_1", (1, 1000), 1009),
        ("mlp_2", (1, 1000), 2014),
        ("mlp_2_2", (1, 1000), 2020),
        ("mlp_2_2_2", (1, 1000), 2026),
        ("conv_net", (3, 32, 32), 390_404),
        ("conv_net_8", (3, 32, 32), 25_028),
        ("airbench94", (3, 32, 32), 1_971_256),  # 1,972,792 for 10 classes
    ],
)
def test_sizes_are_those_of_the_official_networks(
    name: str, shape: tuple[int, ...], n_parameters: int
) -> None:
    trunk = TRUNKS[name](Signal("eeg" if len(shape) == 2 else "image", shape), 4)
    assert sum(weight.numel() for weight in trunk.parameters()) == n_parameters


def test_the_record_network_takes_a_fifth_of_the_arithmetic_of_a_resnet() -> None:
    flops = {}
    for name in ("airbench94", "pre_act_resnet18"):
        with FlopCounterMode(display=False) as counter:
            trunk_of(name, IMAGE)(batch(IMAGE))
        flops[name] = counter.get_total_flops()
    assert flops["airbench94"] / flops["pre_act_resnet18"] == pytest.approx(0.21, abs=0.01)


def test_the_record_network_begins_with_opposite_filters_and_hands_channels_on() -> None:
    trunk = trunk_of("airbench94", IMAGE)
    first, *others = (m.weight.detach() for m in trunk if isinstance(m, torch.nn.Conv2d))
    assert torch.equal(first[12:], -first[:12])
    torch.testing.assert_close(first[:12].flatten(1) @ first[:12].flatten(1).T, torch.eye(12))
    assert len(others) == 6
    for weight in others:
        x = torch.rand(2, weight.shape[1], 5, 5)
        out = F.conv2d(x, weight, padding=1)
        torch.testing.assert_close(out[:, : x.shape[1]], x)
        assert out.shape[1] in (64, 256)


def n_parameters(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_the_residual_network_is_the_official_one_and_a_last_batch_norm() -> None:
    trunk = trunk_of("pre_act_resnet18", IMAGE, 10)
    last = [module for module in trunk if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(last) == 1
    assert n_parameters(trunk) == 11_172_170
    assert n_parameters(trunk) - n_parameters(last[0]) == 11_171_146
    stages = [module for module in trunk if isinstance(module, PreActBlock)]
    x = trunk[0](batch(IMAGE))
    shapes = [tuple((x := stage(x)).shape[1:]) for stage in stages]
    assert shapes[::2] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    assert shapes[1::2] == shapes[::2]


def test_a_block_without_a_residual_hands_on_its_input_or_its_active_input() -> None:
    """Figure 4e: only the first block of a stage activates what goes down the shortcut."""
    x = batch(Signal("image", (4, 5, 5))) - 0.5
    for first in (True, False):
        block = PreActBlock(4, 4, 1, first=first)
        with torch.no_grad():
            block.residual[-1].weight.zero_()  # type: ignore[operator,union-attr]
        assert torch.equal(block(x), block.active(x) if first else x)


def test_the_network_of_augerino_drops_whole_channels_after_each_block() -> None:
    trunk = trunk_of("layer13", IMAGE, 10)
    assert sum(isinstance(module, torch.nn.Conv2d) for module in trunk) == 9
    assert n_parameters(trunk) == 3_993_482
    drops = [module for module in trunk if isinstance(module, torch.nn.Dropout2d)]
    assert [drop.p for drop in drops] == [0.3] * 3
    with global_seed(0):
        sums = drops[0](torch.ones(50, 128, 2, 2)).sum((2, 3)).unique()
    assert sums.tolist() == pytest.approx([0.0, 4 / 0.7])  # of four pixels, none or all are left


def test_a_trunk_in_bfloat16_gives_about_the_same_logits_in_float32() -> None:
    trunk = trunk_of("conv_net", IMAGE).train()
    x = batch(IMAGE)
    rough = InBfloat16(trunk)(x)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, trunk(x))
    torch.testing.assert_close(rough, trunk(x), rtol=0, atol=0.05)
    rough.sum().backward()
    assert all(
        weight.grad is not None and weight.grad.dtype == torch.float32
        for weight in trunk.parameters()
    )
