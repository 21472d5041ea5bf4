"""The command as its user meets it, its errors above all."""

import csv
import json
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

import augbench.bench.unit.job
import augbench.bench.unit.rates
from augbench.bench.cli.option_notes import option_notes
from augbench.datasets import plugins
from augbench.datasets.errors import UserNotice
from augbench.methods import METHODS
from augbench.methods.training.method import DoesNotFitError

Answer = tuple[int, str, str]
Ask = Callable[..., Answer]


def assert_one_sentence(answer: Answer, *parts: str) -> None:
    code, _, complaint = answer
    assert code == 2
    assert complaint.startswith("augbench: ")
    assert complaint.count("\n") == 1, complaint
    assert "Traceback" not in complaint
    for part in parts:
        assert part in complaint


def test_a_suite_runs_is_shown_and_is_reported(ask: Ask, small_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, printed, _ = ask("plan", small_suite, "--out", out)
    assert code == 0
    assert printed.count("to do") == 2
    code, printed, _ = ask("run", small_suite, "--engine", "inline", "--out", out)
    assert code == 0
    assert "2 of 2 trials done" in printed
    code, printed, _ = ask("plan", small_suite, "--out", out)
    assert printed.count("to do") == 0
    code, printed, _ = ask("status", out)
    assert code == 0
    assert "2 trials: 2 done" in printed
    code, printed, _ = ask("report", out)
    assert code == 0
    page, *summary = printed.splitlines()
    assert Path(page).stat().st_size > 0
    assert "2 of 2 trials are done" in summary[0]
    assert all(file.stat().st_size > 0 for file in Path(page).parent.iterdir())


def test_an_unfinished_run_can_be_reported(ask: Ask, small_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    (next(out.glob("evaluations/*")) / "result.json").unlink()
    _, printed, _ = ask("status", out)
    assert "2 trials: 1 done" in printed
    _, printed, _ = ask("plan", small_suite, "--out", out)
    assert printed.count("to do") == 1  # its search is over, a retraining is not
    code, _, _ = ask("report", out)
    assert code == 0
    assert "1 of 2 trials done" in (out / "report" / "table.md").read_text()


def test_hours_of_shared_gpus_are_kept_where_asked_for(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    for file in out.glob("*/*/attempts/*/log.jsonl"):
        file.write_text(file.read_text().replace('"shared": false', '"shared": true'))
    for words, timed in (((), "0"), (("--include-shared",), "1")):
        assert ask("report", out, *words)[0] == 0
        with (out / "report" / "table.csv").open(encoding="utf-8") as table:
            assert [row["timed"] for row in csv.DictReader(table)] == [timed, timed]


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("fold=1", "did you mean 'folds'"),
        ("methods.augnt={}", "unknown method 'augnt'; did you mean 'augnet'"),
        ("tasks.digitz={}", "unknown task 'digitz'; did you mean 'digits'"),
        ("tasks.digits.transforms=['rotat']", "unknown transform 'rotat'; did you mean 'rotate'"),
        ("tasks.digits.transforms=['time_mask']", "time_mask"),
        ("folds=[99]", "fold 99"),
        ("tasks.digits.trunk=eegnet", "eegnet"),
    ],
)
def test_a_suite_that_asks_for_what_is_not_there_is_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path, override: str, part: str
) -> None:
    answer = ask(
        "run", small_suite, "--set", override, "--engine", "inline", "--out", tmp_path / "r"
    )
    assert_one_sentence(answer, part)
    assert not list((tmp_path / "r").glob("trials/*/attempts/*"))


def test_a_trunk_that_cannot_be_is_one_sentence_for_searches_too(ask: Ask, tmp_path: Path) -> None:
    """They build their first one in their first step."""
    suite = tmp_path / "s.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.digits]\ntrunk = "eegnet"\n'
        "[methods.random_policy]\n[methods.autoaugment]\n"
    )
    answer = ask("run", suite, "--engine", "inline", "--out", tmp_path / "r")
    assert_one_sentence(answer, "random_policy on digits", "trunk 'eegnet' is for EEG")
    assert not list((tmp_path / "r").glob("trials"))


def test_a_command_that_is_refused_leaves_the_run_as_it_was(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("run", small_suite, "--engine", "inline", "--out", out)
    ask(*words)
    before = {file: file.read_bytes() for file in out.glob("*.json*")}
    assert_one_sentence(ask(*words, "--set", "tasks.digits.trunk=eegnet"), "eegnet")
    assert {file: file.read_bytes() for file in out.glob("*.json*")} == before
    assert "2 trials: 2 done" in ask("status", out)[1]


def test_trials_that_drop_out_of_view_are_counted(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("run", small_suite, "--engine", "inline", "--out", out)
    assert "of the earlier suite" not in ask(*words)[1]
    code, printed, _ = ask(*words, "--set", "methods.random_policy.n_policies=1")
    assert code == 0
    assert f"do not show 1 trial of the earlier suite in {out}" in printed
    assert (
        "of the earlier suite" not in ask(*words, "--set", "methods.random_policy.n_policies=1")[1]
    )


def test_a_budget_that_ends_before_the_first_point_is_the_same_story_everywhere(
    ask: Ask, tmp_path: Path
) -> None:
    suite = tmp_path / "s.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.digits]\n[methods.autoaugment]\nbudget = { steps = 1 }\n'
    )
    out = tmp_path / "r"
    for first in ("worked for", "nothing left to run"):
        code, printed, _ = ask("run", suite, "--engine", "inline", "--out", out)
        assert code == 1
        assert first in printed
        assert f"0 of 1 trials done in {out}" in printed
        assert "over budget" in printed
        assert "raise it in the suite" in printed
    assert ask("report", out)[0] == 0
    assert "0 of 1 trials done" in (out / "report" / "table.md").read_text()


MIXED = """
name = "mixed"
folds = 1
[tasks.sinusoids]
n_train = 40
n_test = 20
training = { epochs = 1 }
[tasks.digits]
training = { epochs = 1 }
[methods.none]
[methods.augerino]
"""
UNFIT = "augerino moves the pixels of images, and the task is EEG"


@pytest.fixture
def mixed_suite(tmp_path: Path) -> Path:
    """EEG and images, and a method for images alone."""
    file = tmp_path / "mixed.toml"
    file.write_text(MIXED)
    return file


def test_a_method_that_is_not_for_a_signal_is_skipped_there(
    ask: Ask, mixed_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "run"
    words = ("run", mixed_suite, "--engine", "inline", "--out", out, "--set", "seeds=[0,1]")
    for first in ("worked for", "nothing left to run"):
        code, printed, _ = ask(*words)
        assert code == 0
        assert first in printed
        assert f"6 of 6 trials done in {out}" in printed
        assert f"\n2 skipped (augerino on sinusoids): {UNFIT}" in printed
        assert printed.count("2 skipped") == 1
    assert len(list(out.glob("trials/*"))) == 6

    code, printed, _ = ask("plan", mixed_suite, "--out", out, "--set", "seeds=[0,1]")
    assert (code, printed.count(" skipped\n"), printed.count("to do")) == (0, 2, 0)
    assert f"\n2 skipped (augerino on sinusoids): {UNFIT}" in printed
    code, printed, _ = ask("status", out)
    assert code == 0
    assert "8 trials: 6 done, 2 skipped" in printed
    assert printed.count(UNFIT) == 2
    assert ask("report", out)[0] == 0
    table = (out / "report" / "table.md").read_text()
    assert "6 of 6 trials done" in table
    assert table.count("| augerino |") == 1
    assert f"- 2 skipped (augerino on sinusoids): {UNFIT}" in table


def test_a_suite_of_which_all_would_be_skipped_is_one_sentence(ask: Ask, tmp_path: Path) -> None:
    suite = tmp_path / "s.toml"
    suite.write_text('name = "s"\nfolds = 1\n[tasks.sinusoids]\n[methods.augerino]\n')
    answer = ask("run", suite, "--engine", "inline", "--out", tmp_path / "r")
    assert_one_sentence(answer, f"augerino on sinusoids: {UNFIT}")
    assert not list((tmp_path / "r").glob("*.json"))


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("methods.augerino.penalty=-1.0", "penalty is -1.0"),
        ("methods.augerino.generators=['rotatoin']", "did you mean 'rotation'"),
        ("methods.fixed.subpolicies=[[['rotat', 1.0, 0.5]]]", "'rotat'"),
        ("tasks.sinusoids.transforms=['rotate']", "rotate"),
    ],
)
def test_a_wrong_option_is_no_reason_to_skip(
    ask: Ask, mixed_suite: Path, tmp_path: Path, override: str, part: str
) -> None:
    out = tmp_path / "r"
    answer = ask("run", mixed_suite, "--set", override, "--engine", "inline", "--out", out)
    assert_one_sentence(answer, part)
    assert not list(out.glob("trials"))


def unfit(setup: object, options: object) -> NoReturn:
    raise DoesNotFitError("not for this")


def test_what_was_skipped_runs_once_it_fits(
    ask: Ask, small_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    words = ("run", small_suite, "--engine", "inline", "--out", out)
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "none", METHODS["none"]._replace(build=unfit))
        code, printed, _ = ask(*words)
        assert code == 0
        assert "1 of 1 trials done" in printed
        assert "1 skipped (none on digits): not for this" in printed
    code, printed, _ = ask(*words)
    assert code == 0
    assert "2 of 2 trials done" in printed
    assert "1 skipped" not in printed
    assert "2 trials: 2 done" in ask("status", out)[1]


def test_what_is_done_stays_done_where_it_would_be_skipped_now(
    ask: Ask, small_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    words = ("run", small_suite, "--engine", "inline", "--out", out)
    ask(*words)
    monkeypatch.setitem(METHODS, "none", METHODS["none"]._replace(build=unfit))
    code, printed, _ = ask(*words, "--set", "seeds=[0,1]")
    assert code == 0
    assert "3 of 3 trials done" in printed
    assert "1 skipped (none on digits): not for this" in printed


def test_the_methods_are_shown_with_those_of_other_packages(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    theirs = SimpleNamespace(name="theirs", value="m:ROW", load=lambda: METHODS["autoaugment"])
    monkeypatch.setattr(plugins, "entry_points", lambda group: [theirs])
    code, printed, _ = ask("methods")
    assert code == 0
    assert max(map(len, printed.splitlines())) <= 80
    rows = {line.split()[0]: line for line in printed.splitlines() if line[:1].strip()}
    assert set(rows) == {"method", *METHODS, "theirs"}
    assert "a policy" in rows["theirs"]
    assert "a model" in rows["augnet"]
    assert printed.count("Source: ") == len(METHODS) + 1
    assert " ".join(printed.split()).count("appendix A.4, for TPE in place of PPO.") == 2


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_shown_with_all_its_options(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, printed, _ = ask("methods", name)
    assert code == 0
    assert max(map(len, printed.splitlines())) <= 80
    assert "Source: " in printed
    for option, note in option_notes(METHODS[name].options).items():
        assert f"\n{option} " in printed
        assert all(word in printed for word in note.split()), note


def test_options_are_shown_as_a_suite_says_them(ask: Ask) -> None:
    _, printed, _ = ask("methods", "fixed")
    assert "[transform, probability," in printed  # and not taken for markup
    rows = [line.split() for line in ask("methods", "augerino")[1].splitlines()]
    assert {"safe": "true", "weight_decay": "0", "learning_rate": "0.01"}.items() <= {
        row[0]: row[1] for row in rows if len(row) > 1
    }.items()
    assert ["float", "|", "None"] in [row[:3] for row in rows]


def test_a_method_that_is_not_known_is_one_sentence(ask: Ask) -> None:
    answer = ask("methods", "augnt")
    assert_one_sentence(answer, "unknown method 'augnt'; did you mean 'augnet'", "known: adda")


def test_a_method_can_be_piped(augbench: Callable[..., Any]) -> None:
    done = augbench("methods", "augnet")
    assert done.returncode == 0
    assert "\nat_eval " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_missing_data_are_one_sentence(ask: Ask, tmp_path: Path) -> None:
    suite = tmp_path / "s.toml"
    suite.write_text('name = "s"\nfolds = 1\n[tasks.ssvep]\n[methods.none]\n')
    answer = ask("run", suite, "--data", tmp_path, "--engine", "inline", "--out", tmp_path / "r")
    assert_one_sentence(answer, "ssvep_exo", "--data")


def test_arrays_with_a_number_that_is_none_are_one_sentence(ask: Ask, tmp_path: Path) -> None:
    x = np.zeros((40, 2, 100), dtype=np.float32)
    x[3, 1, 7] = np.nan
    np.savez(tmp_path / "mine.npz", x=x, y=np.arange(40) % 2)
    suite = tmp_path / "s.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.mine]\ntask = "arrays"\npath = "mine.npz"\n[methods.none]\n'
    )
    answer = ask("run", suite, "--data", tmp_path, "--engine", "inline", "--out", tmp_path / "r")
    assert_one_sentence(answer, "mine.npz", "NaN")


@pytest.mark.parametrize("left", ["a new trial", "an unfinished trial", "a retraining alone"])
def test_results_of_other_data_are_not_mixed(ask: Ask, tmp_path: Path, left: str) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(24, 2, 32)), np.arange(24) % 2
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    suite = tmp_path / "s.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.mine]\ntask = "arrays"\npath = "mine.npz"\n'
        "training = { epochs = 1 }\n[methods.none]\n[methods.random_policy]\nn_policies = 1\n"
    )
    out = tmp_path / "r"
    words = ["run", suite, "--data", tmp_path, "--engine", "inline", "--out", out]
    assert ask(*words)[0] == 0
    if left == "a new trial":
        words += ["--set", "seeds=[0,1]"]
    elif left == "an unfinished trial":
        (with_model(out) / "result.json").unlink()
    else:
        shutil.rmtree(out / "evaluations")
    np.savez(tmp_path / "mine.npz", x=x + 1, y=y)
    augbench.bench.unit.job._build_task.cache_clear()  # as in a process of its own
    before = sorted(out.glob("*/*"))
    assert_one_sentence(ask(*words), "the data of task 'arrays' have changed since", "put the")
    assert sorted(out.glob("*/*")) == before
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    augbench.bench.unit.job._build_task.cache_clear()
    assert ask(*words)[0] == 0


def test_a_run_directory_that_cannot_be_made_is_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = ask("run", small_suite, "--engine", "inline", "--out", tmp_path / "file" / "run")
    assert_one_sentence(answer, "cannot write to run directory", "--out")


def test_a_folder_of_other_things_is_not_written_into(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    answer = ask("run", small_suite, "--engine", "inline", "--out", tmp_path)
    assert_one_sentence(answer, "holds files but no run.json")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("schema", "advice"), [(2, "the version of augbench that wrote it"), (4, "update augbench")]
)
def test_a_run_directory_of_another_schema_is_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path, schema: int, advice: str
) -> None:
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    header = out / "run.json"
    header.write_text(header.read_text().replace('"schema": 3', f'"schema": {schema}', 1))
    on_suite = [(command, small_suite, "--out", out) for command in ("plan", "run")]
    for words in (*on_suite, ("status", out), ("report", out)):
        assert_one_sentence(ask(*words), f"schema {schema}", advice, "--out")


def test_a_suite_that_does_not_ship_is_one_sentence(ask: Ask, tmp_path: Path) -> None:
    answer = ask("plan", "qickstart")
    assert_one_sentence(answer, "unknown suite 'qickstart'; did you mean 'quickstart'", "sinusoids")
    assert_one_sentence(ask("plan", tmp_path / "my.toml"), "cannot read suite", "my.toml")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system that is full after a few kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system takes a right that this user has not")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_work_and_nothing_is_lost(
    ask: Ask, small_suite: Path, tmp_path: Path, small_disk: Path
) -> None:
    ask("run", small_suite, "--engine", "inline", "--out", tmp_path / "whole")
    out = small_disk / "run"
    code, printed, complaint = ask("run", small_suite, "--engine", "inline", "--out", out)
    assert code in (1, 2)
    assert "No space left on device" in printed + complaint
    assert "Traceback" not in printed + complaint
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    code, printed, _ = ask("run", small_suite, "--engine", "inline", "--out", out)
    assert code == 0
    assert "2 of 2 trials done" in printed
    for file in (tmp_path / "whole").glob("*/*/result.json"):
        other = out / file.relative_to(tmp_path / "whole")
        assert json.loads(other.read_text())["weights"] == json.loads(file.read_text())["weights"]


def test_a_trial_whose_checkpoints_are_damaged_begins_anew(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    trial = with_model(out)
    (trial / "result.json").unlink()
    for file in trial.glob("attempts/*/*.pt"):
        file.write_bytes(file.read_bytes()[:50])
    code, printed, _ = ask("run", small_suite, "--engine", "inline", "--out", out)
    assert code == 0
    assert "were wasted" in printed
    assert "2 of 2 trials done" in printed


def with_model(out: Path) -> Path:
    """The folder of a trial that ends in a model."""
    return next(out.glob("trials/*/attempts/*/model.pt")).parents[2]


def test_a_second_driver_is_turned_away(ask: Ask, small_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from augbench.bench.store.files import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 'x'): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(out / "lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        answer = ask("run", small_suite, "--engine", "inline", "--out", out)
        assert_one_sentence(answer, "in use by another driver", f"process {holder.pid}")
    finally:
        holder.kill()
        holder.wait()


def test_what_is_no_run_directory_is_one_sentence(ask: Ask, tmp_path: Path) -> None:
    assert_one_sentence(ask("status", tmp_path), "no run directory")
    assert_one_sentence(ask("report", tmp_path), "no run directory")


def test_a_cluster_that_is_not_there_is_one_sentence_at_once(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    """Ray itself would try for ever and ignore Ctrl-C."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        answer = ask("run", small_suite, "--address", address, "--out", tmp_path / "run")
    assert_one_sentence(answer, f"no Ray cluster answers at {address}: Connection refused; is its")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--stop-after", "nan"), "--stop-after is nan; it has to be above 0 hours"),
        (("--stop-after", "-1"), "--stop-after is -1; it has to be above 0 hours"),
        (("--address", "auto"), "--address is for --engine ray"),
        (("--ship-code",), "--ship-code is for --engine ray"),
    ],
)
def test_what_the_engine_does_not_take_is_one_sentence(
    words: tuple[str, ...], part: str, ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    answer = ask("run", small_suite, "--engine", "inline", "--out", tmp_path / "run", *words)
    assert_one_sentence(answer, part)
    assert not (tmp_path / "run").exists()


def test_a_notice_is_one_line_and_another_warning_as_ever(ask: Ask) -> None:
    ask("methods")
    formatted = warnings.formatwarning("more than 2", UserNotice, "bench/x.py", 3)
    assert formatted == "augbench: more than 2\n"
    assert warnings.formatwarning("old", DeprecationWarning, "y.py", 4).startswith("y.py:4: Depre")


def test_the_inline_engine_needs_no_ray(small_suite: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['ray'] = None; from augbench.bench.cli.command import main; main()"
    )
    words = ("run", str(small_suite), "--engine", "inline", "--out", str(tmp_path / "run"))
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_asking_ray_for_what_it_has_not_is_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    """Ray itself would wait for ever."""
    words = ("run", small_suite, "--set", "resources.gpus=1", "--out", tmp_path / "run")
    assert_one_sentence(
        ask(*words), "each unit asks for 1 CPU and 1 GPU; no node of Ray has both", "[resources]"
    )


def test_a_disk_that_is_read_only_is_one_sentence(
    ask: Ask, small_suite: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    answer = ask("run", small_suite, "--engine", "inline", "--out", small_disk / "run")
    assert_one_sentence(answer, "cannot write to run directory", "Read-only file system")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--engine", "inline", "--device", "gpu0"), "known: cpu, cuda"),
        (("--engine", "ray", "--device", "cuda"), "resources.gpus"),
        (("--engine", "inline", "--set", "tasks.digits.training.beta1=2.0"), "beta1 is 2.0"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    assert_one_sentence(ask("run", small_suite, *words, "--out", tmp_path / "run"), part)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("trials/*/attempts/*/points.jsonl", "\0\0\0\n"),
        ("trials/*/result.json", "{"),
        ("trials/*/attempts/0001/log.jsonl", "{\n"),
        ("trials/*/policies/*.json", "[]"),
        ("evaluations/*/result.json", "{"),
        ("evaluations/*/attempts/*/points.jsonl", "{\n"),
    ],
)
def test_damage_is_shown_and_ends_in_1_until_the_same_command_has_done_it_again(
    ask: Ask, small_suite: Path, tmp_path: Path, file: str, content: str
) -> None:
    out = tmp_path / "run"
    words = ("run", small_suite, "--engine", "inline", "--out", out)
    ask(*words)
    damaged = next(out.glob(file))
    damaged.write_text(content)
    advice = f"{damaged} is damaged", "the same augbench run or search does this unit again"

    code, printed, _ = ask("status", out)
    assert code == 1
    assert "1 damaged" in printed
    assert "1 done" in printed
    assert "…" not in printed  # the folder can be read, wherever the line breaks
    code, printed, _ = ask("plan", small_suite, "--out", out)
    assert code == 1
    assert "damaged" in printed
    code, printed, complaint = ask("report", out)
    assert code == 1
    assert all(part in complaint for part in advice)
    table = (out / "report" / "table.md").read_text()
    assert "1 of 2 trials done" in table
    assert all(part in table for part in advice)

    code, printed, _ = ask(*words)
    assert code == 0
    assert "2 of 2 trials done" in printed
    assert all(printed.count(part) == 1 for part in advice)
    assert ask("status", out)[0] == ask("report", out)[0] == 0
    assert ask("plan", small_suite, "--out", out)[0] == 0


def test_a_torn_pulse_is_no_harm(ask: Ask, small_suite: Path, tmp_path: Path) -> None:
    """It is not synced, so that a power cut may tear it; nothing rests on it."""
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    trial = with_model(out)
    (trial / "result.json").unlink()
    (trial / "attempts" / "0001" / "pulse.json").write_text("")
    assert "1 waiting" in ask("status", out)[1]
    assert ask("run", small_suite, "--engine", "inline", "--out", out)[0] == 0


def test_a_process_that_died_before_its_first_word_is_no_harm(
    ask: Ask, small_suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    ask("run", small_suite, "--engine", "inline", "--out", out)
    trial = with_model(out)
    (trial / "result.json").unlink()
    (trial / "attempts" / "0002").mkdir()
    assert ask("status", out)[0] == 0
    assert ask("report", out)[0] == 0
    assert ask("run", small_suite, "--engine", "inline", "--out", out)[0] == 0


def test_how_a_task_is_split_is_said_by_plan_run_and_report(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, groups = rng.normal(size=(40, 2, 64)).astype("float32"), np.repeat(np.arange(8), 5)
    np.savez(tmp_path / "mine.npz", x=x, y=np.tile([0, 1], 20), groups=groups)
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'name = "s"\nfolds = 1\n[tasks.mine]\ntask = "arrays"\npath = "mine.npz"\nn_folds = 4\n'
        'trunk = "mlp"\ntraining = { epochs = 1 }\n[methods.none]\n'
    )
    words = ("--data", tmp_path, "--out", tmp_path / "run")
    sentence = "mine: 40 windows of 8 groups; fold 0: "
    assert sentence in ask("plan", suite, *words)[1]
    assert sentence in ask("run", suite, "--engine", "inline", *words)[1]
    assert ask("report", tmp_path / "run")[0] == 0
    assert sentence in (tmp_path / "run" / "report" / "table.md").read_text()


def test_plan_says_how_many_hours_a_suite_would_take(
    ask: Ask, small_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augbench.bench.unit.rates, "SECONDS", 0.0)
    out = tmp_path / "run"
    code, printed, _ = ask("plan", small_suite, "--hours", "--out", out, "--data", tmp_path)
    assert code == 0
    assert printed.count("to do") == 2
    table = printed.partition("device hours on cpu (1 thread):")[2].splitlines()
    none, random_policy, total = (line.split() for line in table[2:5])
    assert none[:2] == ["digits", "none"]
    assert float(none[2]) > 0
    assert none[3] == random_policy[2] == "-"  # no retrainings, no search
    assert float(random_policy[3]) > 0
    sums = [float(words[-1]) for words in (none, random_policy, total)]
    assert sums[0] + sums[1] == pytest.approx(sums[2], rel=0.02)
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--device", "cpu"), "--device is for --hours"),
        (("--hours", "--device", "tpu"), "--device tpu: known: cpu, cuda"),
    ],
)
def test_devices_that_plan_cannot_measure_are_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    assert_one_sentence(ask("plan", small_suite, "--out", tmp_path / "r", *words), part)


def test_a_device_that_is_not_there_is_one_sentence(
    ask: Ask, small_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    words = ("plan", small_suite, "--hours", "--device", "cuda", "--out", tmp_path / "r")
    assert_one_sentence(ask(*words), "torch finds no GPU")


def test_hours_without_the_data_are_one_sentence(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("plan", "fig7_paper", "--hours", "--out", tmp_path / "r")
    assert_one_sentence(ask(*words, "--data", tmp_path / "given"), str(tmp_path / "given"))
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path / "by-name"))
    assert_one_sentence(ask(*words), str(tmp_path / "by-name"))
