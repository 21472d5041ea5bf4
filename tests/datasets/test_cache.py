from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.cache import Arrays, cached, folder
from augbench.datasets.errors import UserError


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


def test_the_second_time_is_read_from_disk_and_equal() -> None:
    builder = Builder()
    one, other = (cached("a", "key", ("x", "y"), builder) for _ in range(2))
    assert builder.n_builds == 1
    assert np.array_equal(one["x"], other["x"])
    assert other["y"].dtype == one["y"].dtype


def test_another_key_is_built_anew() -> None:
    builder = Builder()
    for key in ("one", "other"):
        cached("a", key, ("x", "y"), builder)
    assert builder.n_builds == 2


@pytest.mark.parametrize("kept", [0, 10, 4000, -1])
def test_a_torn_file_is_built_again(cache: Path, kept: int) -> None:
    builder = Builder()
    cached("a", "key", ("x", "y"), builder)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:kept])
    again = cached("a", "key", ("x", "y"), builder)
    assert builder.n_builds == 2
    assert np.array_equal(again["x"], np.arange(1000.0))
    assert file.read_bytes() == whole


def test_a_flipped_byte_is_noticed(cache: Path) -> None:
    builder = Builder()
    cached("a", "key", ("x", "y"), builder)
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[4000] ^= 1
    file.write_bytes(content)
    assert np.array_equal(cached("a", "key", ("x", "y"), builder)["x"], np.arange(1000.0))
    assert builder.n_builds == 2


def test_a_failed_build_leaves_nothing(cache: Path) -> None:
    def fail() -> Arrays:
        raise UserError("no")

    with pytest.raises(UserError):
        cached("a", "key", ("x",), fail)
    assert not cache.exists()


def test_a_folder_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot write the cache folder .*set AUGBENCH_CACHE"):
        cached("a", "key", ("x", "y"), Builder())


def test_without_the_variable_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGBENCH_CACHE")
    assert folder().name == "augbench"
