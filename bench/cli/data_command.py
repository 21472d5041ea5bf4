"""`augbench data check`: what own data hold, and a suite to start from."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from augbench.bench.cli.starter_suite import SAFE, Starter, starter_suite, text

UNFIT = "a task cannot be made of it yet"
MOST_FOLDS = 3  # of the starter suite

data_app = typer.Typer(help="Look at data of your own before a suite uses them.")


class Checked(NamedTuple):
    """What is said of data, and what a suite is written of."""

    facts: list[str]
    oddities: list[str]
    starter: Starter


@data_app.callback()
def data() -> None:
    """Look at data of your own before a suite uses them."""


@data_app.command()
def check(
    path: Annotated[
        Path,
        typer.Argument(help="An .npz or .ts file, or a folder of recordings or of images."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a suite to start from to this file.")
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Another such file, or folder of images, all of which is tested."),
    ] = None,
    hours: Annotated[
        bool,
        typer.Option("--hours", help="Measure how long the suite takes, and write it there."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the data sets, which PATH and --test are relative to.",
        ),
    ] = None,
) -> None:
    """Say what data hold, what is odd about them, how they would be split; write a first suite.

    The exit code is 1 if no task can be made of them yet.

    \b
    augbench data check mine.npz
    augbench data check mine.npz --data data
    augbench data check my_nights -o nights.toml
    augbench data check my_pictures -o pictures.toml --hours
    augbench data check uea/FingerMovements_TRAIN.ts -o fingers.toml
    """
    from rich.console import Console

    from augbench.bench.terminal import print_line
    from augbench.datasets.errors import UserError

    if data is not None:
        path, test = data / path, None if test is None else data / test
    for given in (path, *([test] if test else [])):
        if not given.exists():
            raise UserError(
                f"there is no {given}: give an .npz file, a .ts file or a folder of recordings or "
                "of images"
            )
    if out is not None and (out.exists() or out.is_symlink()):
        raise UserError(f"{out} is there already: choose another name with -o")
    if hours and out is None:
        raise UserError("--hours is for a suite: name its file with -o, or leave out --hours")
    path = path.resolve()  # "." has no name
    console = Console()
    facts, oddities, starter = _check(path, test)
    for fact in facts:
        print_line(console, f"- {fact}")
    for oddity in oddities:
        print_line(console, f"- mind: {oddity}")
    unfit = any(oddity.startswith(UNFIT) for oddity in oddities)
    if out is not None:
        where = shlex.join([str(out), "--data", str(path.parent)])
        suite = starter_suite(starter, f"augbench plan {where} --hours")
        _write(out, suite)
        print_line(console, f"{out} is a suite to start from: augbench run {where}")
        if hours and not unfit:
            _write(out, f"{_hours_comment(out, path.parent)}{suite}")
            print_line(console, f"how long it takes stands at its beginning: {out}")
    if unfit:
        raise typer.Exit(1)


def _write(out: Path, suite: str) -> None:
    from augbench.datasets.errors import UserError, system_error

    try:
        out.write_text(suite, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write {out} ({system_error(error)}): choose another with -o"
        ) from None


def _hours_comment(out: Path, data: Path) -> str:
    """What `augbench plan --hours` says of a suite, as a comment of TOML."""
    from augbench.bench.cli.hours_table import measured_hours
    from augbench.bench.plan.suite import load_suite

    told = measured_hours(load_suite(out), (), data, "cpu")
    return "".join(f"# {line}".rstrip() + "\n" for line in told.splitlines())


def _check(path: Path, test: Path | None) -> Checked:
    from augbench.datasets.errors import UserError
    from augbench.datasets.image_folder.decode import SUFFIXES as IMAGES
    from augbench.datasets.recording.folder import SUFFIXES as RECORDINGS

    if path.name.lower().endswith((*RECORDINGS, *IMAGES)) and not path.is_dir():
        raise UserError(f"{path.name} is one recording or image: give the folder that it is in")
    if not path.is_dir():
        return _arrays(path, test)
    names = [name.lower() for _, _, files in os.walk(path) for name in files]
    if any(name.endswith(RECORDINGS) for name in names):
        if test is not None:
            raise UserError(
                "--test is for arrays and images: all recordings are in one folder, and folds are "
                "by subject"
            )
        return _recordings(path)
    if any(name.endswith(IMAGES) for name in names):
        return _images(path, test)
    raise UserError(
        f"there is no recording in {path} and no image: the formats are "
        f"{', '.join((*RECORDINGS, *IMAGES))}"
    )


def _arrays(path: Path, test: Path | None) -> Checked:
    from augbench.datasets.arrays import arrays
    from augbench.datasets.inspect_arrays import inspect_arrays
    from augbench.datasets.open_arrays import open_arrays, tested_beside
    from augbench.datasets.options.tasks import ArraysOptions

    tested = test or tested_beside(path)
    options = ArraysOptions(path=path.name, test_path=_beside(tested, path))
    file = open_arrays(options, path.parent)
    found = inspect_arrays(file)
    kind = "image" if len(file.members["x"].shape) == 4 else "eeg"
    lines = ['task = "arrays"', f"path = {text(path.name)}"]
    if options.test_path:
        lines.append(f"test_path = {text(options.test_path)}")
    if path.suffix == ".ts":
        lines.append("# sampling_rate = 100.0  # hertz, if you know it: the file does not say")
    return _of_task(
        Starter(_label(path), lines, 1, kind, SAFE[kind], None),
        [*found.facts],
        [*found.oddities],
        lambda: arrays(options, path.parent, 0),
    )


def _images(path: Path, test: Path | None) -> Checked:
    from dataclasses import replace

    from augbench.datasets.image_folder.inspect import inspect_images
    from augbench.datasets.images import find_labelled, images
    from augbench.datasets.options.tasks import ImagesOptions

    options = ImagesOptions(path=path.name, test_path=_beside(test, path))
    found = inspect_images(find_labelled(options, path.parent), path.parent)
    options = replace(options, size=found.size)
    lines = ['task = "images"', f"path = {text(path.name)}"]
    if options.test_path:
        lines.append(f"test_path = {text(options.test_path)}")
    if found.size is not None:
        lines.append(f"size = {found.size}  # pixels of a side, to which all are resized")
    lines.append("# group = '^[^/]+/[^_]+'  # the part of a path that says what belongs together")
    return _of_task(
        Starter(_label(path), lines, 1, "image", SAFE["image"], None),
        [*found.facts],
        [*found.oddities],
        lambda: images(options, path.parent, 0),
    )


def _beside(test: Path | None, path: Path) -> str:
    """The path of what is tested, relative to the folder of the data."""
    return "" if test is None else Path(os.path.relpath(test.resolve(), path.parent)).as_posix()


def _of_task(
    starter: Starter, facts: list[str], oddities: list[str], build: Callable[[], Any]
) -> Checked:
    """What a task that is built of the data adds; an oddity where none can be built."""
    from augbench.datasets.duplicates import count_duplicates
    from augbench.datasets.errors import UserError, counted
    from augbench.datasets.parts import describe_split, parts_of

    try:
        task = build()
        facts.append(describe_split(task, 0))
        facts.append(
            f"trunk (the network) {task.trunk}, {counted(len(task.transforms), 'transform')}"
        )
        n_twice = count_duplicates(task, 0)
        n_train = sum(parts_of(task, 0).train.n_by_class)
    except UserError as error:
        return Checked(facts, [*oddities, f"{UNFIT}: {error}"], starter)
    if n_twice:
        oddities.append(
            f"training or validation holds {counted(n_twice, 'example')} of the test, too: the "
            "scores will be too good; leave them out, or give groups"
        )
    n_folds = min(MOST_FOLDS, task.n_folds)
    known = starter._replace(n_folds=n_folds, transforms=task.transforms, n_train=n_train)
    return Checked(facts, oddities, known)


def _recordings(path: Path) -> Checked:
    from augbench.datasets.recording.inspect import SIDE_BY_SIDE, inspect_folder

    found = inspect_folder(path)
    lines = ['task = "recordings"', f"path = {text(path.name)}", "n_folds = 3"]
    if not found.has_subjects:
        lines.append('subject = "^.*"  # each file is a subject; give the part that names them')
    if found.events_suffix:
        lines.append(f"events_files = {text(found.events_suffix)}")
        words = "the part of both names that says what belongs together"
        lines.append(f'night = "^.{{{found.n_shared}}}"  # {words}')
    if found.event_seconds < SIDE_BY_SIDE:
        lines += ["window_seconds = 1.0", "offset_seconds = 0.0  # after the onset of each event"]
    lines += ["", f"[tasks.{_label(path)}.events]  # a class, and the text of its events"]
    lines += [_event_line(each) for each in found.texts] or ['# a = "the text"']
    starter = Starter(_label(path), lines, MOST_FOLDS, "eeg", SAFE["eeg"], None)
    return Checked(list(found.facts), list(found.oddities), starter)


def _event_line(event: str) -> str:
    """A class of the same name as its text; one with a question mark is left out, as not known."""
    return f"{'# ' * ('?' in event)}{text(event)} = {text(event)}"


def _label(path: Path) -> str:
    stem = path.resolve().stem.removesuffix("_TRAIN")
    return re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_") or "mine"
