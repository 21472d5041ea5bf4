"""The energy that a machine uses, by its own counters: RAPL for processors, NVML for a GPU."""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

POWERCAP = Path("/sys/class/powercap")  # on many systems only root may read its counters
NVML = "libnvidia-ml.so.1"
Counter = Callable[[], float]  # joules; never falls


class EnergyMeter:
    """Joules since it was made, of all that the machine did, and not of this process alone.

    Counters of processors begin again at 0 after some minutes under load: read it more often.
    """

    def __init__(self, device: torch.device, powercap: Path = POWERCAP) -> None:
        self._counters: dict[str, list[Counter]] = {
            "processors": _rapl_counters(powercap),
            "gpu": _gpu_counters(device) if device.type == "cuda" else [],
        }
        self._began = self._now()

    def read(self) -> dict[str, float]:
        """Joules of "processors" (memory included) and of "gpu", as far as the machine tells."""
        now = self._now()
        return {name: now[name] - began for name, began in self._began.items() if name in now}

    def _now(self) -> dict[str, float]:
        found = {}
        for name, counters in self._counters.items():
            with suppress(OSError, ValueError):  # a GPU may tell nothing when it is asked
                if counters:
                    found[name] = sum(counter() for counter in counters)
        return found


def _rapl_counters(powercap: Path) -> list[Counter]:
    """One for each processor package, and one for the memory beside it where it is told apart."""
    zones = []
    for zone in sorted(powercap.glob("intel-rapl:*")):  # AMD's have this name too
        with suppress(OSError, ValueError):
            kind = (zone / "name").read_text(encoding="utf-8").strip()
            if kind.startswith("package") or kind == "dram":
                zones.append(_rapl_counter(zone))
    return zones


def _rapl_counter(zone: Path) -> Counter:
    file, largest = (
        zone / "energy_uj",
        int((zone / "max_energy_range_uj").read_text(encoding="utf-8")),
    )
    last, total = int(file.read_text(encoding="utf-8")), 0

    def joules() -> float:
        nonlocal last, total
        now = int(file.read_text(encoding="utf-8"))
        total += now - last if now >= last else now + largest - last
        last = now
        return total / 1e6

    return joules


def _gpu_counters(device: torch.device) -> list[Counter]:
    """One, or none where the driver or the GPU does not tell."""
    try:
        nvml = ctypes.CDLL(NVML)
        identity = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    except (OSError, AttributeError):
        return []
    handle = ctypes.c_void_p()
    if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByUUID(
        identity.encode(), ctypes.byref(handle)
    ):
        return []

    def joules() -> float:
        millijoules = ctypes.c_ulonglong()
        if nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)):
            raise OSError("this GPU does not count its energy")
        return millijoules.value / 1e3

    return [joules]
