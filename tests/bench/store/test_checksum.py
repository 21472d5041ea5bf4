"""Files of tensors: checked by us, and opened by whoever has torch or a zip program."""

import hashlib
import io
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from augbench.bench.store import checkpoint
from augbench.bench.store.checksum import is_whole, payload_digest
from augbench.bench.store.files import DamagedError
from augbench.datasets.errors import UserError

STATE = {"weights": {"a": torch.arange(6.0)}, "digest": "d"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    checkpoint.write(tmp_path / "model.pt", STATE)
    return tmp_path / "model.pt"


def archive() -> bytes:
    buffer = io.BytesIO()
    torch.save(STATE, buffer)
    return buffer.getvalue()


def test_torch_opens_the_file_without_us(file: Path) -> None:
    for mmap in (False, True):
        state = torch.load(file, weights_only=True, mmap=mmap)
        assert torch.equal(state["weights"]["a"], torch.arange(6.0))
    code = f"import torch; print(torch.load({str(file)!r}, weights_only=True)['digest'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "d\n"


def test_a_zip_program_finds_nothing_to_complain_of_and_shows_the_note(file: Path) -> None:
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        assert b"torch.load(file, weights_only=True) reads this file" in opened.comment


def test_the_checksum_is_that_of_what_torch_wrote(file: Path) -> None:
    assert payload_digest(file) == hashlib.sha256(archive()).hexdigest()
    assert is_whole(file)


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    """Its words stood in a line before the archive."""
    file, content = tmp_path / "model.pt", archive()
    digest = hashlib.sha256(content).hexdigest()
    file.write_bytes(f"augbench-checkpoint 1 {digest}\n".encode() + content)
    assert (payload_digest(file), is_whole(file)) == (digest, True)
    assert torch.equal(checkpoint.read(file)["weights"]["a"], torch.arange(6.0))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert not is_whole(file)


def test_no_bit_can_change_unseen(file: Path) -> None:
    content, rng = file.read_bytes(), random.Random(0)
    end = range(len(content) - 200, len(content))  # where the checksum is
    for place in [*end, *(rng.randrange(len(content)) for _ in range(200))]:
        broken = bytearray(content)
        broken[place] ^= 1 << rng.randrange(8)
        file.write_bytes(broken)
        with pytest.raises(UserError, match=r"model\.pt (is damaged|has schema)"):
            checkpoint.read(file)


@pytest.mark.parametrize("content", [b"", b"x", archive(), b"augbench-checkpoint", b"PK" * 500])
def test_what_has_no_checksum_is_damaged(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=r"is damaged \(no checksum\)"):
        payload_digest(file)
    assert not is_whole(file)


def test_a_file_that_is_gone_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="No such file"):
        payload_digest(tmp_path / "model.pt")


def test_reading_a_checksum_needs_no_torch() -> None:
    code = "import sys, augbench.bench.store.checksum; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
