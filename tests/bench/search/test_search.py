"""The search as its user meets it: what it finds, what it never looks at, and what it refuses."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

import augbench.bench.engines.inline
import augbench.bench.search.drive
import augbench.bench.unit.job
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import load_suite
from augbench.bench.search.search_results import read_search_results
from augbench.bench.store.files import read_lines
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit

Search = Callable[..., tuple[int, str, str]]
Timeless = Callable[[Path], list[dict[str, Any]]]

LAMBDA = ("--method", "shift", "--param", "lambda", "--space", "log:0.01:50")
SIX = (*LAMBDA, "--trials", "6")
UNIT_STEPS = 9


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("once") / "search"


@pytest.fixture
def whole(once: Path, search: Search) -> Path:
    """A search of six trials that nothing disturbed; made for the first test that asks for it."""
    if not once.exists():
        assert search(once, *SIX)[0] == 0
    return once


def units(out: Path) -> dict[str, int]:
    """The number of points of each trial's folder."""
    return {folder.name: len(UnitDirectory(folder).points()) for folder in out.glob("trials/*")}


def test_a_search_prunes_and_its_best_is_a_fragment_that_a_run_takes(
    search: Search, tiny: Path, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    out = tmp_path / "search"
    code, printed, complaint = search(out, *LAMBDA, "--trials", "6")
    assert (code, complaint) == (0, "")
    assert "6 of 6 trials ended" in printed
    assert f"augbench run {tiny} --with {out / 'best.toml'}" in printed
    batches = [line["trials"] for line in read_lines(out / "events.jsonl") if "trials" in line]
    assert batches[1:] == [[0, 1, 2, 3], [4, 5]]  # after the line of the search itself
    shown = augbench("status", out)
    assert shown.returncode == 0
    assert "6 of 6 trials ended" in shown.stdout
    assert "pruned after 1/9 of its steps" in shown.stdout
    results = read_search_results(out)
    pruned = [trial for trial in results.trials if trial.state == "pruned"]
    best = results.best
    assert best is not None
    assert len(pruned) >= 3
    assert sorted(set(units(out).values())) == [1, 3, UNIT_STEPS]
    assert best.valid == max(t.valid or 0 for t in results.trials if t.state == "done")
    done = augbench(
        "run", tiny, "--with", out / "best.toml", "--engine", "inline", "--out", out / "r"
    )
    assert done.returncode == 0, done.stderr
    run, suite = open_run(out / "r")
    spec = next(p.spec for p in suite.plan if p.method == "shift" and p.spec.fold == 0)
    assert spec.options["penalty"] == best.values["penalty"]
    # The very numbers of the search, and now the test split beside them.
    row = next(p for p in read_points(run, suite.plan) if p["trial"] == spec.unit.digest)
    assert row["valid"] == RunDirectory(out).unit(spec.unit).points()[0]["valid"]
    assert "test" in row
    assert suite.searches["shift"].forward == sum(trial.forward for trial in results.trials)


def test_a_pruned_trial_is_charged_for_what_it_did_and_no_more(
    search: Search, tmp_path: Path
) -> None:
    out = tmp_path / "search"
    search(out, *LAMBDA, "--trials", "4")
    rows = [UnitDirectory(folder).points()[-1] for folder in out.glob("trials/*")]
    results = read_search_results(out)
    charged = [row["costs"][phase] for row in rows for phase in ("search", "validate")]
    assert sum(t.forward for t in results.trials) == sum(cost["forward"] for cost in charged)
    seconds = sum(cost["seconds"] for cost in charged)
    assert results.cost.device_hours == pytest.approx(seconds / 3600)
    validated = rows[0]["costs"]["validate"]["forward"] // rows[0]["step"]
    per_step = 2 * (48 + validated)  # two folds, 48 waves each
    n_steps = {"pruned": (1, 3), "done": (9,)}
    assert all(t.forward // per_step in n_steps[t.state] for t in results.trials)
    assert all(t.forward == t.share_of_steps * 9 * per_step for t in results.trials)


def test_without_pruning_every_trial_goes_to_its_end(search: Search, tmp_path: Path) -> None:
    search(tmp_path / "s", *LAMBDA, "--trials", "3", "--no-prune", "--sampler", "random")
    assert [t.state for t in read_search_results(tmp_path / "s").trials] == ["done"] * 3
    assert list(units(tmp_path / "s").values()) == [UNIT_STEPS] * 6


def test_the_papers_grid_is_gone_through_as_a_whole(search: Search, tmp_path: Path) -> None:
    words = ("--method", "shift", "--param", "lambda", "--space", "paper", "--sampler", "grid")
    assert search(tmp_path / "s", *words)[0] == 0
    trials = read_search_results(tmp_path / "s").trials
    assert [trial.values["penalty"] for trial in trials] == [0.01, 0.1, 0.5, 0.8]
    assert {trial.state for trial in trials} == {"done"}


def test_two_parameters_of_method_and_training(search: Search, tiny: Path, tmp_path: Path) -> None:
    second = ("--param", "training.learning_rate", "--space", "log:1e-3:1e-1")
    third = ("--param", "n_copies_test", "--space", "int:1:3")
    assert search(tmp_path / "s", *LAMBDA, *second, *third, "--trials", "5")[0] == 0
    best = read_search_results(tmp_path / "s").best
    assert best is not None
    fragment = tomllib.loads((tmp_path / "s" / "best.toml").read_text())
    assert fragment["methods"]["shift"] == {
        "penalty": best.values["penalty"],
        "n_copies_test": best.values["n_copies_test"],
        "training": {"learning_rate": best.values["training.learning_rate"]},
    }
    suite = load_suite(tiny, fragments=[tmp_path / "s" / "best.toml"])
    spec = next(p.spec for p in suite.plan if p.method == "shift")
    assert spec.task.training["learning_rate"] == best.values["training.learning_rate"]
    assert (tmp_path / "s" / "trials" / spec.unit.digest).exists()


def test_equal_values_are_done_and_charged_once(search: Search, tmp_path: Path) -> None:
    words = ("--method", "shift", "--param", "lambda", "--space", "choice:0.1,0.2")
    search(tmp_path / "s", *words, "--sampler", "random", "--trials", "8")
    trials = read_search_results(tmp_path / "s").trials
    assert len({trial.values["penalty"] for trial in trials}) == 2
    steps = sum(units(tmp_path / "s").values())
    assert len(units(tmp_path / "s")) == 4
    assert sum(trial.backward for trial in trials) == 48 * steps  # validation goes forward alone


def test_options_of_a_method_that_ends_in_policies(search: Search, tmp_path: Path) -> None:
    words = ("--method", "policies", "--param", "n_policies", "--space", "choice:1,2")
    assert search(tmp_path / "s", *words, "--sampler", "grid")[0] == 0
    trials = read_search_results(tmp_path / "s").trials
    assert [trial.state for trial in trials] == ["done", "done"]
    assert all(trial.valid and trial.backward for trial in trials)
    folders = [file.parent for file in tmp_path.glob("s/*/*/spec.json")]
    rows = [row for folder in folders for row in UnitDirectory(folder).points()]
    assert {row["kind"] for row in rows} == {"model", "policy"}
    assert not any("test" in row for row in rows)


def test_a_method_that_the_suite_does_not_name_is_searched_as_it_is(
    search: Search, tiny: Path, tmp_path: Path
) -> None:
    words = ("--method", "augnet", "--param", "lambda", "--space", "log:0.1:1", "--trials", "2")
    code, printed, _ = search(tmp_path / "s", *words)
    assert code == 0
    assert "the suite has no method 'augnet' (it has none, shift, policies)" in printed
    suite = load_suite(tiny, fragments=[tmp_path / "s" / "best.toml"])
    assert "augnet" in {planned.method for planned in suite.plan}


def test_the_test_split_can_be_absent(
    search: Search,
    timeless: Timeless,
    whole: Path,
    tmp_path: Path,
    without_test_split: Callable[[], None],
) -> None:
    without_test_split()
    assert search(tmp_path / "absent", *SIX)[0] == 0
    assert timeless(tmp_path / "absent") == timeless(whole)
    unit = UnitId("trials", next(tmp_path.glob("absent/trials/*")).name)
    (tmp_path / "suite").mkdir()
    run = RunDirectory(tmp_path / "suite")
    run.add_unit(unit, RunDirectory(tmp_path / "absent").unit(unit).spec())
    with pytest.raises(AttributeError):  # where a suite is run, its absence is noticed
        do_unit(run, unit, Host(tmp_path))


def test_more_trials_go_on_from_fewer_to_those_of_one_search(
    search: Search, timeless: Timeless, tmp_path: Path
) -> None:
    # No pruning: who goes on is decided among those that are there.
    words = (*LAMBDA, "--no-prune")
    search(tmp_path / "once", *words, "--trials", "7")
    search(tmp_path / "twice", *words, "--trials", "5")
    assert len(timeless(tmp_path / "twice")) == 5
    search(tmp_path / "twice", *words, "--trials", "7")
    assert timeless(tmp_path / "twice") == timeless(tmp_path / "once")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--stop-after", "1e-9"), "the time of --stop-after is over"),
        (("--set", "total_device_hours=1e-9"), "the suite's budget of 1e-09 device hours"),
    ],
)
def test_a_search_stops_early_as_a_run_does_and_is_carried_on(
    words: tuple[str, ...],
    reason: str,
    search: Search,
    timeless: Timeless,
    whole: Path,
    tmp_path: Path,
) -> None:
    code, printed, _ = search(tmp_path / "s", *SIX, *words)
    assert code == 1
    assert f"stopped early: {reason}" in printed
    assert len([trial for trial in timeless(tmp_path / "s") if trial["state"] == "done"]) < 2
    assert search(tmp_path / "s", *SIX)[0] == 0
    assert timeless(tmp_path / "s") == timeless(whole)


def test_a_finished_search_is_shown_and_nothing_is_done(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*LAMBDA, "--trials", "4")
    first = search(tmp_path / "s", *words)[1]

    def forbidden(*args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("nothing is left to do")

    monkeypatch.setattr(augbench.bench.search.drive, "make_engine", forbidden)
    monkeypatch.setattr(augbench.bench.search.drive, "prepare", forbidden)
    code, printed, _ = search(tmp_path / "s", *words)
    assert code == 0
    assert printed == first[first.index("trial ") :]


@pytest.mark.parametrize("moment", [1, 7, 9, 12, 13])
def test_a_driver_that_dies_between_two_units_is_carried_on(
    moment: int,
    search: Search,
    timeless: Timeless,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt, n_units = augbench.bench.engines.inline.attempt, 0

    def dies(*args: Any) -> Any:
        nonlocal n_units
        n_units += 1
        if n_units == moment:
            raise KeyboardInterrupt
        return attempt(*args)

    monkeypatch.setattr(augbench.bench.engines.inline, "attempt", dies)
    code, _, complaint = search(tmp_path / "broken", *SIX)
    assert code == 130
    assert "the same command resumes the run" in complaint
    n_units = 100
    assert search(tmp_path / "broken", *SIX)[0] == 0
    assert timeless(tmp_path / "broken") == timeless(whole)


@pytest.mark.parametrize("name", ["report", "tell"])
def test_a_driver_that_dies_while_it_prunes_is_carried_on(
    name: str,
    search: Search,
    timeless: Timeless,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    former, n_calls = getattr(augbench.bench.search.drive.Journal, name), 0

    def dies(*args: Any, **kwargs: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise KeyboardInterrupt
        former(*args, **kwargs)

    monkeypatch.setattr(augbench.bench.search.drive.Journal, name, dies)
    assert search(tmp_path / "broken", *SIX)[0] == 130
    states = [trial.state for trial in read_search_results(tmp_path / "broken").trials]
    assert "unfinished" in states
    assert search(tmp_path / "broken", *SIX)[0] == 0
    assert timeless(tmp_path / "broken") == timeless(whole)


def test_a_trial_that_fails_stops_no_other_and_is_tried_again(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--method", "shift", "--param", "lambda", "--space", "paper", "--sampler", "grid")
    do = augbench.bench.engines.inline.do_unit

    def fails(run: RunDirectory, unit: UnitId, host: Host) -> None:
        if run.unit(unit).spec()["options"]["penalty"] == 0.1:
            raise RuntimeError("out of luck")
        do(run, unit, host)

    monkeypatch.setattr(augbench.bench.engines.inline, "do_unit", fails)
    code, printed, _ = search(tmp_path / "s", *words)
    assert code == 1
    assert "3 of 4 trials ended" in printed
    assert "out of luck" in printed
    assert "the same command again" in printed
    monkeypatch.setattr(augbench.bench.engines.inline, "do_unit", do)
    code, printed, _ = search(tmp_path / "s", *words)
    assert code == 0
    assert "4 of 4 trials ended" in printed
    assert [trial.state for trial in read_search_results(tmp_path / "s").trials] == ["done"] * 4


def test_a_unit_with_a_damaged_file_is_done_again(search: Search, tmp_path: Path) -> None:
    out = tmp_path / "s"
    words = ("--method", "shift", "--param", "lambda", "--sampler", "grid", "--space", "paper")
    search(out, *words, "--set", "folds=1")
    done = {file.parents[2].name: file for file in out.glob("trials/*/attempts/*/points.jsonl")}
    (out / "journal.log").unlink()  # all trials begin again, and find their units done
    file = next(iter(done.values()))
    file.write_text("no line of ours\n")
    code, printed, _ = search(out, *words, "--set", "folds=1")
    assert code == 0
    assert "4 of 4 trials ended" in printed
    assert "failed" not in printed
    assert f"{file} is damaged" in (out / "events.jsonl").read_text()


def test_a_directory_of_something_else_is_refused(
    search: Search, tiny: Path, tmp_path: Path, augbench: Callable[..., Any]
) -> None:
    out = tmp_path / "s"
    search(out, *LAMBDA, "--trials", "2")
    code, _, complaint = search(out, *LAMBDA, "--trials", "2", "--seed", "1")
    assert (code, complaint.count("\n")) == (2, 1)
    assert "another search: its seed is 0, given 1; choose another directory" in complaint
    code, _, complaint = search(out, *LAMBDA[:-1], "log:0.01:10", "--trials", "2")
    assert code == 2
    assert "its parameters.penalty is" in complaint
    refused = augbench("run", tiny, "--engine", "inline", "--out", out)
    assert refused.returncode == 2
    assert "holds files but no run.json" in refused.stderr
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "run.json").write_text("{}")
    code, _, complaint = search(tmp_path / "r", *LAMBDA)
    assert code == 2
    assert "holds files but no search.json" in complaint


BAD = {
    "no option": (("--param", "penalt", "--space", "log:0.1:1"), "did you mean 'penalty'"),
    "no method": (
        ("--method", "augnt", *LAMBDA[2:]),
        "unknown method 'augnt'; did you mean 'augnet'",
    ),
    "no space": (("--param", "lambda"), "1 --param and 0 --space"),
    "no parameter": ((), "0 --param and 0 --space"),
    "bad space": (("--param", "lambda", "--space", "log:5:1"), "the low end has to be below"),
    "no trials": ((*LAMBDA[2:], "--trials", "0"), "--trials is 0; it has to be 1 or more"),
    "no batch": ((*LAMBDA[2:], "--batch", "0"), "--batch is 0; it has to be 1 or more"),
    "out of range": (
        ("--param", "lambda", "--space", "linear:-1:1"),
        "shift on sinusoids: penalty is -1.0; it has to be 0 or more",
    ),
    "not whole": (("--param", "warm_up", "--space", "linear:0:1.5"), "it has to be a whole number"),
    "no such word": (("--param", "at_eval", "--space", "choice:blend,blond"), "at_eval"),
    "no such setting": (
        ("--param", "training.epoch", "--space", "int:1:5"),
        "did you mean 'epochs'",
    ),
    "grid of another size": (
        ("--param", "lambda", "--space", "paper", "--sampler", "grid", "--trials", "3"),
        "the grid has 4 points, and --trials is 3",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_begins_nothing(
    case: str, search: Search, tmp_path: Path
) -> None:
    words, part = BAD[case]
    method = () if "--method" in words else LAMBDA[:2]
    code, _, complaint = search(tmp_path / "s", *method, *words)
    assert code == 2
    assert complaint.startswith("augbench: ")
    assert complaint.count("\n") == 1, complaint
    assert part in complaint
    assert not list(tmp_path.glob("s/*.json"))
    assert not list(tmp_path.glob("s/trials"))


def test_a_newer_search_is_not_touched(search: Search, tmp_path: Path) -> None:
    out = tmp_path / "s"
    search(out, *LAMBDA, "--trials", "2")
    record = json.loads((out / "search.json").read_text())
    (out / "search.json").write_text(json.dumps(record | {"schema": 99}))
    code, _, complaint = search(out, *LAMBDA, "--trials", "2")
    assert code == 2
    assert "update augbench" in complaint
