"""Against a real server on this machine: whole files, wrong ones, and ones that break off.

And archives: what is taken out of them, and what is not.
"""

import os
import tarfile
from collections.abc import Iterator
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.fetch import Record, fetch, read_record, unpack

FILES = {
    "subject01/record-[1]_raw.fif": b"signals " * 5000,
    "subject01/record-[1]-eve.fif": b"events",
    "subject02/record-[2]_raw.fif": b"more signals " * 5000,
}


class Server(ThreadingHTTPServer):
    """Serves FILES and remembers what was asked for."""

    daemon_threads = True
    breaks_off = ""  # the name of a file that ends in the middle
    n_breaks = 99  # times it does so
    lies = ""  # the name of a file of which a byte is wrong

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = unquote(self.path).removeprefix("/files/")
        self.server.asked.append(name)
        if name not in FILES:
            self.send_error(404)
            return
        content = FILES[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name == self.server.lies:
            content = b"X" + content[1:]
        if name == self.server.breaks_off and self.server.n_breaks:
            self.server.n_breaks -= 1
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def record(server: Server) -> Record:
    checksums = {name: sha256(content).hexdigest() for name, content in FILES.items()}
    return Record("test", f"http://127.0.0.1:{server.server_port}/files/", checksums)


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("umask", [0o002, 0o027])
def test_files_obey_the_umask(server: Server, tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        fetch(record(server), tmp_path)
    finally:
        os.umask(former)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(FILES)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o666 & ~umask}


def test_all_files_arrive_whole(server: Server, tmp_path: Path) -> None:
    fetch(record(server), tmp_path)
    assert files_under(tmp_path) == FILES


def test_only_what_is_named_and_missing_is_asked_for(server: Server, tmp_path: Path) -> None:
    have, want, other = FILES
    (tmp_path / have).parent.mkdir()
    (tmp_path / have).write_bytes(b"the user's own version")
    fetch(record(server), tmp_path, names=[have, want])
    assert server.asked == [want]
    assert files_under(tmp_path) == {have: b"the user's own version", want: FILES[want]}
    fetch(record(server), tmp_path)
    assert server.asked == [want, other]


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    first, *_, server.lies = FILES
    with pytest.raises(UserError, match=r"record-\[2\]_raw.fif of test came .* another checksum"):
        fetch(record(server), tmp_path, n_retries=0)
    assert server.lies not in files_under(tmp_path)
    assert set(files_under(tmp_path)) == set(FILES) - {server.lies}
    assert first in files_under(tmp_path)


def test_a_broken_transfer_leaves_nothing_and_the_next_call_carries_on(
    server: Server, tmp_path: Path
) -> None:
    *before, server.breaks_off = FILES
    with pytest.raises(UserError, match=r"cannot fetch subject02/.*try again where there is a net"):
        fetch(record(server), tmp_path, n_retries=0)
    assert set(files_under(tmp_path)) == set(before)
    server.asked, broken = [], server.breaks_off
    server.breaks_off = ""
    fetch(record(server), tmp_path)
    assert server.asked == [broken]
    assert files_under(tmp_path) == FILES


def test_a_retry_mends_a_transfer_that_broke_once(server: Server, tmp_path: Path) -> None:
    name = next(iter(FILES))
    server.breaks_off, server.n_breaks = name, 1
    fetch(record(server), tmp_path, names=[name], n_retries=1)
    assert server.asked == [name, name]
    assert files_under(tmp_path) == {name: FILES[name]}


def test_a_file_that_the_server_lacks_is_named(server: Server, tmp_path: Path) -> None:
    missing = Record("test", record(server).base_url, {"gone.fif": "0" * 64})
    with pytest.raises(UserError, match=r"cannot fetch gone.fif of test from http://127"):
        fetch(missing, tmp_path, n_retries=0)
    assert files_under(tmp_path) == {}


def test_no_network_is_one_sentence(server: Server, tmp_path: Path) -> None:
    there = record(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match=r"cannot fetch .* or put the files under .* by hand"):
        fetch(there, tmp_path, n_retries=0)
    assert files_under(tmp_path) == {}


def test_the_registry_of_ssvep_has_signals_and_events_of_33_sessions() -> None:
    checksums = read_record("ssvep_exo", "http://nowhere/").checksums
    assert len(checksums) == 66
    assert sum(name.endswith("_raw.fif") for name in checksums) == 33
    assert all(len(checksum) == 64 for checksum in checksums.values())


def test_the_registry_agrees_with_the_files_here(ssvep_root: Path) -> None:
    for name, checksum in read_record("ssvep_exo", "http://nowhere/").checksums.items():
        assert sha256((ssvep_root / "ssvep_exo" / name).read_bytes()).hexdigest() == checksum


MEMBERS = {"one": b"1" * 50_000, "two": bytes(range(256)) * 300, "three": b"3"}
CHECKSUMS = {name: f"md5:{md5(content).hexdigest()}" for name, content in MEMBERS.items()}


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    members = {f"batches/{name}": content for name, content in MEMBERS.items()}
    return pack(tmp_path / "batches.tar.gz", {"batches/readme.html": b"more", **members})


def test_an_archive_gives_what_is_named_and_nothing_else(archive: Path, tmp_path: Path) -> None:
    unpack(archive, tmp_path / "data" / "batches", CHECKSUMS)
    assert files_under(tmp_path / "data" / "batches") == MEMBERS


def test_an_archive_replaces_no_file_that_is_there(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "batches"
    folder.mkdir()
    (folder / "two").write_bytes(b"the user's own version")
    unpack(archive, folder, CHECKSUMS)
    assert files_under(folder) == {**MEMBERS, "two": b"the user's own version"}


def test_a_member_with_a_wrong_checksum_is_not_taken(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "batches"
    with pytest.raises(
        UserError, match=r"two in batches.tar.gz has another checksum: delete .* ag"
    ):
        unpack(archive, folder, {**CHECKSUMS, "two": "md5:" + "0" * 32})
    assert files_under(folder) == {"one": MEMBERS["one"]}
    unpack(archive, folder, {**CHECKSUMS, "one": "0"})  # is there: not looked at again
    assert files_under(folder) == MEMBERS


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9])
def test_a_torn_archive_leaves_whole_files_and_is_named(
    archive: Path, tmp_path: Path, share: float
) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(share * len(whole))])
    folder = tmp_path / "batches"
    with pytest.raises(
        UserError, match=r"batches.tar.gz (is torn .*|lacks .*): delete .* fetch it again"
    ):
        unpack(archive, folder, CHECKSUMS)
    assert files_under(folder).items() <= MEMBERS.items()
    archive.write_bytes(whole)
    unpack(archive, folder, CHECKSUMS)
    assert files_under(folder) == MEMBERS


def test_a_flipped_byte_of_an_archive_is_noticed(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(UserError, match="fetch it again"):
        unpack(archive, tmp_path / "batches", CHECKSUMS)
    assert files_under(tmp_path / "batches").items() <= MEMBERS.items()


def test_an_archive_writes_nowhere_else(tmp_path: Path) -> None:
    outside = {"/tmp/evil": b"x", "../evil": b"x", "batches/../../evil": b"x", "one": b"x"}
    archive = pack(tmp_path / "batches.tar.gz", outside)
    folder = tmp_path / "data" / "batches"
    with pytest.raises(
        UserError, match=r"batches.tar.gz lacks batches/one, batches/two, batches/t"
    ):
        unpack(archive, folder, CHECKSUMS)
    assert files_under(tmp_path) == {archive.name: archive.read_bytes()}


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    path = tmp_path / "batches.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("batches/one")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(link)
    with pytest.raises(UserError, match=r"batches.tar.gz lacks batches/one"):
        unpack(path, tmp_path / "batches", {"one": CHECKSUMS["one"]})
    assert files_under(tmp_path / "batches") == {}


def test_a_folder_that_cannot_be_written_is_named(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "batches").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot unpack batches.tar.gz into .* \(File exists: .*"):
        unpack(archive, tmp_path / "batches", CHECKSUMS)
