import errno
from pathlib import Path

import pytest
import torch

from augbench.bench.store import checkpoint
from augbench.datasets.errors import UserError

STATE = {"weights": torch.arange(6.0).reshape(2, 3), "step": 3, "names": ["a", "b"]}


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, STATE)
    loaded = checkpoint.load([tmp_path])
    assert loaded is not None
    assert torch.equal(loaded.state["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert (loaded.state["step"], loaded.state["names"]) == (3, ["a", "b"])


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    assert checkpoint.load([tmp_path]) is None


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in range(4):
        checkpoint.save(tmp_path, {"step": step})
    assert checkpoint.read(tmp_path / "last.pt")["step"] == 3
    assert checkpoint.read(tmp_path / "previous.pt")["step"] == 2
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut short", "a flipped bit", "emptied"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    for step in range(2):
        checkpoint.save(tmp_path, {"step": step, "weights": torch.ones(100)})
    break_file(tmp_path / "last.pt", damage)
    loaded = checkpoint.load([tmp_path])
    assert loaded is not None
    assert loaded.state["step"] == 0


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, {"step": 0})
    (tmp_path / "last.pt").rename(tmp_path / "previous.pt")
    checkpoint.write(tmp_path / "new.pt", {"step": 1})
    loaded = checkpoint.load([tmp_path])
    assert loaded is not None
    assert loaded.state["step"] == 0


def test_two_damaged_checkpoints_are_one_sentence(tmp_path: Path) -> None:
    for step in range(2):
        checkpoint.save(tmp_path, {"step": step})
    break_file(tmp_path / "last.pt", "cut short")
    break_file(tmp_path / "previous.pt", "a flipped bit")
    with pytest.raises(UserError, match=r"no whole .*last\.pt is damaged.*previous\.pt is damaged"):
        checkpoint.load([tmp_path])


def test_a_checkpoint_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, STATE)
    file = tmp_path / "last.pt"
    file.write_bytes(file.read_bytes().replace(b"checkpoint 1 ", b"checkpoint 2 ", 1))
    with pytest.raises(UserError, match="schema 2, this version reads up to 1"):
        checkpoint.load([tmp_path])


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "last.pt", {"path": Path("anything")})
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        checkpoint.load([tmp_path])


def test_weights_that_differ_in_the_last_bit_have_other_digests() -> None:
    weights = {"a": torch.ones(3), "b": torch.zeros(2)}
    nearly = {"a": torch.nextafter(torch.ones(3), torch.tensor(2.0)), "b": torch.zeros(2)}
    assert checkpoint.weights_digest(weights) == checkpoint.weights_digest(dict(weights))
    assert checkpoint.weights_digest(weights) != checkpoint.weights_digest(nearly)


def break_file(file: Path, damage: str) -> None:
    content = bytearray(file.read_bytes())
    if damage == "cut short":
        content = content[: len(content) // 2]
    elif damage == "emptied":
        content = bytearray()
    else:
        content[-20] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("links", [True, False])
def test_weights_that_are_adopted_stay_what_they_were(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their former owner may replace its own, and not every file system makes links."""
    if not links:
        monkeypatch.setattr("os.link", refuses_links)
    checkpoint.write(tmp_path / "theirs.pt", STATE)
    checkpoint.link_or_copy(tmp_path / "theirs.pt", tmp_path / "ours.pt")
    checkpoint.save(tmp_path, STATE)
    (tmp_path / "last.pt").replace(tmp_path / "theirs.pt")
    (tmp_path / "theirs.pt").write_bytes(b"other")
    assert checkpoint.read(tmp_path / "ours.pt")["step"] == 3


def refuses_links(source: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "no links here")
