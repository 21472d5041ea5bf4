"""Downloads public data sets, with checksums; no other code uses the network."""

import errno
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path
from urllib.parse import quote

from augbench.datasets.errors import UserError, system_error

REGISTRIES = Path(__file__).parent / "registry"


@dataclass(frozen=True)
class Record:
    """A data set on the network: the address of its files, and the checksum of each by name."""

    name: str
    base_url: str  # ends in "/"
    checksums: dict[str, str]  # sha256, or another algorithm as in "md5:0123..."
    other_urls: tuple[str, ...] = ()  # of the same files, for when the first address fails


def read_record(name: str, base_url: str, *other_urls: str) -> Record:
    """Read ``registry/<name>.txt``, which has a file name and a sha256 on each line."""
    lines = (REGISTRIES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if line and not line.startswith("#")]
    return Record(name, base_url, dict(entries), other_urls)


def fetch(record: Record, folder: Path, *, names: Iterable[str] = (), n_retries: int = 2) -> None:
    """Download the named files (default: all) that ``folder`` lacks.

    A file gets its name only when it is complete and its checksum is right, so the same call can
    continue an interrupted one. Raises UserError if the network or the disk fails, or if the server
    sends other data.
    """
    asked = tuple(names) or tuple(record.checksums)
    for name in asked:
        if not (folder / name).is_file():
            _fetch_file(record, name, folder, n_retries)


def _fetch_file(record: Record, name: str, folder: Path, n_retries: int) -> None:
    """Download a file from the first address that gives it."""
    import pooch  # heavy, and rarely needed

    urls = (record.base_url, *record.other_urls)
    for url in urls:
        source = pooch.create(
            path=folder,
            base_url=url,
            registry={name: record.checksums[name]},
            urls={name: url + quote(name)},
            retry_if_failed=n_retries,
            allow_updates=True,
        )
        try:
            source.fetch(name)
            (folder / name).chmod(0o666 & ~_umask())  # pooch's files are for their writer alone
            return
        except OSError as error:  # requests' errors among them
            if url == urls[-1] or isinstance(error, PermissionError) or error.errno == errno.ENOSPC:
                raise UserError(
                    f"cannot fetch {name} of {record.name} from {url} ({type(error).__name__}): "
                    "try again where there is a network, or put the files under "
                    f"{folder} by hand"
                ) from error
        except ValueError as error:  # pooch raises it for a wrong checksum
            if url == urls[-1]:
                raise UserError(
                    f"{name} of {record.name} came from {url} with another checksum than the "
                    "published one and was thrown away: try again, or fetch the files by hand"
                ) from error


def unpack(archive: Path, folder: Path, checksums: dict[str, str]) -> None:
    """Extract the named files that ``folder`` lacks from a tar archive, and no others.

    The archive has them in a folder of the same name. A file gets its name only when it is complete
    and its checksum is right. Raises UserError if the archive is damaged or lacks a file, if a
    checksum is wrong, or if the disk fails.
    """
    wanted = {f"{folder.name}/{name}": name for name in checksums if not (folder / name).is_file()}
    advice = f"delete {archive} and fetch it again"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as members:
            for member in members:
                if member.isreg() and member.name in wanted:
                    file = members.extractfile(member)
                    assert file is not None
                    name = wanted.pop(member.name)
                    content = file.read()
                    if not _matches(content, checksums[name]):
                        raise UserError(f"{name} in {archive.name} has another checksum: {advice}")
                    _write(content, folder / name)
    except (tarfile.TarError, BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{archive.name} is torn ({type(error).__name__}): {advice}") from error
    except OSError as error:
        raise UserError(
            f"cannot unpack {archive.name} into {folder} ({system_error(error)}): make room or "
            f"{advice}"
        ) from error
    if wanted:
        raise UserError(f"{archive.name} lacks {', '.join(wanted)}: {advice}")


def _umask() -> int:
    """The permissions that new files do not get; it can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _matches(content: bytes, checksum: str) -> bool:
    algorithm, _, digest = checksum.rpartition(":")
    return hashlib.new(algorithm or "sha256", content).hexdigest() == digest


def _write(content: bytes, path: Path) -> None:
    """Write under another name first, so that nobody reads half a file."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
