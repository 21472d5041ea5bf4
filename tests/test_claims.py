"""Claims of the paper that this project repeats, at the paper's sizes."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.points import open_run, read_learned

SINUSOIDS = Path(__file__).parents[1] / "bench" / "suites" / "sinusoids.toml"


def test_augnet_learns_half_a_hertz_in_four_of_five_seeds(tmp_path: Path) -> None:
    """Section 4.2 and figure 5, with a layer that holds only the frequency shift."""
    suite = load_suite(SINUSOIDS)
    only = [planned for planned in suite.plan if planned.method == "shift"]
    tables = {**suite.resolved, "methods": {"shift": suite.resolved["methods"]["shift"]}}
    suite = replace(suite, plan=tuple(only), resolved=tables)
    assert run_suite(suite, RunOptions(tmp_path / "run", tmp_path), Console(quiet=True))
    run, suite = open_run(tmp_path / "run")
    learned = read_learned(run, suite.plan)
    last = max(record["step"] for record in learned)
    hertz = [record["value"] for record in learned if record["step"] == last]
    assert len(hertz) == 5
    assert sum(abs(value - 0.5) <= 0.1 for value in hertz) >= 4, hertz
