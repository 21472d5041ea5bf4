"""What is lost with a process, worked out by hand from the files it left."""

import shutil
from pathlib import Path

import pytest
import torch

from bench.attempt import Attempt, beats, lifetime
from bench.store import UnitDirectory, append_line, read_lines, replace_json

CPU = torch.device("cpu")


def left_behind(folder: Path, number: int, start: float, last_beat: float) -> Path:
    """The files of a process that was killed."""
    file = folder / "attempts" / f"{number:04d}.jsonl"
    append_line(file, {"event": "start", "time": start})
    replace_json(file.with_suffix(".pulse"), {"time": last_beat})
    return file


def test_what_no_checkpoint_kept_is_wasted(tmp_path: Path) -> None:
    left_behind(tmp_path, 1, start=1000.0, last_beat=1030.0)
    left_behind(tmp_path, 2, start=2000.0, last_beat=2012.0)
    with Attempt(UnitDirectory(tmp_path), device=CPU, shared=False) as attempt:
        wasted = attempt.resumed(step=4, kept_seconds=25.0, fingerprint="f")
    assert wasted == (30.0 + 12.0 - 25.0, 2)


def test_a_first_attempt_has_lost_nothing(tmp_path: Path) -> None:
    with Attempt(UnitDirectory(tmp_path), device=CPU, shared=False) as attempt:
        assert attempt.resumed(step=0, kept_seconds=0.0, fingerprint="f") == (0.0, 0)


def test_a_copied_run_directory_has_lost_no_more(tmp_path: Path) -> None:
    left_behind(tmp_path / "a", 1, start=1000.0, last_beat=1030.0)
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    assert lifetime(tmp_path / "b" / "attempts" / "0001.jsonl") == 30.0


def test_an_attempt_that_ended_lived_until_its_end(tmp_path: Path) -> None:
    file = left_behind(tmp_path, 1, start=1000.0, last_beat=1030.0)
    append_line(file, {"event": "end", "time": 1030.5})
    assert lifetime(file) == 30.5


def test_an_empty_file_of_a_process_that_died_at_once_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "attempts").mkdir()
    (tmp_path / "attempts" / "0001.jsonl").touch()
    assert lifetime(tmp_path / "attempts" / "0001.jsonl") == 0.0
    with Attempt(UnitDirectory(tmp_path), device=CPU, shared=False) as attempt:
        assert attempt.resumed(step=0, kept_seconds=0.0, fingerprint="f").seconds == 0.0


def test_a_process_beats_while_it_lives(tmp_path: Path) -> None:
    attempt = Attempt(UnitDirectory(tmp_path), device=CPU, shared=False)
    with attempt:
        attempt.progress(3, "search", 1.0, 0.5)
        while not beats(attempt.file):
            pass
    file = left_behind(tmp_path, 2, start=0.0, last_beat=10.0)
    assert not beats(file)


@pytest.mark.parametrize(
    ("error", "named"), [(RuntimeError("broken"), True), (KeyboardInterrupt(), False)]
)
def test_an_error_is_named_and_an_interruption_is_none(
    tmp_path: Path, error: BaseException, named: bool
) -> None:
    attempt = Attempt(UnitDirectory(tmp_path), device=CPU, shared=False)

    def work() -> None:
        with attempt:
            raise error

    with pytest.raises(type(error)):
        work()
    last = list(read_lines(attempt.file))[-1]
    assert last["event"] == "end"
    assert ("error" in last) == named
