import hashlib
import pickle
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.precision import InBfloat16
from augbench.datasets.trunks.sleep_stager import SleepStager
from same_bits import here_and_there

CASES = [  # windows, channels, samples, hertz
    (16, 6, 3000, 100.0),
    (3, 19, 1001, 100.0),
    (5, 4, 777, 128.0),
    (70, 2, 320, 64.0),
    (1, 1, 640, 64.0),  # too few signals for products
    (1, 20, 640, 64.0),
    (20, 1, 501, 50.0),
    (9, 2, 240, 8.0),  # pools of one output
    (2, 8, 1500, 256.0),
    (2, 8, 1510, 302.0),  # more rows of the band matrix than a byte can count
]


def ours(n_channels: int, n_times: int, rate: float) -> SleepStager:
    with global_seed(1):
        network = TRUNKS["sleep_stager"](Signal("eeg", (n_channels, n_times), (), rate), 5)
    assert isinstance(network, SleepStager)
    return network


def theirs(n_channels: int, n_times: int, rate: float) -> nn.Module:
    from braindecode.models import SleepStagerChambon2018

    with global_seed(1):
        return SleepStagerChambon2018(
            n_chans=n_channels,
            n_outputs=5,
            n_times=n_times,
            input_window_seconds=n_times / rate,
            sfreq=rate,
            dropout=0.5,
        )


def batch(n: int, n_channels: int, n_times: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(n, n_channels, n_times, generator=generator)


def without_dropout(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def logits_and_gradients(network: nn.Module, x: Tensor) -> list[Tensor]:
    """By x and all weights, in training."""
    x = x.detach().requires_grad_()
    logits = without_dropout(network).train()(x)
    loss = F.cross_entropy(logits, torch.arange(len(x)) % 5)
    return [logits.detach(), *torch.autograd.grad(loss, [x, *network.parameters()])]


def apart(one: Tensor, other: Tensor) -> float:
    """The relative difference."""
    return float((one.double() - other.double()).norm() / other.double().norm())


@pytest.mark.parametrize("case", CASES)
def test_it_starts_as_braindecodes_network_and_loads_it_both_ways(
    case: tuple[int, int, int, float],
) -> None:
    network, reference = ours(*case[1:]), theirs(*case[1:])
    one, other = network.state_dict(), reference.state_dict()
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    with torch.no_grad():
        for weight in [*network.parameters(), *reference.parameters()]:
            weight.normal_()
    before = deepcopy(other)
    reference.load_state_dict(one)
    network.load_state_dict(before)
    assert all(torch.equal(one[name], before[name]) for name in one)


@pytest.mark.parametrize("case", CASES)
def test_logits_and_gradients_are_braindecodes(case: tuple[int, int, int, float]) -> None:
    network, reference = ours(*case[1:]), theirs(*case[1:])
    x = batch(*case[:3])
    exact = logits_and_gradients(deepcopy(reference).double(), x.double())
    mine, other = logits_and_gradients(network, x), logits_and_gradients(reference, x)
    for own, their, true in zip(mine, other, exact, strict=True):
        # braindecode's gradient of few spatial filters is itself off by 1e-5.
        assert apart(own, their) < 1e-5 + apart(their, true)
        assert apart(own, true) < 5e-6
    with torch.no_grad():
        assert apart(network.eval()(x), reference.eval()(x)) < 1e-5


def test_it_does_not_use_products_where_they_are_slow_or_nobody_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Tensor:
        raise AssertionError

    network = ours(2, 640, 64.0)
    monkeypatch.setattr(SleepStager, "_features_by_products", fail)
    x = batch(16, 2, 640)
    with pytest.raises(AssertionError):
        network(x)
    network(x[:1])
    ours(2, 240, 8.0)(batch(16, 2, 240))
    assert deepcopy(network).to("meta")(x.to("meta")).shape == (16, 5)
    network.bfloat16()(x.bfloat16())


def test_many_windows_give_what_few_give() -> None:
    network, x = ours(6, 640, 64.0).eval(), batch(50, 6, 640)
    parts = [network(part) for part in x.split(7)]
    torch.testing.assert_close(network(x), torch.cat(parts), rtol=1e-5, atol=1e-6)


def test_copies_and_pickles_give_the_same_bits() -> None:
    network, x = ours(6, 640, 64.0).eval(), batch(16, 6, 640)
    expected = network(x)
    assert torch.equal(deepcopy(network)(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), expected)
    with torch.inference_mode():
        assert torch.equal(network(x), expected)


def test_a_functional_call_uses_the_weights_that_it_is_given() -> None:
    network, other = ours(6, 640, 64.0).eval(), ours(6, 640, 64.0).eval()
    with torch.no_grad():
        for weight in other.parameters():
            weight.mul_(1.5)
    x = batch(16, 6, 640)
    weights = dict(other.named_parameters())
    found = functional_call(network, weights, (x,))
    assert torch.equal(found, other(x))
    slopes = torch.autograd.grad(found.square().sum(), list(weights.values()))
    expected = torch.autograd.grad(other(x).square().sum(), list(weights.values()))
    assert all(map(torch.equal, slopes, expected))


def test_it_compiles_into_one_graph() -> None:
    network, x = ours(6, 640, 64.0), batch(16, 6, 640)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    for one, other in zip(
        logits_and_gradients(compiled, x), logits_and_gradients(network, x), strict=True
    ):
        assert apart(one, other) < 1e-5


def test_in_bfloat16_logits_and_gradients_are_near_those_of_float32() -> None:
    network, x = ours(6, 3000, 100.0), batch(16, 6, 3000)
    exact, rough = (
        logits_and_gradients(each, x) for each in (network, InBfloat16(network).train())
    )
    assert all(each.dtype == torch.float32 for each in rough)
    assert 1e-5 < apart(rough[0], exact[0]) < 0.02
    their = theirs(6, 3000, 100.0)
    their.load_state_dict(network.state_dict())
    others = logits_and_gradients(InBfloat16(their).train(), x)
    # The gradients are about as near to float32's as those of torch's own convolutions: from 0.01
    # for the last layer to 0.6 for the spatial biases. Other outputs win.
    for one, other, true in zip(rough[1:], others[1:], exact[1:], strict=True):
        assert apart(one, true) < 1.5 * apart(other, true)


def digest() -> str:
    """Of logits and gradients."""
    found = logits_and_gradients(ours(6, 3000, 100.0), batch(16, 6, 3000))
    return hashlib.sha256(b"".join(each.numpy().tobytes() for each in found)).hexdigest()


def test_another_process_finds_the_same_bits() -> None:
    assert len(here_and_there(digest)) == 1


def test_a_window_need_not_be_a_round_number_of_samples_at_its_rate() -> None:
    """braindecode refuses 1500 samples at 301.5 Hz: it divides, multiplies and cuts off."""
    assert ours(8, 1500, 301.5)(batch(2, 8, 1500)).shape == (2, 5)
