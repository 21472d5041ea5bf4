"""Looks for damage that only shows when whole files are read."""

from contextlib import suppress
from pathlib import Path

from augbench.bench.store import checkpoint
from augbench.bench.store.files import UNIT_KINDS, DamagedError, rename_aside
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory


def set_damaged_models_aside(run: RunDirectory) -> list[Path]:
    """Rename the models of finished units whose content has changed; their units are then damaged.

    Returns the files. This reads every model of the run, which `status` has no time for.
    """
    files = []
    for kind in UNIT_KINDS:
        for folder in sorted((run.path / kind).glob("*")):
            with suppress(DamagedError):  # other damage shows by itself
                file = UnitDirectory(folder).model_file()
                if file is not None and not checkpoint.is_whole(file):
                    rename_aside(file)
                    files.append(file)
    return files
