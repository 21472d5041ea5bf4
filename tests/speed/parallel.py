"""A search whose samplings two workers do at once, beside the same search on one worker.

    PYTHONPATH=tests/kit python tests/speed/parallel.py [N_SAMPLINGS] [CHILD_EPOCHS]

One trial of AutoAugment on the digits with ``parallel = 2``, by the real command. Both runs must
have the same numbers. `search s` is the time from the start of the trial to its end, without the
start of Ray and the last retraining. `charged s` are the device seconds of the search and `busy s`
its processor seconds; hours are summed as if one worker had done all, so on a quiet machine two
workers have those of one. `at work` is how many processes work on the search, on average over its
time: as often as one worker's speed, if they do not slow each other down. So on a busy machine it
tells more than wall time. The start of the second worker's process counts: more samplings, or
longer ones, come closer to 2.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.store.open_run import open_run
from augbench.bench.store.phases import CHARGED
from runs import timeless

SUITE = """
name = "parallel"
folds = [0]
[tasks.digits]
training = {{ epochs = 20, patience = {epochs} }}
[methods.autoaugment]
parallel = 2
n_samplings = {n}
samplings_per_point = {n}
n_startup = 2
child_epochs = {epochs}
"""


class Span(NamedTuple):
    """When a process worked on the trial or on one of its samplings, in seconds since 1970."""

    start: float
    end: float


class Search(NamedTuple):
    """What a run of the suite took."""

    command: float  # seconds
    spans: list[Span]
    costs: dict[str, float]  # seconds and processor seconds of the trial's charged phases

    @property
    def seconds(self) -> float:
        """From the start of the trial to its end."""
        return max(span.end for span in self.spans) - min(span.start for span in self.spans)

    @property
    def at_work(self) -> float:
        """How many processes work, on average over that time."""
        return sum(span.end - span.start for span in self.spans) / self.seconds


def run(suite: Path, out: Path, workers: int) -> Search:
    """The suite by the real command."""
    words = ["-m", "augbench.bench", "run", suite, "--workers", workers, "--out", out]
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    command = time.perf_counter() - began
    spans = [
        span(log)
        for kind in ("trials", "samplings")
        for log in out.glob(f"{kind}/*/attempts/*/log.jsonl")
    ]
    opened, planned = open_run(out)
    result = opened.unit(planned.plan[0].spec.unit).result()
    assert result is not None
    paid = [result["costs"][phase] for phase in CHARGED]
    costs = {key: sum(each[key] for each in paid) for key in ("seconds", "cpu_seconds")}
    return Search(command, spans, costs)


def span(log: Path) -> Span:
    """Of an attempt."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    times = {line["event"]: line["time"] for line in lines if "time" in line}
    return Span(times["start"], times["end"])


def numbers(out: Path) -> tuple[Any, Any]:
    """Scores, and the weights of all but the samplings."""
    points, weights = timeless(out)
    return points, {k: v for k, v in weights.items() if not k.startswith("samplings")}


def main() -> None:
    """Measure and print."""
    n, epochs = (int(word) for word in (*sys.argv[1:], "6", "100")[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = folder / "parallel.toml"
        suite.write_text(SUITE.format(n=n, epochs=epochs), encoding="utf-8")
        found = {workers: run(suite, folder / str(workers), workers) for workers in (1, 2)}
        same = numbers(folder / "1") == numbers(folder / "2")
    print(f"{n} samplings of {epochs} epochs; equal scores and weights: {'yes' if same else 'NO'}")
    heads = ("command s", "search s", "charged s", "busy s", "at work")
    print(f"{'':10}" + "".join(f"{head:>13}" for head in heads))
    for workers, each in found.items():
        seconds = (each.command, each.seconds, each.costs["seconds"], each.costs["cpu_seconds"])
        print(
            f"{workers} {'worker' if workers == 1 else 'workers':8}"
            + "".join(f"{number:13.1f}" for number in seconds)
            + f"{each.at_work:13.2f}"
        )
    command = found[1].command / found[2].command
    search = found[1].seconds / found[2].seconds
    print(f"one / two: command {command:.2f}, search {search:.2f}")


if __name__ == "__main__":
    main()
