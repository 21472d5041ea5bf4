"""Claims of the paper that this project repeats, at the paper's sizes."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.store.learned import read_learned
from augbench.bench.store.open_run import open_run

SINUSOIDS = Path(__file__).parents[1] / "bench" / "suites" / "sinusoids.toml"


# Neither changes what is learned.
LESS_WORK = ["tasks.sinusoids.n_test=20", "methods.shift.n_copies_test=1"]


def test_augnet_learns_half_a_hertz_in_four_of_five_seeds(tmp_path: Path) -> None:
    """Section 4.2 and figure 5, with a layer that holds only the frequency shift.

    No seed is tried after the verdict.
    """
    suite = load_suite(SINUSOIDS, LESS_WORK)
    seeds = [planned for planned in suite.plan if planned.method == "shift"]
    assert len(seeds) == 5
    hertz = []
    for seed in seeds:
        hertz.append(learned_shift(replace(suite, plan=(seed,)), tmp_path / str(len(hertz))))
        n_hits = sum(abs(value - 0.5) <= 0.1 for value in hertz)
        if n_hits == 4 or len(hertz) - n_hits == 2:
            break
    assert n_hits == 4, hertz


def learned_shift(suite: Suite, out: Path) -> float:
    """What the one trial of a suite has learned at its end, in hertz."""
    tables = {**suite.resolved, "methods": {"shift": suite.resolved["methods"]["shift"]}}
    options = RunOptions(out, out, "inline")
    assert run_suite(replace(suite, resolved=tables), options, Console(quiet=True))
    run, suite = open_run(out)
    learned = read_learned(run, suite.plan)
    last = max(record["step"] for record in learned)
    (hertz,) = (record["value"] for record in learned if record["step"] == last)
    return float(hertz)
