"""Text files of others, read up to a size."""

from pathlib import Path

from augbench.datasets.errors import UserError


def read_text(path: Path, most_bytes: int, what: str) -> str:
    """The text of a file, which ``what`` names in a message; a byte order mark is left out.

    Raises a UserError for a file that cannot be read, is too large for a policy, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise UserError(
            f"cannot read {what}{path} ({error.strerror or error}): give a file that can be read"
        ) from None
    if len(content) > most_bytes:
        raise UserError(
            f"{path} has more than {most_bytes // 1024**2} MB: that is more than a policy needs"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text ({error}): give a file in UTF-8") from None
