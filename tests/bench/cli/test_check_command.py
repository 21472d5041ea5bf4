"""`augbench check`: one line a promise, and an exit code that scripts can use."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from augbench.datasets import TASKS, plugins
from augbench.methods.conformance import method_checks, transform_checks
from little_method import Little, row_of

Ask = Callable[..., tuple[int, str, str]]


class Forgets(Little):
    """The state of its optimizer is not saved."""

    def load_state_dict(self, state: dict[str, object]) -> None:
        super().load_state_dict({**state, "optimizer": self.optimizer.state_dict()})


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, object], None]:
    """Pretends that a package with this row is installed."""

    def install(table: str, name: str, row: object) -> None:
        entry = SimpleNamespace(name=name, value=f"theirs:{name}", load=lambda: row)
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: [entry] * (group == f"augbench.{table}")
        )

    return install


def test_a_method_of_ours_has_a_line_for_each_promise(ask: Ask) -> None:
    code, printed, error = ask("check", "random_policy")
    assert (code, error) == (0, "")
    lines = [line for line in printed.splitlines() if line[:5] not in ("tried", "skipp")]
    assert [line.split(":")[0] for line in lines[:-1]] == [
        f"ok    {about}" for about in method_checks.CHECKS
    ]
    assert lines[-1] == "random_policy: keeps all its promises"


def test_a_transform_of_ours_has_too(ask: Ask) -> None:
    code, printed, _ = ask("check", "rotate", "--kind", "transform")
    assert code == 0
    lines = [line for line in printed.splitlines() if line[:5] not in ("tried", "skipp")]
    assert len(lines) == len(transform_checks.CHECKS) + 1


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ("rotate",),
            [
                "skipped: EEG, because this transform is for the other kind",
                "tried: images, 3 x 12 x 16 values each; batches of 1, 16 and 128 samples; noise",
            ],
        ),
        (
            ("none",),
            [
                "tried: EEG, 4 named channels x 32 values at 100 Hz; 36 samples to train, 20 to",
                "tried: images, 3 x 8 x 8 values each: it is built and takes one step, 1 seed",
                "skipped: the other checks on images, because those on EEG do",
            ],
        ),
        (
            ("augerino",),
            [
                "skipped: all but building it on EEG, because its row does not name them",
                "tried: images, 3 x 8 x 8 values each; 36 samples to train",
            ],
        ),
        (
            ("sinusoids", "--set", "n_train=40"),
            ["tried: EEG, 1 named channel x 1000 values", "folds 0 to "],
        ),
    ],
)
def test_it_says_what_was_tried_and_what_was_skipped(
    ask: Ask, words: tuple[str, ...], lines: list[str]
) -> None:
    code, printed, error = ask("check", *words)
    assert code == 0, printed + error
    told = [line for line in printed.splitlines() if line.startswith(("tried: ", "skipped: "))]
    for line in lines:
        assert any(line in each for each in told), printed
    assert printed.splitlines()[-len(told) - 1 : -1] == told


def test_what_fails_is_marked_and_the_exit_code_says_so(ask: Ask, add: Callable[..., None]) -> None:
    add("methods", "theirs", row_of(Forgets))
    code, printed, _ = ask("check", "theirs")
    assert code == 1
    (failed,) = [line for line in printed.splitlines() if line.startswith("FAILS")]
    assert failed.startswith("FAILS resume: stopped after step 1 and loaded into a fresh one")
    assert "state_dict() has to hold all that the next step depends on" in failed
    assert printed.splitlines()[-1] == "theirs: 1 of these fail"


def test_options_are_set_as_in_a_suite(ask: Ask, add: Callable[..., None]) -> None:
    add("methods", "theirs", row_of(Little))
    _, printed, _ = ask("check", "theirs", "--set", "epochs=2")
    assert "2 steps were taken, then it ends" in printed


def test_a_name_of_two_kinds_needs_the_kind(ask: Ask, add: Callable[..., None]) -> None:
    add("tasks", "random_policy", TASKS["digits"])
    code, _, error = ask("check", "random_policy")
    assert code == 2
    assert "is a method and a task: say which by --kind method" in error
    assert ask("check", "random_policy", "--kind", "method")[0] == 0


def test_a_task_is_read_from_the_data_folder(ask: Ask, tmp_path: Path) -> None:
    code, printed, _ = ask("check", "arrays", "--data", tmp_path, "--set", "path=mine.npz")
    assert code == 1
    assert "FAILS contract: it refuses what it is given: " in printed
    assert "mine.npz" in printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("augnt",), "unknown method, transform or task 'augnt'; did you mean 'augnet'?"),
        (("augnet", "--kind", "task"), "unknown task 'augnet'"),
        (("none", "--set", "epochs=3"), "unknown key in --set of method 'none': 'epochs'"),
        (("augnet", "--set", "penalty=high"), "penalty is 'high'; it has to be a number"),
        (("augnet", "--set", "penalty"), "write key=value"),
        (("rotate", "--set", "a=1"), "transform 'rotate' has no options: leave out --set"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(
    ask: Ask, words: tuple[str, ...], complaint: str
) -> None:
    code, printed, error = ask("check", *words)
    assert (code, printed) == (2, "")
    assert complaint in error
    assert error.count("\n") == 1


def test_a_row_that_cannot_be_loaded_stops_its_own_check_alone(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = SimpleNamespace(name="theirs", value="m:ROW", load=lambda: 1 / 0)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [theirs])
    code, _, error = ask("check", "theirs", "--kind", "method")
    assert code == 2
    assert "cannot be imported (ZeroDivisionError: division by zero)" in error
    assert ask("methods", "theirs")[0] == 2
    assert ask("methods", "augnet")[0] == 0
    assert ask("check", "rotate")[0] == 0
