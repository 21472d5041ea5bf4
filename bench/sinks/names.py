"""Names that every tool and every file system takes."""

import hashlib
import re

_NOT_IN_METRICS = re.compile(r"[^A-Za-z0-9_.: -]+")  # the letters that MLflow takes, and no slash
_NOT_IN_FOLDERS = re.compile(r"[^\w.+=, -]+")
LONGEST = 80  # characters


def metric_name(*parts: str) -> str:
    """The name of a metric, with slashes between its parts."""
    return "/".join(_NOT_IN_METRICS.sub("_", part)[:LONGEST].strip(" .") or "_" for part in parts)


def folder_name(label: str) -> str:
    """The label as the name of one folder; a label that cannot be one gets a hash behind it."""
    name = _NOT_IN_FOLDERS.sub("_", label)[:LONGEST].strip(" .")
    if name and name == label:
        return name
    return f"{name}-{hashlib.sha256(label.encode()).hexdigest()[:8]}".lstrip("-")
