"""Files of anybody: one sentence for whatever is wrong, and no memory that only a header claims."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.arrays import arrays
from augbench.datasets.blocks import collect
from augbench.datasets.errors import UserError
from augbench.datasets.npz import open_npz, read_array, read_blocks
from augbench.datasets.options.tasks import ArraysOptions

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3, 64)).astype(np.float32)
Y = np.arange(40) % 2
SEED = 20260726

Write = Callable[[dict[str, bytes]], Path]


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_header(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    text = header.encode("latin1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def described(shape: object, dtype: str = "<f4") -> str:
    return f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes members under their full names; y is added where it is not given."""

    def write_members(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / "mine.npz"
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in ({"y.npy": npy(Y)} | members).items():
                archive.writestr(name, content)
        return path

    return write_members


def refused(path: Path) -> str:
    """The sentence that the task says of a file, within memory of a few times the file."""
    allowed = 8 * path.stat().st_size + (8 << 20)  # modules that are imported on the way
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as caught:
            arrays(ArraysOptions(path=path.name, n_folds=2), path.parent, 0)
        assert tracemalloc.get_traced_memory()[1] < allowed
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "<f2", "u1"])
def test_whatever_numpy_writes_is_read_alike(
    tmp_path: Path, savez: Callable[..., None], order: str, dtype: str
) -> None:
    x = np.asarray(np.abs(X * 50), dtype=dtype, order=order)
    savez(tmp_path / "a.npz", x=x, y=Y)
    npz = open_npz(tmp_path / "a.npz")
    assert np.array_equal(read_array(npz, "x"), x)
    assert np.array_equal(collect(read_blocks(npz, "x")), x)
    assert np.array_equal(read_array(npz, "y"), Y)


def test_blocks_are_small(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((2000, 4, 500)))
    sizes = [block.nbytes for block in read_blocks(open_npz(tmp_path / "a.npz"), "x").blocks]
    assert sum(sizes) == 32_000_000
    assert max(sizes) <= 2 << 20


def test_loading_does_not_hold_the_file_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32 MB of float32 with standardising, of which tracemalloc sees all that numpy allocates."""
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    x = RANDOM.normal(size=(2000, 4, 1000)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(2000) % 2)
    options = ArraysOptions(path="a.npz", n_folds=2)
    for most in (0.7, 0.1):  # to prepare: some blocks of 2 MB, and their float64 copies
        tracemalloc.start()
        fold = arrays(options, tmp_path, 0).fold(0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most * x.nbytes
    assert abs(float(fold.test.x.mean())) < 1e-6


def test_an_array_in_fortran_order_is_read_in_passes(tmp_path: Path) -> None:
    x = np.asfortranarray(RANDOM.normal(size=(1003, 4, 1000)))
    np.savez(tmp_path / "a.npz", x=x)
    tracemalloc.start()
    start = 0
    for block in read_blocks(open_npz(tmp_path / "a.npz"), "x").blocks:
        assert np.array_equal(block, x[start : start + len(block)])
        start += len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert start == 1003
    assert peak < 0.7 * x.nbytes  # 8 blocks of 2 MB, and the chunk that is read


@pytest.mark.parametrize(
    "shape",
    [
        "(1000000000000, 3, 64)",
        "(40, 3, 1000000000)",
        "(-1, 3, 64)",
        "(-40, -3, 64)",
        "(40, 3, 65)",
        "(40, 3)",
        f"({'9' * 4000}, 3, 64)",
        f"({'9' * 4500},)",
        f"({'1, ' * 2000})",
        "(True, 3, 64)",
        "(40.0, 3, 64)",
        "None",
    ],
)
def test_a_shape_that_the_file_cannot_hold_is_not_believed(write: Write, shape: str) -> None:
    text = refused(write({"x.npy": with_header(described(shape), X.tobytes())}))
    assert "mine.npz" in text


@pytest.mark.parametrize(
    "header",
    [
        "(" * 9000,
        "[" * 3000 + "]" * 3000,
        "{}",
        "",
        "1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3, 64), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': 3, 'shape': (40, 3, 64)}",
        "__import__('os').system('true')",
        described("(40, 3, 64)", "nonsense"),
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (40, 3, 64)}",
        "{'descr': ('<f4', (3,)), 'fortran_order': False, 'shape': (40, 64)}",
        "9" * 9000,
        "[1, 2]",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3, 64)" + " " * 20_000 + "}",
    ],
)
def test_an_odd_header_is_one_sentence(write: Write, header: str) -> None:
    assert "x in mine.npz" in refused(write({"x.npy": with_header(header, X.tobytes())}))


@pytest.mark.parametrize("version", [(2, 0), (3, 0), (0, 0), (9, 9)])
def test_other_versions_are_read_or_refused(write: Write, version: tuple[int, int]) -> None:
    content = with_header(described("(40, 3, 64)"), X.tobytes(), version)
    path = write({"x.npy": content})
    if version == (2, 0):
        assert np.array_equal(read_array(open_npz(path), "x"), X)
    else:
        assert "is not an .npy array" in refused(path)


@pytest.mark.parametrize("name", ["x", "readme.txt", "x.npy.txt", "a/b", "x/"])
def test_members_that_are_no_arrays_are_named(write: Write, name: str) -> None:
    assert name in refused(write({"x.npy": npy(X), name: b"words"}))


def test_an_array_of_no_content_is_named(write: Write) -> None:
    assert "x in mine.npz is not an .npy array" in refused(write({"x.npy": b""}))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_named(write: Callable[..., Path], method: int) -> None:
    text = refused(write({"x.npy": npy(X)}, method))
    assert f"compressed by method {method} of zip" in text


def patched(path: Path, offset: int, new: bytes, *, signature: bytes = b"PK\x01\x02") -> None:
    """Overwrites a field of the first entry in the central directory."""
    content = bytearray(path.read_bytes())
    start = content.index(signature) + offset
    content[start : start + len(new)] = new
    path.write_bytes(content)


def test_an_encrypted_file_is_named(write: Write) -> None:
    path = write({"x.npy": npy(X)})
    patched(path, 8, struct.pack("<H", 1))
    assert "y in mine.npz is encrypted" in refused(path)


def test_an_unknown_compression_is_named(write: Write) -> None:
    path = write({"x.npy": npy(X)})
    patched(path, 10, struct.pack("<H", 93))
    assert "compressed by method 93" in refused(path)


@pytest.mark.parametrize("field", [20, 24])  # the size in the file, and out of it
@pytest.mark.parametrize("size", [0, 7, 1 << 30, 0xFFFFFFF0])
def test_a_size_that_the_directory_claims_is_not_believed(
    write: Write, field: int, size: int
) -> None:
    path = write({"x.npy": npy(X)})
    patched(path, field, struct.pack("<I", size))
    assert path.name in refused(path)


def test_a_bomb_is_refused_before_it_goes_off(write: Callable[..., Path]) -> None:
    n = 300 << 20
    content = with_header(described(f"({n // 256}, 1, 64)")) + bytes(n)
    path = write({"x.npy": content}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 400_000
    assert "unpacks to 315 MB" in refused(path)


def test_a_bomb_of_labels_is_refused(write: Callable[..., Path]) -> None:
    labels = np.zeros(40, "<U100000")
    path = write({"x.npy": npy(X), "y.npy": npy(labels)}, zipfile.ZIP_DEFLATED)
    assert "text of at most 1024 characters" in refused(path)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X > 0, "of type bool"),
        (X + 0j, "of type complex64"),
        (X.astype(str), "of type <U"),
        (X.astype("S8"), "of type |S8"),
        (np.zeros((40, 3, 64), "m8[s]"), "of type timedelta64"),
        (np.zeros((0, 3, 64)), "there is nothing in it"),
        (np.zeros((40, 0, 64)), "there is nothing in it"),
        (np.zeros((40, 3, 0)), "there is nothing in it"),
        (np.zeros(()), r"has shape ()"),
        (np.zeros((40, 1, 3, 4, 5)), "has shape (40, 1, 3, 4, 5)"),
    ],
)
def test_types_and_shapes_that_are_no_signal_are_named(
    write: Write, x: np.ndarray, said: str
) -> None:
    assert said in refused(write({"x.npy": npy(x)}))


def test_two_arrays_of_one_name_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(X))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy(2 * X))
    assert "two arrays of one name" in refused(path)


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Some bytes flipped, a span lost, doubled or zeroed, or the end gone."""
    out = bytearray(content)
    start, length = int(random.integers(len(out))), int(random.integers(1, 400))
    match int(random.integers(6)):
        case 0:
            for place in random.integers(len(out), size=random.integers(1, 20)):
                out[place] ^= 1 << int(random.integers(8))
        case 1:
            del out[start : start + length]
        case 2:
            out[start:start] = out[start : start + length]
        case 3:
            out[start : start + length] = bytes(len(out[start : start + length]))
        case 4:
            del out[start:]
        case _:  # the directory at the end, where zipfile looks first
            for place in random.integers(1, 400, size=3):
                out[-int(place)] = int(random.integers(256))
    return bytes(out)


@pytest.mark.filterwarnings("ignore:Reading .* required additional header parsing")
@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_damaged_files_are_one_sentence_each_or_still_whole(
    tmp_path: Path, savez: Callable[..., None]
) -> None:
    names = ["C3", "Cz", "C4"]
    groups = np.array([f"s{i // 4}" for i in range(40)])
    path = tmp_path / "mine.npz"
    savez(path, x=X, y=Y, groups=groups, channels=names, sampling_rate=64.0)
    whole = path.read_bytes()
    options = ArraysOptions(path="mine.npz", n_folds=2)
    expected = arrays(options, tmp_path, 0).fingerprint
    random = np.random.default_rng(SEED)
    n_refused = 0
    for _ in range(150):
        path.write_bytes(damaged(whole, random))
        try:
            found = arrays(options, tmp_path, 0).fingerprint
        except UserError:
            n_refused += 1
            assert refused(path)
        else:
            assert found == expected  # what was hit holds no data
    assert n_refused > 100
