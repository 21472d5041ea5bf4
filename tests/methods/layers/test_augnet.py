"""AugNet as a module of anybody's own, in anybody's training loop."""

import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.task import Signal
from augbench.methods import AugmentationLayer, AugNet, make_bank
from augbench.methods.layers.magnitude_norm import magnitude_norm

EEG = Signal("eeg", (6, 100), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
PICTURES = Signal("image", (3, 8, 8))
LAYERS = (("time_mask", "gaussian_noise", "sign_flip"), ("channel_dropout", "rotation_z"))


def trunk(signal: Signal = EEG) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        n_inputs = torch.Size(signal.shape).numel()
        return nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, 3))


def new_model(**options: Any) -> AugNet:
    return AugNet(trunk(), layers=LAYERS, signal=EEG, **options)


def batch(n: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, *EEG.shape, generator=generator), torch.arange(n) % 3


def one_step(model: AugNet, optimizer: torch.optim.Optimizer) -> None:
    x, y = batch()
    optimizer.zero_grad()
    model.loss(model(x, torch.Generator().manual_seed(5)), y).backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def out_of_bounds(model: AugNet) -> AugNet:
    """The model as an optimizer may leave it, one magnitude too low and one too high."""
    with torch.no_grad():
        for layer in model.augmentation_layers:
            layer.magnitudes[0], layer.magnitudes[1] = -0.5, 1.5
            layer.hidden_weights[1] = -10.0  # negligible
    return model


def inside(magnitudes: Tensor) -> bool:
    return bool(((magnitudes >= 0) & (magnitudes <= 1)).all())


def test_it_trains_in_a_plain_loop_to_the_bits_of_one_that_projects_after_each_step() -> None:
    plain, careful = new_model(penalty=5.0), new_model(penalty=5.0)
    left = False
    for model in (plain, careful):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.3)
        for _ in range(12):
            one_step(model, optimizer)
            left |= not all(map(inside, raw(model)))
            if model is careful:
                for layer in model.augmentation_layers:
                    layer.project()
    assert left  # or this would test nothing
    ours, theirs = plain.state_dict(), careful.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


class OldOptimizer(torch.optim.Optimizer):
    """Writes to ``parameter.data``, which torch does not count as a change."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(list(parameters), {"lr": lr})

    def step(self, closure: object = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for each in group["params"]:
                each.data.sub_(group["lr"] * each.grad.sign())


def test_an_old_optimizer_that_writes_past_torch_does_no_harm() -> None:
    plain, careful = new_model(penalty=5.0), new_model(penalty=5.0)
    for model in (plain, careful):
        optimizer = OldOptimizer(model.parameters(), lr=0.3)
        for _ in range(6):
            one_step(model, optimizer)
            if model is careful:
                for layer in model.augmentation_layers:
                    layer.project()
    assert plain.describe() == careful.describe()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_bounds_hold_in_every_precision_and_are_written_once(dtype: torch.dtype) -> None:
    (layer, _) = out_of_bounds(new_model()).to(dtype).augmentation_layers
    with torch.no_grad():
        layer.magnitudes[2] = 5.0  # a probability, of `sign_flip`
    layer.project()
    before = layer.magnitudes._version
    layer.project()
    assert layer.magnitudes._version == before
    assert layer.magnitudes.tolist() == pytest.approx([0.0, 1.0, 0.99], abs=1e-2)


READINGS: dict[str, Callable[[AugNet], list[Tensor]]] = {
    "magnitudes": lambda model: magnitudes(model),
    "weights": lambda model: [
        [layer.weights for layer in model.augmentation_layers],  # type: ignore[list-item]
        *raw(model),
    ][1:],
    "forward": lambda model: [model(batch()[0]), *raw(model)][1:],
    "penalty": lambda model: [model.penalty(), *raw(model)][1:],
    "state_dict": lambda model: [v for k, v in model.state_dict().items() if "magnitudes" in k],
    "eval": lambda model: raw(model.eval()),
    "train": lambda model: raw(model.train()),
    "describe": lambda model: [
        torch.tensor([each["magnitude"] for each in layer]) for layer in model.describe()
    ],
    "repr": lambda model: [repr(model), *raw(model)][1:],  # type: ignore[list-item]
    "deepcopy": lambda model: raw(deepcopy(model)),
    "pickle": lambda model: raw(pickle.loads(pickle.dumps(model))),
}


def raw(model: AugNet) -> list[Tensor]:
    """What the optimizer sees."""
    return [each.detach() for name, each in model.named_parameters() if "magnitudes" in name]


def magnitudes(model: AugNet) -> list[Tensor]:
    return [layer.magnitudes.detach() for layer in model.augmentation_layers]


@pytest.mark.parametrize("reading", READINGS)
def test_whatever_reads_it_sees_magnitudes_within_their_bounds(reading: str) -> None:
    found = READINGS[reading](out_of_bounds(new_model()))
    assert [round(float(each[0]), 4) for each in found] == [0.0, 0.0]
    assert [round(float(each[1]), 4) for each in found] == [1.0, 1.0]


def test_what_has_become_negligible_is_no_longer_run_nor_described_as_used() -> None:
    model = out_of_bounds(new_model())
    assert [layer[1]["weight"] for layer in model.describe()] == [0.0, 0.0]
    assert [layer.used for layer in model.augmentation_layers] == [[0, 2], [0]]


def test_two_batches_can_go_forward_before_one_backward() -> None:
    """So also with gradients that are accumulated, and a penalty asked for twice."""
    model = out_of_bounds(new_model())
    (x, y), losses = batch(), []
    for part in (slice(0, 4), slice(4, 8)):
        losses.append(model.loss(model(x[part]), y[part]))
    model.eval()(x)
    sum(losses).backward()  # type: ignore[union-attr,no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_loss_is_the_cross_entropy_minus_lambda_times_the_norm() -> None:
    model = new_model(penalty=0.7)
    x, y = batch()
    logits, weight = model(x), torch.tensor([1.0, 2.0, 3.0])
    norm = magnitude_norm(model.augmentation_layers)
    expected = F.cross_entropy(logits, y, weight=weight) - 0.7 * norm
    torch.testing.assert_close(model.loss(logits, y, weight), expected)
    torch.testing.assert_close(model.penalty(), -0.7 * norm)
    plain = new_model(regularizer="none")
    assert plain.penalty().item() == 0.0


def test_the_penalty_widens_what_the_loss_does_not_mind() -> None:
    model = AugNet(nn.Sequential(nn.Flatten(), nn.Linear(600, 3)), layers=LAYERS, signal=EEG)
    optimizer = torch.optim.Adam(model.layers.parameters(), lr=0.05)
    for _ in range(10):
        optimizer.zero_grad()
        model.penalty().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert all(each["magnitude"] > 0.3 for layer in model.describe() for each in layer)


def test_images_and_one_transform_alone() -> None:
    model = AugNet(trunk(PICTURES), layers=[["rotate"]], signal=PICTURES, ranges={"rotate": 45.0})
    assert model(torch.rand(2, 3, 8, 8)).shape == (2, 3)
    (((record,),),) = (model.describe(),)
    assert (record["unit"], round(record["value"], 4)) == ("degrees", 4.5)


def test_layers_may_hold_transforms_and_be_layers_that_were_made_before() -> None:
    bank = make_bank(["time_mask", "sign_flip"], EEG)
    ready = AugmentationLayer([bank["sign_flip"]], initial_magnitude=0.4)
    model = AugNet(trunk(), layers=[[bank["time_mask"]], ready])
    assert model.augmentation_layers[1] is ready
    assert model(batch()[0]).shape == (8, 3)


def test_repr_and_describe_say_what_was_learned_in_its_unit() -> None:
    model = new_model(initial_magnitude=0.5)
    mask, noise, flip = model.describe()[0]
    assert mask == {
        "transform": "time_mask",
        "weight": pytest.approx(1 / 3),
        "magnitude": 0.5,
        "value": pytest.approx(0.5 * 100 * 200 / 3840),
        "unit": "samples",
        "strongest": pytest.approx(100 * 200 / 3840),
    }
    assert (noise["value"], noise["unit"]) == (pytest.approx(0.1), "standard deviation")
    assert (flip["value"], flip["unit"]) == (pytest.approx(0.5), "probability")
    text = repr(model)
    assert "time_mask: weight 0.333, 2.6 samples of at most 5.21" in text
    assert "rotation_z: weight 0.500, 15 degrees of at most 30" in text
    assert "sign_flip: weight 0.333, 0.5 probability of at most 1" in text
    assert "penalty=0.2, regularizer='selective', n_copies_train=1, n_copies_test=4" in text


def test_a_model_that_is_saved_and_loaded_gives_the_same_bits(tmp_path: Path) -> None:
    model = new_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    one_step(model, optimizer)
    torch.save(model, tmp_path / "model.pt")
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    whole = torch.load(tmp_path / "model.pt", weights_only=False)
    again = new_model()
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    for mode in (True, False):
        expected = model.train(mode)(batch()[0], torch.Generator().manual_seed(2))
        for other in (whole, again, deepcopy(model)):
            found = other.train(mode)(batch()[0], torch.Generator().manual_seed(2))
            assert torch.equal(found, expected)


IN_ANOTHER_PROCESS = """
import sys, torch
model, x = torch.load(sys.argv[1], weights_only=False)
torch.save(model(x, torch.Generator().manual_seed(2)), sys.argv[2])
"""


def test_a_pickle_does_the_same_in_another_process(tmp_path: Path) -> None:
    model, x = out_of_bounds(new_model()).eval(), batch()[0]
    torch.save((model, x), tmp_path / "model.pt")
    files = [str(tmp_path / name) for name in ("model.pt", "out.pt")]
    subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS, *files], check=True)
    expected = model(x, torch.Generator().manual_seed(2))
    assert torch.equal(torch.load(tmp_path / "out.pt"), expected)


def test_compiled_it_gives_the_same_and_still_projects() -> None:
    """Without code generation, which takes minutes; what dynamo traces is the same."""
    plain, model = new_model(), new_model()
    compiled = torch.compile(model, backend="eager")
    x, y = batch()
    losses = []
    for each, run in ((plain, plain), (model, compiled)):
        optimizer = torch.optim.Adam(each.parameters(), lr=0.3)
        for _ in range(3):
            torch.manual_seed(6)
            loss = each.loss(run(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[3:] == pytest.approx(losses[:3], abs=1e-5)
    assert all(map(inside, magnitudes(model)))


def test_a_replica_of_data_parallel_does_the_same() -> None:
    """As `nn.parallel.replicate` makes it, for which two GPUs would be needed."""
    model = new_model()
    (layer, _) = model.augmentation_layers
    replica = layer._replicate_for_data_parallel()  # type: ignore[no-untyped-call]
    for name, parameter in layer.named_parameters():
        setattr(replica, name, parameter.clone())  # no leaf, no parameter
    x, _ = batch()
    outs = [each(x, torch.Generator().manual_seed(0)) for each in (layer, replica)]
    assert torch.equal(outs[0], outs[1])
    outs[1].sum().backward()
    assert layer.magnitudes.grad is not None


def test_after_inference_mode_it_still_trains() -> None:
    model = out_of_bounds(new_model())
    with torch.inference_mode():
        model.eval()(batch()[0])
    before = {name: value.clone() for name, value in model.named_parameters()}
    one_step(model.train(), torch.optim.SGD(model.parameters(), lr=0.1))
    moved = {name for name, value in model.named_parameters() if not value.equal(before[name])}
    assert {name for name in before if "trunk" in name} < moved  # and layers beside it
    assert all(value.isfinite().all() for value in model.parameters())


def on_images(x: Tensor) -> Tensor:
    return AugNet(trunk(PICTURES), layers=[["rotate"]], signal=PICTURES)(x)  # type: ignore[no-any-return]


def loss_of(y: Any) -> Tensor:
    model = new_model()
    return model.loss(model(batch()[0]), y)


class Pair(nn.Module):
    """A trunk that returns logits and features."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "unknown": (
        lambda: AugNet(trunk(), layers=[["time_mask"], ["rotat_z"]], signal=EEG),
        "unknown transform 'rotat_z'; did you mean 'rotat",
    ),
    "other kind": (lambda: AugNet(trunk(), layers=[["rotate"]], signal=EEG), "is for images"),
    "names alone": (
        lambda: AugNet(trunk(), layers=["time_mask"], signal=EEG),
        r"write layers=\[\['time_mask', ...\], ...\]",
    ),
    "no layer": (lambda: AugNet(trunk(), layers=[], signal=EEG), "at least one layer"),
    "empty layer": (lambda: AugNet(trunk(), layers=[["rotation_z"], []], signal=EEG), "one layer"),
    "no signal": (lambda: AugNet(trunk(), layers=LAYERS), r"give signal=Signal\(...\)"),
    "no gradient": (
        lambda: AugNet(trunk(), layers=[["crop"]], signal=PICTURES),
        "'crop' passes no gradient",
    ),
    "a class": (
        lambda: AugNet(nn.Linear, layers=LAYERS, signal=EEG),  # type: ignore[arg-type]
        "it has to be a torch.nn.Module",
    ),
    "penalty": (lambda: new_model(penalty=-1), "penalty is -1; it has to be 0 or more"),
    "copies": (lambda: new_model(n_copies_test=0), "n_copies_test is 0; it has to be 1 or more"),
    "half a copy": (lambda: new_model(n_copies_test=2.5), "it has to be 1 or more, a whole number"),
    "penalty as text": (lambda: new_model(penalty="0.2"), "penalty is .*0.2.*has to be a number"),
    "regularizer": (lambda: new_model(regularizer="Selective"), "did you mean 'selective'"),
    "at_eval": (lambda: new_model(at_eval="smaple"), "unknown at_eval 'smaple'; did you mean"),
    "magnitude": (lambda: new_model(initial_magnitude=2), r"initial_magnitude is 2; .*in \[0, 1\]"),
    "range": (lambda: new_model(ranges={"crop": 1.0}), "unknown transform in `ranges` 'crop'"),
    "x of braindecode's old form": (
        lambda: new_model()(torch.zeros(8, 6, 100, 1)),
        r"x has shape \(8, 6, 100, 1\); a batch of this signal is \(B, 6, 100\)",
    ),
    "other channels": (lambda: new_model()(torch.zeros(8, 5, 100)), r"\(B, 6, 100\)"),
    "another length": (lambda: new_model()(torch.zeros(8, 6, 99)), r"\(B, 6, 100\)"),
    "other axes": (lambda: new_model()(torch.zeros(8, 100, 6)), r"\(B, 6, 100\)"),
    "one example": (lambda: new_model()(torch.zeros(6, 100)), r"\(B, 6, 100\)"),
    "an array": (lambda: new_model()(batch()[0].numpy()), "x is an array; .* torch.as_tensor"),  # type: ignore[arg-type]
    "a list": (lambda: new_model()([[1.0]]), "x is a list; it has to be a tensor"),  # type: ignore[arg-type]
    "float64": (lambda: new_model()(batch()[0].double()), r"x.to\(torch.float32\)"),
    "whole numbers": (lambda: new_model()(batch()[0].long()), "x is torch.int64; .* floats"),
    "bytes": (lambda: on_images(torch.zeros(2, 3, 8, 8).byte()), r"x.float\(\) / 255"),
    "0 to 255": (
        lambda: on_images(torch.linspace(0, 255, 192).reshape(1, 3, 8, 8)),
        r"images from 0 to 255; they have to lie in \[0, 1\]",
    ),
    "normalised": (lambda: on_images(torch.full((2, 3, 8, 8), -2.0)), "first layer of the trunk"),
    "NaN": (lambda: on_images(torch.full((2, 3, 8, 8), torch.nan)), "images from nan to nan"),
    "too many labels": (lambda: loss_of(torch.zeros(9).long()), r"y has shape \(9,\); .*\(8,\)"),
    "labels from 1": (lambda: loss_of(torch.full((8,), 3)), "from 3 to 3; .* from 0 to 2"),
    "labels below 0": (lambda: loss_of(torch.full((8,), -1)), "from -1 to -1; .* from 0 to 2"),
    "labels of floats": (lambda: loss_of(torch.zeros(8)), "y is torch.float32; .*y.long()"),
    "labels of int32": (lambda: loss_of(torch.zeros(8).int()), "y is torch.int32; .*y.long()"),
    "labels of numpy": (lambda: loss_of(batch()[1].numpy()), "y is a ndarray"),
    "labels as text": (lambda: loss_of(["left"] * 8), "y is a list; it has to be a tensor"),
    "penalty inf": (lambda: new_model(penalty=float("inf")), "penalty is inf"),
    "penalty True": (lambda: new_model(penalty=True), "penalty is True; it has to be a number"),
    "temperature inf": (lambda: new_model(temperature=float("inf")), "temperature is inf"),
    "temperature 0": (lambda: new_model(temperature=0), "temperature is 0; .*more than 0"),
    "copies True": (lambda: new_model(n_copies_train=True), "n_copies_train is True"),
    "layers as text": (
        lambda: AugNet(trunk(), layers="time_mask", signal=EEG),
        "'time_mask'; write",
    ),
    "layers None": (lambda: AugNet(trunk(), layers=None, signal=EEG), "layers is None; write"),  # type: ignore[arg-type]
    "a number": (lambda: AugNet(trunk(), layers=[[3]], signal=EEG), "layers names 3"),  # type: ignore[list-item]
    "a layer of None": (lambda: AugNet(trunk(), layers=[None], signal=EEG), "layers holds None"),  # type: ignore[list-item]
    "signal as a shape": (
        lambda: AugNet(trunk(), layers=LAYERS, signal=(6, 100)),  # type: ignore[arg-type]
        r"signal is \(6, 100\); it has to be a Signal",
    ),
    "ranges as a list": (
        lambda: new_model(ranges=["time_mask"]),
        "ranges is .*; it has to be a dict",
    ),
    "a range as text": (lambda: new_model(ranges={"time_mask": "5"}), "'5'; it has to be a number"),
    "names for a layer": (lambda: AugmentationLayer(["time_mask"]), "takes Transforms: make_bank"),  # type: ignore[list-item]
    "a magnitude of a layer": (
        lambda: AugmentationLayer(
            list(make_bank(["time_mask"], EEG).values()), initial_magnitude=2
        ),
        "initial_magnitude is 2",
    ),
    "a trunk that returns two": (
        lambda: AugNet(Pair(), layers=LAYERS, signal=EEG)(batch()[0]),
        "the trunk returned a tuple; it has to return logits",
    ),
    "a trunk that returns one row": (
        lambda: AugNet(nn.Flatten(0), layers=LAYERS, signal=EEG)(batch()[0]),
        r"the trunk returned shape \(4800,\) for 8 examples",
    ),
    "logits of three axes": (
        lambda: new_model().loss(torch.zeros(8, 3, 2), batch()[1]),
        r"logits are \(8, 3, 2\)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_one_sentence(case: str) -> None:
    call, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint):
        call()


def test_what_can_be_is_not_refused() -> None:
    x, y = batch()
    whole = new_model(initial_magnitude=1, initial_weight=1, temperature=1, penalty=0)
    assert whole(x).dtype == torch.float32
    assert new_model().double()(x.double()).dtype == torch.float64
    probabilities = F.one_hot(y, 3).float()
    model = new_model()
    torch.testing.assert_close(
        model.loss(model(x, stream()), probabilities), loss_alike(model, x, y)
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert new_model()(x).dtype == torch.bfloat16
    half = new_model()
    half.trunk.bfloat16()
    assert half(x.bfloat16()).dtype == torch.bfloat16
    resized = torch.linspace(-0.1, 1.1, 192).reshape(1, 3, 8, 8)
    assert on_images(resized).shape == (1, 3)
    assert new_model()(x[:0]).shape == (0, 3)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def loss_alike(model: AugNet, x: Tensor, y: Tensor) -> Tensor:
    return model.loss(model(x, stream()), y)


def test_eeg_that_is_not_standardised_is_told_once() -> None:
    model, (x, _) = new_model(), batch()
    with pytest.warns(UserNotice, match=r"standard deviation of .*e-05.* x = \(x - x.mean"):
        model(x * 1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(x * 1e-5)
        new_model()(x)


def test_a_transform_that_does_nothing_for_the_signal_is_refused() -> None:
    signal = Signal("eeg", (2, 100), ("Oz", "O1"), 100.0)
    with pytest.raises(UserError, match=r"channel_symmetry does nothing here: .* \(O1 has no O2\)"):
        AugNet(trunk(signal), layers=[["channel_symmetry"]], signal=signal)
