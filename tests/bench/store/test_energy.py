"""Counters of energy as Linux lays them out; no machine of ours has them, so they are made here."""

from pathlib import Path

import pytest
import torch

from augbench.analysis.tables.costs import ENERGY_TABLE, energy_table
from augbench.bench.store import attempt, energy
from augbench.bench.store.energy import EnergyMeter
from runs import run_inline

CPU = torch.device("cpu")
SUITE = """
name = "energy"
folds = 1
[tasks.digits]
training = { epochs = 1 }
[methods.none]
[methods.random_policy]
n_policies = 2
"""


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Two packages, the memory of one, and what is part of them or of the whole machine."""
    folder = tmp_path / "powercap"
    for zone, name in (
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:1", "package-1"),
        ("intel-rapl:2", "psys"),
    ):
        (folder / zone).mkdir(parents=True)
        (folder / zone / "name").write_text(f"{name}\n")
        (folder / zone / "max_energy_range_uj").write_text("10000000\n")
        (folder / zone / "energy_uj").write_text("9000000\n")
    return folder


def count(powercap: Path, zone: str, microjoules: int) -> None:
    (powercap / f"intel-rapl:{zone}" / "energy_uj").write_text(f"{microjoules}\n")


def test_packages_and_memory_are_added_up_and_their_parts_are_not(powercap: Path) -> None:
    meter = EnergyMeter(CPU, powercap)
    assert meter.read() == {"processors": 0.0}
    for zone, more in (("0", 500_000), ("0:0", 400_000), ("0:1", 30_000), ("1", 1), ("2", 700_000)):
        count(powercap, zone, 9_000_000 + more)
    assert meter.read() == {"processors": pytest.approx(0.530001)}


def test_a_counter_that_begins_again_goes_on(powercap: Path) -> None:
    meter = EnergyMeter(CPU, powercap)
    count(powercap, "0", 2_000_000)  # 10 J is its range
    assert meter.read() == {"processors": pytest.approx(3.0)}
    count(powercap, "0", 1_000_000)
    assert meter.read() == {"processors": pytest.approx(12.0)}


@pytest.mark.parametrize("content", ["", "what?"])
def test_a_counter_that_cannot_be_read_is_left_out(content: str, powercap: Path) -> None:
    meter = EnergyMeter(CPU, powercap)
    (powercap / "intel-rapl:1" / "energy_uj").write_text(content)
    assert meter.read() == {}
    assert EnergyMeter(CPU, powercap).read() == {"processors": 0.0}  # of what is left


def test_a_machine_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert EnergyMeter(CPU, tmp_path / "none").read() == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_uses_energy() -> None:
    meter = EnergyMeter(torch.device("cuda"))
    x = torch.ones(4096, 4096, device="cuda")
    for _ in range(200):
        x = (x @ x).clamp(max=1)
    torch.cuda.synchronize()
    assert meter.read()["gpu"] > 0


def run(tmp_path: Path) -> Path:
    return run_inline(SUITE, tmp_path / "run")


def test_a_trial_has_the_energy_of_its_retrainings_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Steady:
        """Each attempt uses 2 J."""

        def __init__(self, device: torch.device) -> None:
            pass

        def read(self) -> dict[str, float]:
            return {"processors": 2.0}

    monkeypatch.setattr(attempt, "EnergyMeter", Steady)
    table = energy_table(run(tmp_path)).set_index("method")
    assert table.loc["none", "processors"] == 2.0
    assert table.loc["random_policy", "processors"] == 6.0
    assert table["gpu"].isna().all()


def test_where_no_machine_tells_there_are_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "POWERCAP", tmp_path / "none")
    monkeypatch.setattr(EnergyMeter.__init__, "__defaults__", (tmp_path / "none",))
    table = energy_table(run(tmp_path))
    assert table.empty
    assert list(table) == list(ENERGY_TABLE)
