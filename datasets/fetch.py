"""The only code that uses the network: public records, file by file, each against its checksum."""

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
    """A data set on the network: where its files lie, and the checksum of each by name."""

    name: str
    base_url: str  # ends in "/"
    checksums: dict[str, str]  # sha256, or another algorithm as in "md5:0123..."


def read_record(name: str, base_url: str) -> Record:
    """The record whose checksums stand in ``registry/<name>.txt``, a name and a sha256 a line."""
    lines = (REGISTRIES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if line and not line.startswith("#")]
    return Record(name, base_url, dict(entries))


def fetch(record: Record, folder: Path, *, names: Iterable[str] = (), n_retries: int = 2) -> None:
    """Download those of the named files (default: all) that ``folder`` lacks, and no others.

    A file takes its name only when it is whole and its checksum is right, so that the same call
    carries on where a broken one ended. Raises UserError when the network or the disk fails, or the
    server sends other data.
    """
    import pooch  # heavy, and needed once in the life of a data set

    asked = tuple(names) or tuple(record.checksums)
    wanted = [name for name in asked if not (folder / name).is_file()]
    source = pooch.create(
        path=folder,
        base_url=record.base_url,
        registry={name: record.checksums[name] for name in wanted},
        urls={name: record.base_url + quote(name) for name in wanted},
        retry_if_failed=n_retries,
        allow_updates=True,
    )
    for name in wanted:
        try:
            source.fetch(name)
            (folder / name).chmod(0o666 & ~_umask())  # pooch's files are for their writer alone
        except OSError as error:  # requests' errors among them
            raise UserError(
                f"cannot fetch {name} of {record.name} from {record.base_url} "
                f"({type(error).__name__}): try again where there is a network, or put the files "
                f"under {folder} by hand"
            ) from error
        except ValueError as error:  # pooch's word for a wrong checksum
            raise UserError(
                f"{name} of {record.name} came from {record.base_url} with another checksum than "
                "the published one and was thrown away: try again, or fetch the files by hand"
            ) from error


def unpack(archive: Path, folder: Path, checksums: dict[str, str]) -> None:
    """Take from a tar archive those of the named files that ``folder`` lacks, and no others.

    In the archive they lie in a folder of the same name. What else is in there is never written,
    wherever it would go. A file takes its name only when it is whole and its checksum is right.
    Raises UserError when the archive is torn, lacks a file or has another, or the disk fails.
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
    """Which permissions new files of this process do not get; can be read only by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _matches(content: bytes, checksum: str) -> bool:
    algorithm, _, digest = checksum.rpartition(":")
    return hashlib.new(algorithm or "sha256", content).hexdigest() == digest


def _write(content: bytes, path: Path) -> None:
    """Under another name first, so that half a file is not taken for a whole one."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
