"""Many recordings at the same time, in real processes; some of them die."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.recording import prepare_all as module
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.prepare import find_prepared, prepare
from augbench.datasets.recording.prepare_all import prepare_all
from edf_files import write_edf
from processes import wait_until

HOW = Preparation(events={"a": 0, "b": 1}, window_seconds=5.0)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    notes = [(0.0, 10.0, "a"), (10.0, 10.0, "b")]
    return [
        Source(f"n{k}", "1", write_edf(tmp_path / f"n{k}.edf", {"C3": x}, 100.0, notes))
        for k, x in enumerate(random.normal(size=(4, 2000)))
    ]


def test_processes_and_this_one_prepare_the_same(
    sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = prepare_all(sources, HOW)
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "other"))
    assert [each.digest for each in found] == [prepare(each, HOW).digest for each in sources]
    assert len({each.digest for each in found}) == 4


def test_only_what_is_missing_is_prepared(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_all(sources[:2], HOW)
    asked: list[list[str]] = []
    fill = module._fill_cache

    def note(some: list[Source], how: Preparation) -> None:
        asked.append([each.name for each in some])
        fill(some, how)

    monkeypatch.setattr(module, "_fill_cache", note)
    prepare_all(sources, HOW)
    prepare_all(sources, HOW)
    assert asked == [["n2", "n3"]]


def test_all_faults_are_counted_and_the_rest_is_kept(sources: list[Source]) -> None:
    for k in (1, 3):
        sources[k].signals.write_bytes(b"torn")
    with pytest.raises(UserError, match=r"^n1.edf is no EDF .* \(faults in 1 more recording\)"):
        prepare_all(sources, HOW)
    assert find_prepared(sources[0], HOW) is not None
    assert find_prepared(sources[2], HOW) is not None


def test_a_process_that_the_system_kills_is_one_sentence(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = module._start

    def start_and_kill(how: Preparation) -> subprocess.Popen[str]:
        process = start(how)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(module, "_start", start_and_kill)
    with pytest.raises(UserError, match=r"that prepared n0 died \(exit code -9\), as .* memory"):
        prepare_all(sources, HOW)


def test_a_cache_that_cannot_be_written_stops_all_at_once(
    sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"^cannot write the cache folder .* can be written$"):
        prepare_all(sources, HOW)


SCRIPT = """
import signal
import sys
from pathlib import Path
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.prepare_all import prepare_all

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
sources = [Source(name, "1", Path(name)) for name in sys.argv[1:]]
how = Preparation(events={"a": 0, "b": 1}, window_seconds=5.0)
print(len(prepare_all(sources, how)))
"""


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def runs(pid: int) -> bool:
    """Whether a process does anything; one that ended may wait for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "a kill"])
def test_no_process_stays_behind_when_the_program_is_stopped(
    sources: list[Source], number: signal.Signals
) -> None:
    """Not even by a kill that it cannot hear: it is stopped as soon as it has a process."""
    command = [sys.executable, "-c", SCRIPT, *(str(each.signals) for each in sources)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_until(lambda: program.poll() is not None or bool(children_of(program.pid)))
    assert program.poll() is None
    children = children_of(program.pid)
    assert children
    program.send_signal(number)
    program.communicate()
    assert program.returncode == -number
    wait_until(lambda: not any(map(runs, children)))


def test_programs_that_start_together_prepare_each_recording_once(sources: list[Source]) -> None:
    command = [sys.executable, "-c", SCRIPT, *(str(each.signals) for each in sources)]
    programs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [program.communicate() for program in programs]
    assert [out for out, _ in told] == ["4\n", "4\n"]
    prepared = [line for _, lines in told for line in lines.splitlines() if "preparing" in line]
    assert len(prepared) == 1
    assert len(list(Path(os.environ["AUGBENCH_CACHE"]).glob("recording-*"))) == 4
