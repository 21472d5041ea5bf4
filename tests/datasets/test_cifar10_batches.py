import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augbench.datasets.cifar10_batches import read_batch
from augbench.datasets.errors import UserError

RANDOM = np.random.default_rng(0)
DATA = RANDOM.integers(0, 256, (3, 3072), dtype=np.uint8)
LABELS = [6, 0, 9]
WHOLE = {b"labels": LABELS, b"data": DATA}

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts bytes, or what is to be pickled, into data_batch_1."""

    def to_file(content: Any) -> Path:
        path = tmp_path / "data_batch_1"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, 2))
        return path

    return to_file


def as_python_2_wrote_it(data: np.ndarray, labels: list[int], order: bytes = b"\x89") -> bytes:
    """The instructions of the official files: byte strings, and numpy.core."""
    return b"".join(
        [
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03",
            b"U\x06labelsq\x04]q\x05(",
            *(b"K" + bytes([label]) for label in labels),
            b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08",
            b"K\x00\x85q\x09U\x01bq\x0a\x87q\x0bRq\x0c(K\x01M",
            struct.pack("<H", len(data)),
            b"M\x00\x0c\x86q\x0dcnumpy\ndtype\nq\x0eU\x02u1q\x0fK\x00K\x01\x87q\x10Rq\x11",
            b"(K\x03U\x01|q\x12NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + order + b"T",
            struct.pack("<I", data.nbytes) + data.tobytes(order="A"),
            b"tbU\tfilenamesq\x13]q\x14U\x05a.pngau.",
        ]
    )


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_batch_of_python_3_is_read(write: Write, protocol: int) -> None:
    batch = read_batch(write(pickle.dumps(WHOLE, protocol)))
    assert np.array_equal(batch.images, DATA.reshape(3, 3, 32, 32))
    assert batch.labels.tolist() == LABELS
    assert read_batch(write({"labels": LABELS, "data": DATA})).labels.tolist() == LABELS


def test_a_batch_of_python_2_is_read(write: Write) -> None:
    content = as_python_2_wrote_it(DATA, LABELS)
    theirs = pickle.loads(content, encoding="bytes")
    assert np.array_equal(theirs[b"data"], DATA)
    batch = read_batch(write(content))
    assert np.array_equal(batch.images.reshape(3, 3072), DATA)
    assert batch.labels.tolist() == theirs[b"labels"] == LABELS


def test_an_array_stored_by_columns_is_read(write: Write) -> None:
    content = as_python_2_wrote_it(np.asfortranarray(DATA), LABELS, order=b"\x88")
    assert np.array_equal(pickle.loads(content, encoding="bytes")[b"data"], DATA)
    assert np.array_equal(read_batch(write(content)).images.reshape(3, 3072), DATA)


def test_the_checksum_is_that_of_the_file(write: Write) -> None:
    whole = read_batch(write(WHOLE))
    assert len(whole.checksum) == 32
    assert read_batch(write({**WHOLE, b"more": 1})).checksum != whole.checksum


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({**WHOLE, b"more": Bomb()}, r"(builtins|__builtin__)\.getattr|pathlib.*\.touch"),
        (b"cos\nsystem\n(S'touch exploded'\ntR.", r"os\.system"),
        (b'c__builtin__\neval\n(S\'open("exploded", "w")\'\ntR.', r"__builtin__\.eval"),
        (b"cnumpy\nload\n(S'exploded'\ntR.", r"numpy\.load"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0etouch exploded\x85R.", r"posix\.system"),
        ({**WHOLE, b"more": np.float64(1)}, r"numpy\._core\.multiarray\.scalar"),
    ],
)
def test_what_no_batch_needs_is_named_and_never_run(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: Any, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=rf"data_batch_1 names ({named}), which is not run"
    ) as caught:
        read_batch(write(content))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"c_codecs\nencode\n(Vabc\nVrot13\ntR.",  # another codec
        b"cnumpy\nndarray\n}Vargs\nV1\nsb.",  # an attribute of the class that stands for arrays
        b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.",  # an array of two thousand million
        b"\x82\x01.",  # an extension code
        b"P1\n.",  # a persistent name
    ],
)
def test_other_tricks_come_to_nothing(write: Write, content: bytes) -> None:
    with pytest.raises(
        UserError, match=r"is no batch of CIFAR-10 or is cut off|holds no dictionary"
    ):
        read_batch(write(content))
    assert read_batch(write(WHOLE)).labels.tolist() == LABELS


@pytest.mark.parametrize(
    "make", [lambda: pickle.dumps(WHOLE, 2), lambda: as_python_2_wrote_it(DATA, LABELS)]
)
def test_a_file_cut_short_anywhere_is_named(write: Write, make: Callable[[], bytes]) -> None:
    content = make()
    for kept in [*range(120), *range(120, len(content), 487), len(content) - 1]:
        with pytest.raises(UserError, match="data_batch_1 is no batch of CIFAR-10 or is cut off"):
            read_batch(write(content[:kept]))


def test_a_changed_byte_is_read_or_named_and_nothing_else(write: Write) -> None:
    whole = as_python_2_wrote_it(DATA, LABELS)
    n_head = whole.index(DATA.tobytes())
    n_named = 0
    for position in range(n_head):
        content = bytearray(whole)
        content[position] ^= 1 << position % 8
        try:
            batch = read_batch(write(bytes(content)))
            assert batch.images.shape == (len(batch.labels), 3, 32, 32)
        except UserError:
            n_named += 1
    assert n_named > n_head / 4


def test_a_file_that_is_no_pickle_is_named(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data_batch_1 is no batch of CIFAR-10 or is cut off \("):
        read_batch(write(b"<html>404</html>"))
    with pytest.raises(UserError, match=r"cannot read .* \(Is a directory: .* readable"):
        read_batch(tmp_path)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([1, 2], "holds no dictionary; a batch of CIFAR-10 is one, with data and labels"),
        ({b"labels": LABELS}, "lacks 'data', .* it holds labels"),
        ({b"fine_labels": LABELS, b"data": DATA}, "lacks 'labels', .* it holds data, fine_labels"),
        ({}, "lacks 'data', .* it holds nothing"),
        ({**WHOLE, b"data": DATA.tolist()}, "data in data_batch_1 is no array"),
        ({**WHOLE, b"data": DATA.astype(np.float32)}, "type f4 and shape .* are u1"),
        ({**WHOLE, b"data": DATA[:, :3071]}, r"type u1 and shape \(3, 3071\); .* \(N, 3072\)"),
        ({**WHOLE, b"data": DATA.reshape(3, 3, 32, 32)}, r"shape \(3, 3, 32, 32\)"),
        (as_python_2_wrote_it(DATA[:0], []), r"shape \(0, 3072\)"),
        ({**WHOLE, b"data": DATA.astype(object)}, "type O8"),
        ({**WHOLE, b"labels": np.array(LABELS)}, "labels in data_batch_1 are no list of whole"),
        ({**WHOLE, b"labels": [6, 0, 9.0]}, "labels in data_batch_1 are no list of whole numbers"),
        ({**WHOLE, b"labels": [6, True, 9]}, "labels in data_batch_1 are no list of whole numbers"),
        ({**WHOLE, b"labels": [6, 0]}, "data_batch_1 has 3 images and 2 labels"),
        ({**WHOLE, b"labels": [6, 0, 10]}, "range from 0 to 10; CIFAR-10's range from 0 to 9"),
        ({**WHOLE, b"labels": [6, -1, 9]}, "range from -1 to 9"),
    ],
)
def test_a_batch_of_something_else_is_one_clear_sentence(
    write: Write, stored: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_batch(write(stored))
    assert "\n" not in str(caught.value)


def test_an_array_with_too_few_bytes_is_named(write: Write) -> None:
    content = as_python_2_wrote_it(DATA[:2], LABELS).replace(b"M\x02\x00M", b"M\x03\x00M")
    with pytest.raises(UserError, match=r"fewer or more bytes than its shape \(3, 3072\) says"):
        read_batch(write(content))
