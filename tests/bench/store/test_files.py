import errno
import subprocess
import sys
from pathlib import Path

import pytest

from augbench.bench.store.files import (
    append_line,
    hold_lock,
    read_json,
    read_lines,
    replace_json,
    write_json,
    write_json_once,
)
from augbench.datasets.errors import UserError

HOLDER = """
import sys, time
from pathlib import Path
from augbench.bench.store.files import hold_lock
with hold_lock(Path(sys.argv[1]), "taken"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_torn_line_is_skipped_by_readers_and_dropped_by_the_next_writer(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    append_line(file, {"a": 1})
    with file.open("a") as lines:
        lines.write('{"a": 2, "torn')
    assert list(read_lines(file)) == [{"a": 1}]
    append_line(file, {"a": 3})
    assert list(read_lines(file)) == [{"a": 1}, {"a": 3}]
    assert len(file.read_text().splitlines()) == 2


def test_a_file_that_is_one_torn_line_becomes_empty_first(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"torn')
    append_line(file, {"a": 1})
    assert list(read_lines(file)) == [{"a": 1}]


def test_writing_json_leaves_no_draft_behind(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    write_json(tmp_path / "a.json", {"a": 2})
    assert read_json(tmp_path / "a.json") == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_damaged_json_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_a_lock_goes_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"taken .held by process {holder.pid} on"):
            hold_lock(file, "taken").__enter__()
    finally:
        holder.kill()
        holder.wait()
    with hold_lock(file, "taken"):
        pass


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    script = HOLDER.replace("60", "0.5")
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with hold_lock(file, "taken", wait_seconds=30):
        assert holder.wait() == 0


@pytest.mark.parametrize("links", [True, False])
def test_of_what_is_written_once_the_first_stays(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(source: Path, target: Path) -> None:
        raise OSError(errno.EOPNOTSUPP, "no links here")

    if not links:
        monkeypatch.setattr("os.link", refuses)
    file = tmp_path / "result.json"
    assert write_json_once(file, {"a": 1}, tmp_path / "first.json")
    assert not write_json_once(file, {"a": 2}, tmp_path / "second.json")
    assert read_json(file) == {"a": 1}


def test_no_writer_makes_a_folder(tmp_path: Path) -> None:
    """A share that is unmounted leaves a place where a new one would go unnoticed."""
    gone = tmp_path / "gone" / "file"
    for write in (append_line, write_json, replace_json):
        with pytest.raises(FileNotFoundError):
            write(gone, {"a": 1})
    assert not gone.parent.exists()
