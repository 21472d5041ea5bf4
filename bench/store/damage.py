"""Looks for damage that only shows when whole files are read."""

from contextlib import suppress
from pathlib import Path

from augbench.bench.store.checksum import is_whole
from augbench.bench.store.files import UNIT_KINDS, DamagedError, file_digest, rename_aside
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory


def set_damaged_models_aside(run: RunDirectory) -> list[Path]:
    """Rename models and predictions of finished units whose content has changed.

    Their units are then damaged. Returns the files. This reads every model of the run, which
    `status` has no time for.
    """
    files = []
    for kind in UNIT_KINDS:
        for folder in sorted((run.path / kind).glob("*")):
            with suppress(DamagedError):  # other damage shows by itself
                files += changed_files(UnitDirectory(folder))
    for file in files:
        rename_aside(file)
    return files


def changed_files(unit: UnitDirectory) -> list[Path]:
    """The model and the predictions of a finished unit, where their content has changed."""
    files = []
    model, predictions = unit.model_file(), unit.predictions_file()
    if model is not None and not is_whole(model):
        files.append(model)
    if predictions is not None and file_digest(predictions[0]) != predictions[1]:
        files.append(predictions[0])
    return files
