"""Files as one array: the right numbers, no copies, and no way back into the files."""

import subprocess
import sys
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from augbench.datasets.recording import mapped as module
from augbench.datasets.recording.mapped import join, row_length

SHAPES = [(2, 30), (6, 3840), (1, 1), (2, 3000), (1, 992), (1, 993)]


def write(folder: Path, shape: tuple[int, ...], counts: list[int]) -> list[NDArray[np.float32]]:
    """Files as the cache has them: rows of windows with room behind each."""
    random = np.random.default_rng(0)
    found = []
    for k, n in enumerate(counts):
        rows = np.full((n, row_length(shape)), np.nan, np.float32)
        rows[:, : prod(shape)] = random.normal(size=(n, prod(shape)))
        np.save(folder / f"{k}.npy", rows)
        found.append(np.load(folder / f"{k}.npy", mmap_mode="c" if n else None))
    return found


def copied(arrays: list[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.concatenate([a[:, : prod(shape)] for a in arrays]).reshape(-1, *shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("counts", [[3], [2, 1, 4], [1, 0, 2], [5, 5, 5, 5]])
def test_joined_files_hold_all_windows_in_order(
    tmp_path: Path, shape: tuple[int, ...], counts: list[int]
) -> None:
    arrays = write(tmp_path, shape, counts)
    assert np.array_equal(join(arrays, shape), copied(arrays, shape))
    chosen = [arrays[-1], arrays[0], arrays[-1]]
    assert np.array_equal(join(chosen, shape), copied(chosen, shape))


def test_torch_can_index_split_and_write_it(tmp_path: Path) -> None:
    arrays = write(tmp_path, (2, 30), [4, 3])
    x, expected = torch.from_numpy(join(arrays, (2, 30))), copied(arrays, (2, 30))
    rows = torch.tensor([6, 0, 3])
    assert np.array_equal(x[rows].numpy(), expected[rows.numpy()])
    assert np.array_equal(torch.cat(x.split(2)).numpy(), expected)
    x.fill_(0)
    assert np.array_equal(copied(arrays, (2, 30)), expected)
    again = [np.load(tmp_path / f"{k}.npy") for k in range(2)]
    assert np.array_equal(copied(again, (2, 30)), expected)


def test_it_outlives_its_files_and_the_arrays_that_it_was_made_of(tmp_path: Path) -> None:
    arrays = write(tmp_path, (6, 100), [3, 3])
    expected = copied(arrays, (6, 100))
    x = join(arrays, (6, 100))
    del arrays
    for file in tmp_path.iterdir():
        file.unlink()
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("fault", ["removed", "no system call", "in memory"])
def test_what_cannot_be_mapped_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    arrays = write(tmp_path, (2, 30), [3, 2])
    expected = copied(arrays, (2, 30))
    if fault == "removed":
        (tmp_path / "1.npy").unlink()
    if fault == "in memory":
        arrays[1] = np.array(arrays[1])
    if fault == "no system call":

        def no_library(*names: object, **options: object) -> None:
            raise OSError

        monkeypatch.setattr(module.ctypes, "CDLL", no_library)
    assert np.array_equal(join(arrays, (2, 30)), expected)


SCRIPT = """
import gc, sys
from pathlib import Path
import numpy as np
from augbench.datasets.recording.mapped import join

def kilobytes(key):
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines[1:]}[key]

files = [np.load(name, mmap_mode="c") for name in sys.argv[1:]]
before = kilobytes("Anonymous:")
joined = [join(files, (6, 3840)) for _ in range(3)]
total = sum(float(x.sum(dtype=np.float64)) for x in joined)
print(kilobytes("Anonymous:") - before)
maps = len(Path("/proc/self/maps").read_text().splitlines())
del joined
gc.collect()
print(maps - len(Path("/proc/self/maps").read_text().splitlines()))
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
def test_no_byte_is_copied_and_all_is_given_back(tmp_path: Path) -> None:
    write(tmp_path, (6, 3840), [100, 100, 100])
    names = [str(tmp_path / f"{k}.npy") for k in range(3)]
    words = [sys.executable, "-c", SCRIPT, *names]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    own, given_back = map(int, done.stdout.split())
    assert own < 4000  # kilobytes, of 3 x 28,000
    assert given_back >= 9
