"""The run directory: its files, who writes each of them, and how they are read and checked.

    run.json                         schema and resolved suite; written by the driver
    skipped.json                     the trials that it skipped, and why
    splits.json                      for each task, a sentence on how its first fold is split
    plugins.json                     the rows of other packages that the suite names
    lock                             held by the driver while it lives
    events.jsonl                     what the driver did: dispatches, ends, retries; a merged run
                                     begins with what was merged, and the events of all follow
    suite.toml                       of a merged run: its suite, for `augbench run`
    logs/                            what sinks show of the run, and what they have shown
                                     (bench/sinks/journal.py)
    halt                             exists while the driver asks all units to pause
    trials/ID/, evaluations/ID/      one unit of work each, as are samplings/ID/:
        spec.json                    what the unit is; ID is its hash
        rung.json                    in a search: the step to pause after; written by the driver
        failure.json                 why the driver has given it up; removed when it is tried again
        lock                         held by the process that works on the unit
        starting.json                signs of life before an attempt (bench/engines/starting.py)
        attempts/0001/               one for each process:
            log.jsonl                its start, from where it went on, its end
            pulse.json               its progress and how long it has lived, twice a second
            points.jsonl             one line for each scored artifact that it published
            last.pt, previous.pt     its checkpoints
            new-model.pt             weights that no checkpoint knows of yet
            model.pt                 the best weights; torch.load(weights_only=True) reads it
            predictions-WEIGHTS.npz  what these predict on the test split; in a search there is none
            draft.json               its result, before it becomes one
        policies/DIGEST.json         the policies among the artifacts, named by their content
        samplings.jsonl              of a trial: those that it has asked others to do
        result.json                  exists exactly when the unit is finished; names its attempt

The directory of a search is the same, but has search.json (schema, the search), journal.log (its
trials, an Optuna study) and best.toml in place of run.json. Nothing in it has seen the test split.
A search by a script of Ray Tune has tune.json instead. Of each trial of Tune, tune/NAME.json holds
its values, its last report and its share of the costs; one trial at a time holds tune/UNIT.lock.

Every file has one writer (bench/store/files.py shows how it writes).

On some network file systems locks do nothing, and a process that was cut off may come back when
another one has gone on with its unit. So no process writes where another one does: an attempt gets
its number by making its folder, which only one process can do. If two attempts disagree, the one
with the higher number counts. The first result stays. Only later attempts change the folder of an
attempt: they put a folder in the place of its draft, so that it cannot make a result, and once they
have a checkpoint of their own they delete its checkpoints and weights.

Whatever is read is held against its own name: the spec against the unit's ID, a policy against its
digest, the rows, the model and the predictions of a finished unit against its result. What does not
agree is damaged: it is not counted as done. The driver renames it to NAME.damaged and does the unit
again.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augbench.bench.plan.spec import UnitId
from augbench.bench.store.files import (
    DamagedError,
    append_line,
    damaged,
    read_if_there,
    read_json,
    write_json,
)
from augbench.bench.store.records import PLUGINS, SENTENCES
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from augbench.datasets.plugins import Plugin

SCHEMA = 3  # of the run directory: rises when its layout changes


@dataclass(frozen=True)
class RunDirectory:
    """A run directory, as it is."""

    path: Path

    def unit(self, unit: UnitId) -> UnitDirectory:
        """The folder of a unit; where several runs are viewed as one, in the run that has it."""
        folder = self.path / unit.kind / unit.digest
        return UnitDirectory(folder.resolve() if folder.is_symlink() else folder)

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def header_file(self) -> Path:
        return self.path / "run.json"

    @property
    def halt_file(self) -> Path:
        """Exists while the driver asks all units under way to pause after their step."""
        return self.path / "halt"

    @property
    def skipped_file(self) -> Path:
        return self.path / "skipped.json"

    def skipped(self) -> dict[str, str]:
        """The trials that the last driver skipped, each by its digest, and why."""
        return read_if_there(self.skipped_file, SENTENCES) or {}

    @property
    def splits_file(self) -> Path:
        return self.path / "splits.json"

    def splits(self) -> dict[str, str]:
        """How the first fold of each task is split, a sentence by the label of the task.

        Empty if the file is damaged: the next driver that loads the data writes it again.
        """
        try:
            return read_if_there(self.splits_file, SENTENCES) or {}
        except DamagedError:
            return {}

    @property
    def plugins_file(self) -> Path:
        return self.path / "plugins.json"

    def plugins(self) -> list[Plugin]:
        """The plug-ins that the last driver found and that units load.

        Empty if the file is damaged: the next driver writes it again.
        """
        try:
            record = read_if_there(self.plugins_file, PLUGINS) or {"plugins": []}
        except DamagedError:
            return []
        return [Plugin(**each) for each in record["plugins"]]

    def exists(self) -> bool:
        """Whether a run has been begun here."""
        return self.header_file.exists()

    def header(self) -> dict[str, Any]:
        """The content of run.json.

        Raises a UserError if there is none, or it has another version's layout.
        """
        file = self.header_file
        if not self.exists():
            why = "it holds no run.json" if self.path.exists() else "there is no such folder"
            if (self.path / "lock").exists():
                why += " yet; a run that has just begun needs a moment"
            raise UserError(f"{self.path} is no run directory: {why}")
        header = read_json(file)
        schema = header.get("schema")
        if type(schema) is not int:
            raise damaged(file, "it names no schema")
        check_schema(self.path, schema)
        if not isinstance(header.get("suite"), dict):
            raise damaged(file, "it holds no suite")
        return header

    def add_unit(self, unit: UnitId, spec: dict[str, Any]) -> UnitDirectory:
        """Make the folder of a unit, but not the run's. A unit that is damaged begins anew."""
        directory = self.unit(unit)
        try:
            directory.check()
            for row in directory.points():
                if row["kind"] == "policy":
                    directory.policy(row)
            directory.asked()
        except DamagedError as error:
            directory.set_aside()
            event = {"time": time.time(), "event": "set aside", "unit": str(unit)}
            append_line(self.events_file, {**event, "detail": str(error)})
        directory.set_unreadable_files_aside()
        if not directory.spec_file.exists():
            for folder in (directory.path.parent, directory.path, directory.path / "attempts"):
                folder.mkdir(exist_ok=True)
            write_json(directory.spec_file, spec)
        return directory


def plugin_record(plugins: Iterable[Plugin]) -> dict[str, Any]:
    """The content of plugins.json."""
    return {"plugins": [each._asdict() for each in plugins]}


def check_schema(path: Path, schema: int) -> None:
    """Raise a UserError if a directory has another layout than this version's."""
    if schema > SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, this version reads up to {SCHEMA}: "
            "update augbench, or choose another directory with --out"
        )
    if schema < SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, this version reads {SCHEMA} only: finish it with the "
            "version of augbench that wrote it, or choose another directory with --out"
        )
