"""Writes a merged run beside its place, and puts it there when it is whole."""

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from augbench.bench.merge.source import Source
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import Suite
from augbench.bench.plan.toml import toml
from augbench.bench.store.files import (
    ASIDE,
    BusyError,
    DamagedError,
    append_line,
    hold_lock,
    read_lines,
    replace_text,
    sync_folder,
    write_json,
)
from augbench.bench.store.origin import MERGED
from augbench.bench.store.provenance import provenance
from augbench.bench.store.run_directory import SCHEMA, RunDirectory, plugin_record
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError
from augbench.datasets.plugins import Plugin

SUITE_FILE = "suite.toml"


def check_same_merge(out: Path, contents: Sequence[str]) -> None:
    """Raise a UserError unless a folder is the merge of runs with these digests."""
    former: set[str] = set()
    try:
        first = next(read_lines(out / "events.jsonl"), {})
        if first.get("event") == MERGED:
            former = {str(source["content"]) for source in first["sources"]}
    except (DamagedError, KeyError, TypeError):
        pass  # it is no merge that we know
    if former != set(contents):
        what = (
            "is a merge of other runs, or of these as they were before"
            if former
            else "holds files, and is no merge"
        )
        raise UserError(f"{out} {what}: choose a new folder with -o")


def write_merged(
    out: Path,
    suite: Suite,
    sources: Sequence[Source],
    chosen: Mapping[UnitId, UnitDirectory],
    contents: Sequence[str],
) -> None:
    """Make the run beside its place, and put it there when it is whole.

    Raises a BusyError if another process does the same, a UserError if the place is taken.
    """
    draft = RunDirectory(out.with_name(f".{out.name}.merging"))
    try:
        draft.path.mkdir(parents=True, exist_ok=True)  # or left by a merge that was killed
    except OSError as error:
        reason = error.strerror
        raise UserError(f"cannot make {out}: {reason}; choose another folder with -o") from None
    try:
        with hold_lock(draft.path / "lock", f"another process merges runs into {out}"):
            _empty(draft.path)
            for unit, folder in chosen.items():
                _copy_unit(folder, draft.unit(unit).path)
            origins = [
                {"path": str(source.path.resolve()), "content": content}
                for source, content in zip(sources, contents, strict=True)
            ]
            write_records(draft, suite, sources, chosen, origins)
            try:
                draft.path.rename(out)
            except OSError as error:
                raise UserError(f"cannot put the merged run at {out}: {error.strerror}") from None
            sync_folder(out.parent)
    except BusyError:
        raise
    except BaseException:
        shutil.rmtree(draft.path, ignore_errors=True)  # it would keep a full disk full
        raise


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _copy_unit(source: UnitDirectory, target: Path) -> None:
    """Copy all but locks, drafts and what was set aside."""

    def left_behind(folder: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if name in ("lock", "starting.json") or name.startswith(".") or ASIDE in name
        ]

    try:
        shutil.copytree(source.path, target, ignore=left_behind, copy_function=_copy_file)
    except shutil.Error as error:  # a list of what went wrong
        file, _, reason = error.args[0][0]
        raise UserError(f"cannot copy {file}: {reason}") from None
    for folder, _, _ in os.walk(target):
        sync_folder(Path(folder))


def _copy_file(source: str, target: str) -> None:
    """A copy on the disk; no link, since files of unfinished units are appended to."""
    shutil.copy2(source, target)
    with Path(target).open("rb") as copy:
        os.fsync(copy.fileno())


def write_records(
    draft: RunDirectory,
    suite: Suite,
    sources: Sequence[Source],
    chosen: Mapping[UnitId, UnitDirectory],
    origins: Sequence[dict[str, str]],
) -> None:
    """Write the files of the run itself: what was merged, and what a driver would have written."""
    splits: dict[str, str] = {}
    skipped: dict[str, str] = {}
    plugins: dict[tuple[str, str], Plugin] = {}
    merged = {"time": time.time(), "event": MERGED, "sources": origins}
    append_line(draft.events_file, {**merged, **provenance(torch.device("cpu"))})
    for source in sources:
        splits = {**source.run.splits(), **splits}
        skipped |= source.run.skipped()
        plugins = {(each.group, each.name): each for each in source.run.plugins()} | plugins
        for event in read_lines(source.run.events_file):
            append_line(draft.events_file, event, sync=False)
    if splits:
        write_json(draft.splits_file, splits)
    if plugins:
        write_json(draft.plugins_file, plugin_record(plugins.values()))
    begun = {unit.digest for unit in chosen}
    skipped = {digest: reason for digest, reason in skipped.items() if digest not in begun}
    if skipped:
        write_json(draft.skipped_file, skipped)
    replace_text(draft.path / SUITE_FILE, toml(suite.resolved), sync=True)
    header = {"schema": SCHEMA, "name": suite.name, "suite": json.loads(json.dumps(suite.resolved))}
    write_json(draft.header_file, header)
