import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from augbench.datasets import cache as module
from augbench.datasets.blocks import Blocks
from augbench.datasets.cache import Arrays, cache_folder, cached
from augbench.datasets.errors import UserError, UserNotice

KEYS = ("x", "y")


class Builder:
    """Counts how often it had to build."""

    def __init__(self) -> None:
        self.n_builds = 0

    def __call__(self) -> Arrays:
        self.n_builds += 1
        return {"x": np.arange(1000.0), "y": np.arange(3)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def only_entry(cache: Path) -> Path:
    (entry,) = cache.iterdir()
    return entry


def test_the_second_time_is_mapped_from_disk_and_equal() -> None:
    builder = Builder()
    one, other = (cached("a", "key", KEYS, builder) for _ in range(2))
    assert builder.n_builds == 1
    assert np.array_equal(one["x"], other["x"])
    assert other["y"].dtype == one["y"].dtype
    assert isinstance(one["x"], np.memmap)
    assert isinstance(other["x"], np.memmap)


def test_another_key_is_built_anew() -> None:
    builder = Builder()
    for key in ("one", "other"):
        cached("a", key, KEYS, builder)
    assert builder.n_builds == 2


def test_blocks_are_written_as_they_come() -> None:
    taken = []

    def blocks() -> Arrays:
        for start in (0, 2, 4):
            taken.append(start)
            yield np.arange(start, start + 2, dtype=np.float32)[:, None]

    def build() -> dict[str, Blocks]:
        return {"x": Blocks((6, 1), np.dtype(np.float32), blocks())}

    x = cached("a", "key", ("x",), build)["x"]
    assert taken == [0, 2, 4]
    assert x[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_what_is_written_into_a_mapped_array_never_reaches_the_file(cache: Path) -> None:
    x = cached("a", "key", KEYS, Builder())["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of arrays that cannot be written
        torch.from_numpy(x).fill_(7)
    x.flush()
    assert np.array_equal(cached("a", "key", KEYS, Builder())["x"], np.arange(1000.0))
    assert np.array_equal(np.load(only_entry(cache) / "x.npy"), np.arange(1000.0))


@pytest.mark.parametrize("kept", [0, 10, 4000, -1])
@pytest.mark.parametrize("name", ["x.npy", "index.json"])
def test_a_torn_file_is_built_again(cache: Path, name: str, kept: int) -> None:
    builder = Builder()
    cached("a", "key", KEYS, builder)
    file = only_entry(cache) / name
    whole = file.read_bytes()
    file.write_bytes(whole[:kept] if kept < len(whole) else whole[:-1])
    again = cached("a", "key", KEYS, builder)
    assert builder.n_builds == 2
    assert np.array_equal(again["x"], np.arange(1000.0))
    assert file.read_bytes() == whole
    assert len(list(cache.iterdir())) == 1


def test_a_flipped_byte_is_noticed(cache: Path) -> None:
    builder = Builder()
    cached("a", "key", KEYS, builder)
    file = only_entry(cache) / "x.npy"
    content = bytearray(file.read_bytes())
    content[4000] ^= 1
    file.write_bytes(content)
    assert np.array_equal(cached("a", "key", KEYS, builder)["x"], np.arange(1000.0))
    assert builder.n_builds == 2


@pytest.mark.parametrize(
    "index", ["[]", "{}", "null", '{"key": 3}', "[" * 5000, '{"key": "KEY", "files": {"x": 3}}']
)
def test_a_foreign_index_is_built_again(cache: Path, index: str) -> None:
    builder = Builder()
    cached("a", "key", KEYS, builder)
    file = only_entry(cache) / "index.json"
    key = json.loads(file.read_text())["key"]
    file.write_text(index.replace("KEY", key))
    cached("a", "key", KEYS, builder)
    assert builder.n_builds == 2
    cached("a", "key", KEYS, builder)
    assert builder.n_builds == 2


@pytest.mark.parametrize("foreign", ["file", "empty folder", "other folder"])
def test_a_foreign_entry_is_replaced(cache: Path, foreign: str) -> None:
    cached("a", "key", KEYS, Builder())
    entry = only_entry(cache)
    shutil.rmtree(entry)
    if foreign == "file":
        entry.write_text("of somebody else")
    else:
        entry.mkdir()
    if foreign == "other folder":
        (entry / "x.npy").mkdir()
    builder = Builder()
    cached("a", "key", KEYS, builder)
    cached("a", "key", KEYS, builder)
    assert builder.n_builds == 1
    assert only_entry(cache) == entry


def test_pickled_objects_in_an_entry_are_never_loaded(cache: Path) -> None:
    cached("a", "key", KEYS, Builder())
    entry = only_entry(cache)
    np.save(entry / "x.npy", np.array([print], dtype=object), allow_pickle=True)
    index = json.loads((entry / "index.json").read_text())
    index["files"]["x"] = module._checksum(entry / "x.npy")
    (entry / "index.json").write_text(json.dumps(index))
    assert np.array_equal(cached("a", "key", KEYS, Builder())["x"], np.arange(1000.0))


def test_a_failed_build_leaves_nothing(cache: Path) -> None:
    def fail() -> Arrays:
        raise UserError("no")

    def fail_late() -> dict[str, Blocks]:
        def blocks() -> Arrays:
            yield np.zeros(1)
            raise UserError("no")

        return {"x": Blocks((9,), np.dtype(float), blocks())}

    for build in (fail, fail_late):
        with pytest.raises(UserError, match=r"^no$"):
            cached("a", "key", ("x",), build)
    assert not list(cache.rglob("*"))


def test_a_folder_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot write the cache folder .*set AUGBENCH_CACHE"):
        cached("a", "key", KEYS, Builder())


def test_a_disk_without_room_is_one_sentence_and_is_not_filled(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = shutil.disk_usage(cache.parent).total
    usage = type(shutil.disk_usage(cache.parent))(total, total - 5000, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError, match=r"No space left on device.*: make room, or set AUGBENCH"):
        cached("a", "key", KEYS, Builder())
    assert not list(cache.iterdir())


def test_without_the_variable_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGBENCH_CACHE")
    assert cache_folder().name == "augbench"


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_entries_obey_the_umask(cache: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        cached("a", "key", KEYS, Builder())
    finally:
        os.umask(former)
    for path in cache.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o777 if path.is_dir() else 0o666) & ~umask, path


def slow_build(folder: str, barrier: object, results: object) -> None:
    os.environ["AUGBENCH_CACHE"] = folder

    def build() -> Arrays:
        barrier.wait(60)  # both are building now
        return {"x": np.arange(1000.0), "y": np.arange(3)}

    results.put(float(cached("a", "key", KEYS, build)["x"].sum()))


def test_two_processes_may_build_at_once(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    both = [
        context.Process(target=slow_build, args=(str(cache), barrier, results)) for _ in range(2)
    ]
    for process in both:
        process.start()
    sums = [results.get(timeout=120) for _ in both]
    for process in both:
        process.join()
    assert sums == [499500.0] * 2
    names = sorted(path.name for path in only_entry(cache).iterdir())
    assert names == ["index.json", "x.npy", "y.npy"]
    builder = Builder()
    cached("a", "key", KEYS, builder)
    assert builder.n_builds == 0


def test_an_entry_that_is_replaced_stays_good_for_who_maps_it(cache: Path) -> None:
    x = cached("a", "key", KEYS, Builder())["x"]
    shutil.rmtree(only_entry(cache))
    cached("a", "key", KEYS, lambda: {"x": np.zeros(1000), "y": np.arange(3)})
    assert np.array_equal(x, np.arange(1000.0))


def test_what_killed_processes_left_is_removed_after_a_day(cache: Path) -> None:
    cache.mkdir()
    old, new = cache / "a-1.part", cache / "a-2.part"
    for part in (old, new):
        part.mkdir()
        (part / "x.npy").write_bytes(b"half")
    long_ago = time.time() - 25 * 3600
    os.utime(old, (long_ago, long_ago))
    cached("a", "key", KEYS, Builder())
    assert not old.exists()
    assert new.exists()


def test_a_damaged_entry_that_cannot_be_replaced_is_told_and_done_without(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder of somebody else; root, as whom tests may run, can rename anywhere."""
    cached("a", "key", KEYS, Builder())
    (only_entry(cache) / "x.npy").write_bytes(b"torn")
    renamed = []

    def refuse(self: Path, target: Path) -> None:
        renamed.append(self)
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.warns(UserNotice, match="delete it") as told:
        arrays = cached("a", "key", KEYS, Builder())
    assert len(told) == 1
    assert renamed
    assert np.array_equal(arrays["x"], np.arange(1000.0))
    assert len(list(cache.iterdir())) == 1


def test_mapping_takes_no_memory_of_its_own(cache: Path) -> None:
    """64 MB are mapped in another process, which then owns less than 8 MB more than before."""
    script = (
        "import re, sys; from pathlib import Path; import numpy as np\n"
        "from augbench.datasets.cache import cached\n"
        "def own():\n"
        "    text = Path('/proc/self/smaps_rollup').read_text()\n"
        "    return int(re.search(r'Anonymous: +(\\d+)', text)[1])\n"
        "before = own()\n"
        "x = cached('a', 'key', ('x',), lambda: 1 / 0)['x']\n"
        "total = x.sum()\n"
        "print(own() - before, total)\n"
    )
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("this system does not tell")
    cached("a", "key", ("x",), lambda: {"x": np.ones(8 << 20)})
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    kilobytes, total = done.stdout.split()
    assert float(total) == 8 << 20
    assert int(kilobytes) < 8000
