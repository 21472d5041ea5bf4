"""Tables of classes: a .csv or .tsv with a file's name and its class in each line."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from augbench.datasets.errors import MOST_NAMED, UserError, listed, system_error

TABLES = (".csv", ".tsv")
# Names of columns, in small letters and without any other sign; the first that is there is taken.
FILES = "filename file path filepath image imagename imagefile imageid imagepath img name id"
CLASSES = "classid class label classname labelid target category labels y"
MOST_FILES = 3  # in a message


def has_classes(table: Path) -> bool:
    """Whether a table has a column of files and one of classes."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            head = next(csv.reader([file.readline()], delimiter=_separator(table)), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return None not in (_column(head, FILES), _column(head, CLASSES))


def read_labels(table: Path) -> dict[str, str]:
    """The class of each file, by the name that the table has for it.

    Columns are separated by commas, semicolons or tabs; their names stand in the first line.
    Raises UserError for a table that is missing or has no such columns, for a line without a name
    or a class, and for a file with two classes.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(text.splitlines(), delimiter=_separator(table)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = system_error(error) if isinstance(error, OSError) else type(error).__name__
        raise UserError(f"cannot read the table of classes {table} ({why})") from error
    head = rows[0] if rows else []
    file, label = _column(head, FILES), _column(head, CLASSES)
    if file is None or label is None:
        raise UserError(
            f"the first line of {table.name} has {listed(head) or 'nothing'}; it has to name a "
            "column of files (Filename, path, ...) and one of classes (ClassId, label, ...)"
        )
    labels: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) <= max(file, label) or not row[file].strip() or not row[label].strip():
            raise UserError(f"line {number} of {table.name} lacks the name of a file or its class")
        name, given = row[file].strip().replace("\\", "/"), row[label].strip()
        if labels.setdefault(name, given) != given:
            raise UserError(
                f"{table.name} gives {name} two classes, {labels[name]} and {given}: leave one out"
            )
    return labels


def match(
    labels: Mapping[str, str], files: Sequence[Path], folder: Path, table: Path
) -> dict[Path, str]:
    """The class of each file that a table names: by its path, or by its name where there is one.

    Raises UserError for a name in the table that no file has, or several have.
    """
    by_path = {file.relative_to(folder).as_posix(): file for file in files}
    by_place = {str(file): file for file in files}
    n_names = Counter(name for file in files for name in {file.name, file.stem})
    by_name = {file.stem: file for file in files if n_names[file.stem] == 1}
    by_name |= {file.name: file for file in files if n_names[file.name] == 1}
    found, lost = {}, []
    for name, label in labels.items():
        file = (
            by_path.get(name)
            or by_place.get(str(table.parent / name))
            or by_name.get(name.rpartition("/")[2])
        )
        if file is None:
            lost.append(name)
        else:
            found[file] = label
    if lost:
        raise UserError(
            f"{table.name} names {len(lost)} of {len(labels)} images that are not under {folder}, "
            f"or are there more than once ({listed(lost, MOST_FILES)}): add them, or leave them out"
        )
    return found


def _separator(table: Path) -> str:
    with table.open(encoding="utf-8-sig") as file:
        head = file.readline(10_000)
    return max(",;\t", key=head.count)


def _column(head: Sequence[str], names: str) -> int | None:
    plain = [re.sub(r"[^a-z]", "", name.lower()) for name in head[: 10 * MOST_NAMED]]
    return next((plain.index(name) for name in names.split() if name in plain), None)
