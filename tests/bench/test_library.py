"""The harness from Python: in this process, in a thread, over arrays of one's own."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from augbench.analysis import read_results, score_table
from augbench.bench.library import load_model, run_suite, search
from augbench.datasets.errors import UserError
from augbench.methods import AugNet, Policy
from runs import timeless

QUICK = {"training": {"epochs": 1}}


def arrays(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Images of two classes, which differ in brightness."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    x = rng.random((n, 1, 8, 8), dtype=np.float32) / 2 + y[:, None, None, None].astype("f4") / 2
    return x, y


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What the work returns; its error is raised here."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def test_a_suite_runs_in_a_thread_as_it_does_in_the_main_one(
    learned_run: Path, tmp_path: Path
) -> None:
    suite = learned_run.parent / "learned.toml"
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    out = in_a_thread(lambda: run_suite(suite, out=tmp_path / "run", verbose=False))
    assert timeless(out) == timeless(learned_run)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_results_are_frames_and_the_same_call_runs_nothing_again(learned_run: Path) -> None:
    results = read_results(str(learned_run))
    table = score_table(results).set_index("method")
    assert table["done"].to_dict() == dict.fromkeys(["none", "augnet", "random_policy", "other"], 1)
    assert table["test"].between(0, 1).all()
    before = {file: file.stat().st_mtime_ns for file in learned_run.rglob("result.json")}
    run_suite(learned_run.parent / "learned.toml", out=learned_run, verbose=False)
    assert before == {file: file.stat().st_mtime_ns for file in learned_run.rglob("result.json")}


def test_a_suite_may_be_a_dict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = {"name": "mine", "folds": 1, "tasks": {"digits": QUICK}, "methods": {"none": {}}}
    out = run_suite(suite, out=tmp_path / "run")
    assert "1 of 1 trials done" in capsys.readouterr().out
    assert len(read_results(out).points) == 1


def test_what_is_missing_at_the_end_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    training = {"epochs": 1, "learning_rate": 1e30}
    suite = {
        "name": "mine",
        "folds": 1,
        "tasks": {"digits": {"training": training}},
        "methods": {"none": {}},
    }
    with pytest.raises(UserError, match=r"1 of 1 trials are missing: none on digits diverged \("):
        run_suite(suite, out=tmp_path / "run", verbose=False)


def test_a_search_over_arrays_gives_a_policy(tmp_path: Path) -> None:
    task = {"x": arrays()[0], "y": arrays()[1], "transforms": ("rotate", "invert"), **QUICK}
    options = {"n_policies": 2}
    found = search("random_policy", task, options=options, out=tmp_path / "run")
    assert isinstance(found, Policy)
    assert found.transforms <= {"rotate", "invert"}
    again = in_a_thread(lambda: search("random_policy", task, options=options))
    assert again == found  # the same seed, another folder and thread
    assert search("random_policy", task, options=options, seed=1) != found


def test_a_search_over_a_pair_gives_a_model(tmp_path: Path) -> None:
    x, y = (torch.from_numpy(each) for each in arrays())
    layers = {"layers": [["rotate"]]}
    model = search("augnet", (x, y), options=layers, budget={"steps": 2})
    assert isinstance(model, AugNet)
    assert model(x[:3]).shape == (3, 2)


def test_a_search_on_a_task_by_its_name_or_its_table() -> None:
    model = search("none", "digits", budget={"steps": 1})
    assert isinstance(model, nn.Module)
    again = search("none", {"task": "digits"}, budget={"steps": 1})
    assert isinstance(again, nn.Module)
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(model(x), again(x))


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "method": (lambda: search("augnt", "digits"), "unknown method 'augnt'; did you mean 'augnet'"),
    "task": (lambda: search("none", "digit"), "unknown task 'digit'; did you mean 'digits'"),
    "three arrays": (lambda: search("none", (1, 2, 3)), r"a tuple of 3; it has to be \(x, y\)"),  # type: ignore[arg-type]
    "no task": (lambda: search("none", 3), "task is a int; it has to be the name"),  # type: ignore[arg-type]
    "x alone": (lambda: search("none", {"x": arrays()[0]}), "lacks 'y'"),
    "labels": (lambda: search("none", (arrays()[0], [1, 2])), "give 60 labels"),
    "budget": (lambda: search("none", "digits", budget={"step": 1}), "step"),
    "option": (lambda: search("none", "digits", options={"penalty": 1}), "penalty"),
    "does not fit": (
        lambda: search("augerino", "sinusoids", budget={"steps": 1}),
        "augerino moves the pixels of images",
    ),
    "suite": (lambda: run_suite("quickstrt"), "unknown suite 'quickstrt'; did you mean"),
    "an array of another name": (
        lambda: search("none", {"x": arrays()[0], "y": arrays()[1], "folds": arrays()[1]}),
        "rename 'folds' to 'fold'",
    ),
    "examples of two shapes": (lambda: search("none", ([[1, 2], [3]], [0, 1])), "of one shape"),
    "method as a list": (lambda: search(["augnet"], "digits"), "unknown method \\['augnet'\\]"),  # type: ignore[arg-type]
    "budget as a number": (lambda: search("none", "digits", budget=4), "budget is 4; .*a dict"),  # type: ignore[arg-type]
    "options as a list": (lambda: search("none", "digits", options=["a"]), "options is .*a dict"),  # type: ignore[arg-type]
    "out as a number": (lambda: search("none", "digits", out=3), "out is 3; .*pathlib.Path"),  # type: ignore[arg-type]
    "a function among the options": (
        lambda: search("augnet", "digits", options={"layers": [[len]]}),
        "holds <built-in function len>; options are numbers, texts",
    ),
    "seed": (lambda: search("none", "digits", seed=-1), r"seeds is \[-1\]; .*from 0 on"),
    "fold": (lambda: search("none", "digits", fold=99, budget={"steps": 1}), "asks for fold 99"),
    "NaN": (lambda: search("none", (arrays()[0] * np.nan, arrays()[1])), "NaN or infinite"),
    "0 to 255": (
        lambda: search("none", (arrays()[0] * 255, arrays()[1])),
        r"scale them to \[0, 1\]",
    ),
    "suite as a number": (
        lambda: run_suite(3),
        "suite is 3; .*a dict of tables, the name of a suite",
    ),  # type: ignore[arg-type]
    "no run": (lambda: read_results(None), "run is None; it has to be"),  # type: ignore[arg-type]
    "no run of a model": (lambda: load_model(None), "run is None; it has to be"),  # type: ignore[arg-type]
    "no policy": (lambda: Policy.load(3), "path is 3; it has to be"),  # type: ignore[arg-type]
    "no signal": (lambda: Policy().as_module((6, 100)), r"signal is \(6, 100\); .*Signal"),  # type: ignore[arg-type]
    "a path for a table": (lambda: score_table("run"), "it takes what read_results"),  # type: ignore[arg-type]
    "engine": (lambda: search("none", "digits", engine="thread"), "unknown engine 'thread'"),  # type: ignore[arg-type]
    "overrides": (lambda: run_suite({}, overrides=["a=1"]), "overrides are for a suite's file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_one_sentence(case: str) -> None:
    call, complaint = WRONG[case]
    with pytest.raises(UserError, match=complaint):
        call()


def test_a_folder_or_file_of_somebodys_own_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for out in ("folder", "file"):
        with pytest.raises(UserError, match=r"holds files but no run.json|cannot write to run"):
            search("none", arrays(), out=tmp_path / out)
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["thesis.txt"]


def test_numbers_of_numpy_and_paths_are_options_like_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=arrays()[0], y=arrays()[1])
    suite = {
        "name": "mine",
        "folds": np.int64(1),
        "tasks": {"mine": {"task": "arrays", "path": Path("mine.npz"), **QUICK}},
        "methods": {"none": {}},
        "budget": {"steps": np.int32(1), "device_hours": np.float32(1)},
    }
    out = run_suite(suite, out=tmp_path / "run", data=tmp_path, verbose=False)
    assert len(read_results(out).points) == 1


def test_a_dict_may_hold_what_is_tested() -> None:
    x, y = arrays()
    task = {"x": x[:40], "y": y[:40], "x_test": x[40:], "y_test": y[40:], **QUICK}
    assert isinstance(search("none", task), nn.Module)
    with pytest.raises(UserError, match=r"holds split, and x_test says which rows are tested"):
        search("none", {**task, "split": y[:40]})
    with pytest.raises(UserError, match=r"holds x_test but no y_test"):
        search("none", {"x": x, "y": y, "x_test": x})
