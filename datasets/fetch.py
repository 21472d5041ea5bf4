"""The only code that uses the network: public records, file by file, each against its checksum."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from datasets.errors import UserError

REGISTRIES = Path(__file__).parent / "registry"


@dataclass(frozen=True)
class Record:
    """A data set on the network: where its files lie, and the sha256 of each by name."""

    name: str
    base_url: str  # ends in "/"
    checksums: dict[str, str]


def read_record(name: str, base_url: str) -> Record:
    """The record whose checksums stand in ``registry/<name>.txt``, a name and a sha256 a line."""
    lines = (REGISTRIES / f"{name}.txt").read_text().splitlines()
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
