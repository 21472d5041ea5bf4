"""AugNet in a LightningModule: its penalty, checkpoints, resuming, two rates of learning."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from augbench.datasets.task import Signal
from augbench.methods import AugNet, Operation, Policy, Subpolicy

pl = pytest.importorskip("pytorch_lightning")
SIGNAL = Signal("eeg", (4, 50), ("C3", "C4", "O1", "O2"), 100.0)
LAYERS = [["time_mask", "gaussian_noise"], ["channel_dropout", "sign_flip"]]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # Lightning's own
        yield


class Module(pl.LightningModule):  # type: ignore[misc,name-defined]
    def __init__(self, penalty: float = 5.0) -> None:
        super().__init__()
        self.save_hyperparameters()
        torch.manual_seed(1)
        trunk = nn.Sequential(nn.Flatten(), nn.Linear(200, 2))
        self.model = AugNet(trunk, layers=LAYERS, signal=SIGNAL, penalty=penalty)
        self.losses: list[float] = []

    def on_train_batch_start(self, batch: list[Tensor], index: int) -> None:
        torch.manual_seed(self.global_step)  # the noise of a step, also after resuming

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        x, y = batch
        loss = self.model.loss(self.model(x), y)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        x, y = batch
        self.log("accuracy", (self.model(x).argmax(1) == y).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            [
                {"params": self.model.trunk.parameters()},
                {"params": self.model.layers.parameters(), "lr": 0.3},
            ],
            lr=1e-3,
        )


class Windows(pl.LightningDataModule):  # type: ignore[misc,name-defined]
    """Windows, of which the training batches go through a policy where they are."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(32, *SIGNAL.shape, generator=generator)
        self.data = TensorDataset(x, torch.arange(32) % 2)
        self.augment = None if policy is None else policy.as_module(SIGNAL)
        self.seen: dict[bool, list[Tensor]] = {True: [], False: []}

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.data, batch_size=8)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.data, batch_size=8)

    def on_after_batch_transfer(self, batch: list[Tensor], dataloader_idx: int) -> list[Tensor]:
        x, y = batch
        if self.augment is not None and self.trainer.training:
            x = self.augment(x)
        self.seen[self.trainer.training].append(x)
        return [x, y]


def train(folder: Path, epochs: int, data: Any = None, resume: Path | None = None) -> Module:
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    module = Module()
    trainer.fit(module, data or Windows(), ckpt_path=resume, weights_only=True)
    return module


def checkpoint(folder: Path) -> Path:
    (file,) = folder.rglob("*.ckpt")
    return file


def test_a_training_that_is_resumed_ends_in_the_bits_of_one_that_is_not(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", 4)
    train(tmp_path / "half", 2)
    resumed = train(tmp_path / "rest", 4, resume=checkpoint(tmp_path / "half"))
    assert whole.losses[8:] == resumed.losses
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert len(resumed.optimizers().param_groups) == 2
    assert min(whole.losses) < 0  # the penalty is part of them


def test_a_checkpoint_holds_magnitudes_within_their_bounds_and_loads(tmp_path: Path) -> None:
    module = train(tmp_path, 3)
    weights = torch.load(checkpoint(tmp_path), weights_only=True)["state_dict"]
    for name, tensor in weights.items():
        assert "magnitudes" not in name or ((tensor >= 0) & (tensor <= 1)).all(), name
    assert any(tensor.max() == 1 for name, tensor in weights.items() if "magnitudes" in name)
    again = Module.load_from_checkpoint(checkpoint(tmp_path), weights_only=True)
    assert again.model.describe() == module.model.describe()
    assert again.hparams == {"penalty": 5.0}


def test_a_policy_in_a_data_module_augments_training_batches_alone(tmp_path: Path) -> None:
    flips = Policy((Subpolicy((Operation("sign_flip", 1.0, None),)),))
    data = Windows(flips)
    train(tmp_path, 1, data)
    x = data.data.tensors[0]
    assert torch.equal(torch.cat(data.seen[True]), -x)
    assert torch.equal(torch.cat(data.seen[False][-4:]), x)
