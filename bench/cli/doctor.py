"""What `augbench doctor` looks at: each check says what it found and, where needed, what to do."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from augbench.bench.engines.preflight import processors
from augbench.bench.engines.ray_folder import PARENT

LEAST_SPACE = 2  # gigabytes of a folder that fills
LEAST_SHARED_MEMORY = 0.5  # gigabytes that Ray needs in /dev/shm
NVIDIA = Path("/proc/driver/nvidia/version")
DATA_SETS = {  # folders below the data folder, and the task that reads each
    "ssvep_exo": "ssvep",
    "cifar-10-batches-py": "cifar10",
    "sleep_edf": "sleep_edf",
    "mass": "mass",
    "simulated": "simulated",
}


class Finding(NamedTuple):
    """What a check has found."""

    state: Literal["good", "note", "problem"]
    about: str
    text: str  # and what to do about it


def findings(data: Path, runs: Path) -> Iterator[Finding]:
    """All findings, one after the other; ``runs`` is the folder that run directories are made in.

    It imports torch, and neither Ray nor what reads data.
    """
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _system,
        _package,
        _plugins,
        _torch,
        _ray,
        _threads,
        lambda: _data(data),
        lambda: _folders(runs),
        _browser,
    )
    for check in checks:
        yield from check()


def _system() -> Iterator[Finding]:
    text = f"{sys.version.split()[0]} on {sys.platform}"
    if os.name != "posix":
        yield Finding("problem", "Python", f"{text}: augbench needs Linux or macOS; use WSL")
    else:
        yield Finding("good", "Python", text)


def _package() -> Iterator[Finding]:
    import augbench.datasets

    ours = Path(augbench.datasets.__file__ or "").parent
    yield Finding("good", "augbench", f"{_version('augbench')} in {ours.parent}")
    other = find_spec("datasets")
    if other is not None and other.origin and Path(other.origin).parent.resolve() == ours.resolve():
        yield Finding(
            "note",
            "datasets",
            f"`import datasets` finds {ours}, for the current folder is augbench's own: start "
            "Python elsewhere to import Hugging Face's package of that name",
        )


def _plugins() -> Iterator[Finding]:
    from augbench.bench.cli.added_commands import command_faults
    from augbench.bench.cli.command import app
    from augbench.datasets import known_tasks
    from augbench.datasets.entry_points import unreadable_packages
    from augbench.methods import known_methods
    from augbench.methods.transforms.bank import known_transforms

    for package in unreadable_packages():
        text = f"the entry points of {package} cannot be read, so it adds nothing: install it again"
        yield Finding("note", "plug-ins", text)
    for table in (known_methods(), known_tasks(), known_transforms()):
        faults = table.faults()
        for name in table.names_of_packages():
            if name not in faults:
                yield Finding("good", "plug-ins", str(table.plugin(name)))
        for fault in faults.values():
            yield Finding("note", "plug-ins", fault)
    for fault in command_faults(app).values():
        yield Finding("note", "plug-ins", fault)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("problem", "torch", f"cannot be imported ({error}): install it again")
        return
    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
    yield Finding("good", "torch", f"{torch.__version__}, built {build}")
    if not torch.cuda.is_available():
        if NVIDIA.exists():
            why = "its CUDA does not fit the driver" if torch.version.cuda else "it is for CPUs"
            yield Finding(
                "problem",
                "GPU",
                f"there is an NVIDIA driver, but torch sees no GPU: {why}; install the build that "
                "pytorch.org names for your driver",
            )
        else:
            yield Finding("good", "GPU", "none; units run on processors")
    for number in range(torch.cuda.device_count()):
        free, total = (each / 2**30 for each in torch.cuda.mem_get_info(number))
        text = f"{torch.cuda.get_device_name(number)}, {free:.0f} of {total:.0f} GiB free"
        if free < total / 2:
            yield Finding("note", "GPU", f"{text}: another program uses it")
        else:
            yield Finding("good", "GPU", text)


def _ray() -> Iterator[Finding]:
    if find_spec("ray") is None:
        text = "not installed: --engine inline works, in one process; pip install 'ray[tune]'"
        yield Finding("note", "Ray", text)
        return
    yield Finding("good", "Ray", _version("ray"))
    shared = Path("/dev/shm")
    if shared.is_dir():
        free = shutil.disk_usage(shared).free / 2**30
        if free < LEAST_SHARED_MEMORY:
            text = f"{free:.1f} GiB free in {shared}: in a container give --shm-size=1g"
            yield Finding("problem", "shared memory", text)
    if not _can_write(PARENT):
        text = f"{PARENT} cannot be written, where Ray makes its sockets: use --engine inline"
        yield Finding("problem", "Ray", text)
    if os.environ.get("RAY_ADDRESS"):
        text = f"RAY_ADDRESS is {os.environ['RAY_ADDRESS']}: only `--address auto` joins it"
        yield Finding("note", "Ray", text)


def _threads() -> Iterator[Finding]:
    n = processors()
    yield Finding("good", "processors", f"{n}; --workers {n} keeps them busy")
    busy = os.getloadavg()[0]
    if busy > n / 2:
        text = f"{busy:.1f} processes want them now: hours that are measured here are too long"
        yield Finding("note", "load", text)


def _data(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        text = f"there is no folder {data}: name it with --data or AUGBENCH_DATA; `augbench fetch`"
        text += " fills it"
        yield Finding("note", "data", text)
        return
    found = [task for folder, task in DATA_SETS.items() if (data / folder).is_dir()]
    what = f"has data of {', '.join(found)}" if found else "has none of the data sets that we know"
    yield Finding("good", "data", f"{data} {what}")


def _folders(runs: Path) -> Iterator[Finding]:
    from augbench.datasets.cache import cache_folder

    for about, folder, how in (
        ("runs", runs, "--out"),
        ("cache", cache_folder(), "AUGBENCH_CACHE"),
        ("temporary folder", Path(tempfile.gettempdir()), "TMPDIR"),
    ):
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        if not there.is_dir() or not _can_write(there):
            text = f"{folder} cannot be written: choose another with {how}"
            yield Finding("problem", about, text)
            continue
        free = shutil.disk_usage(there).free / 2**30
        if free < LEAST_SPACE:
            text = f"{folder} has {free:.1f} GiB left: make room, or choose another with {how}"
            yield Finding("problem", about, text)
        else:
            yield Finding("good", about, f"{folder} can be written, {free:.0f} GiB free")


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _browser() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "firefox"))), None)
    if found is None:
        text = "none here: reports are files, open them on another machine (tests of the page skip)"
        yield Finding("note", "browser", text)
    else:
        yield Finding("good", "browser", found)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
