"""The device that units run on."""

import torch

from augbench.datasets.errors import UserError


def check_device(device: str) -> None:
    """Raise a UserError for a device that is unknown, or that this machine does not have."""
    if device not in ("cpu", "cuda"):
        raise UserError(f"--device {device}: known: cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no GPU on this machine: leave out --device")
