"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from augbench.datasets.errors import UserError


def write(path: Path, content: bytes) -> Path:
    """Writes a whole file or nothing: first under another name, then moved into its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).chmod(0o644)  # mkstemp lets only its owner read a file
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"cannot write the report {path}: {error.strerror or error}; "
            "choose a folder that can be written and has room"
        ) from error
    return path
