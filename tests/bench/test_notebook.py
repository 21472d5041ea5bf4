"""The harness from a real notebook: its event loop runs, in this process and over Ray."""

from pathlib import Path

import pytest

from notebooks import notebook_of, printed, run_notebook

START = """
import asyncio, signal, threading
from augbench.analysis import read_results
from augbench.bench.library import run_suite, search

asyncio.get_running_loop()  # an error where none runs
before = signal.getsignal(signal.SIGINT)

def suite(name):
    return {
        "name": name,
        "folds": 1,
        "tasks": {"digits": {"training": {"epochs": 1}}},
        "methods": {"none": {}, "random_policy": {"n_policies": 1}},
    }

def tests(run):
    return read_results(run).points["test"].tolist()

inline = tests(run_suite(suite("inline")))
"""
SEARCH = """
policy = search("random_policy", "digits", options={"n_policies": 1}, budget={"steps": 1})
print(len(policy.transforms) > 0)
"""
OVER_RAY = """
over_ray = tests(run_suite(suite("ray"), engine="ray", workers=1))
print(over_ray == inline, signal.getsignal(signal.SIGINT) is before)
"""
# While a cell awaits, the kernel has a handler of its own, which cancels what is awaited.
IN_A_THREAD = """
meanwhile = signal.getsignal(signal.SIGINT)
run = await asyncio.to_thread(run_suite, suite("thread"), engine="ray", workers=1, verbose=False)
print(tests(run) == inline, signal.getsignal(signal.SIGINT) == meanwhile)
"""


def test_suites_and_searches_run_in_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = notebook_of(START, SEARCH, OVER_RAY, IN_A_THREAD)
    start, found, over_ray, in_a_thread = run_notebook(notebook, tmp_path, monkeypatch)
    assert "2 of 2 trials done in runs/inline" in printed(start)
    assert {output.output_type for output in start.outputs} == {"stream"}  # plain lines
    assert printed(found) == "True\n"
    assert printed(over_ray).endswith("True True\n")
    assert printed(in_a_thread) == "True True\n"
