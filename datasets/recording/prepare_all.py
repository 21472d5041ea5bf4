"""Prepares many recordings at the same time, in processes of their own.

This module is both ends of a pipe: `prepare_all` starts it as a program (``python -m``) and sends
recordings to it. Such a process loads MNE but no torch, and does not import the program of the
user, as those of `multiprocessing` do.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from augbench.datasets.cache import CacheError, cache_folder
from augbench.datasets.errors import UserError, counted
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.prepare import NAME, Prepared, find_prepared, prepare

NIGHT_BYTES = 1 << 30  # of memory; a night of 6 channels at 256 Hz takes 0.6 GB while prepared

Process = subprocess.Popen[str]


def prepare_all(sources: Sequence[Source], how: Preparation) -> list[Prepared]:
    """Prepare the recordings that the cache lacks, and map all of them.

    A progress bar on stderr counts them. What is prepared is kept when others fail or the program
    is stopped. Raises the UserError of the first recording that has one, and says how many more
    have; where the cache cannot be written, at once.
    """
    found = [find_prepared(source, how) for source in sources]
    missing = [source for source, each in zip(sources, found, strict=True) if each is None]
    if len(missing) > 1:
        with _one_at_a_time():
            left = [source for source in missing if find_prepared(source, how) is None]
            if left:
                _fill_cache(left, how)
    return [
        prepare(source, how) if each is None else each
        for source, each in zip(sources, found, strict=True)
    ]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait until no other process of this machine fills the cache: it uses all cores itself."""
    try:
        import fcntl

        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{NAME}.lock").open("ab")
    except (OSError, ImportError):  # the cache itself says what is wrong; Windows has no fcntl
        yield
        return
    with lock:
        with suppress(OSError):  # some network disks have no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill_cache(sources: Sequence[Source], how: Preparation) -> None:
    n_processes = min(len(sources), _n_at_once())
    processes = [_start(how) for _ in range(n_processes)]
    idle: SimpleQueue[Process] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def ask(source: Source) -> str | None:
        process = idle.get()
        try:
            return _ask(process, source)
        finally:
            idle.put(process)

    threads = ThreadPoolExecutor(n_processes)
    errors = []
    try:
        with _progress(len(sources)) as count:
            for error in threads.map(ask, sources):
                count()
                if error is not None:
                    errors.append(error)
    finally:
        # First the processes, on which the threads wait.
        for process in processes:
            process.kill()
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.communicate()
    if errors:
        more = (
            f" (faults in {counted(len(errors) - 1, 'more recording')})" if len(errors) > 1 else ""
        )
        raise UserError(f"{errors[0]}{more}")


def _n_at_once() -> int:
    """As many as this process may use processors, and as the machine has room for."""
    n_cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return n_cores
    return max(1, min(n_cores, n_bytes // NIGHT_BYTES))


@contextmanager
def _progress(n: int) -> Iterator[Callable[[], None]]:
    """Show how many of n recordings are done; gives the function that counts one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"augbench: preparing {counted(n, 'recording')}", file=sys.stderr, flush=True)
        yield lambda: None
        return
    columns = ("preparing recordings", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=n)
        yield lambda: bar.advance(task)


def _start(how: Preparation) -> Process:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the program that waits, which ends this one
        # The same modules as here, in the same order.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
    )
    with suppress(BrokenPipeError):  # whoever asks it for a recording hears that it died
        _send(process, asdict(how))
    return process


def _send(process: Process, record: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(record) + "\n")
    process.stdin.flush()


def _ask(process: Process, source: Source) -> str | None:
    """Let a process prepare a recording; the sentence of a UserError, if there is one.

    Raises UserError where no recording can be kept, and where the process dies.
    """
    record = {name: None if each is None else str(each) for name, each in source._asdict().items()}
    answer = ""
    with suppress(BrokenPipeError):
        _send(process, record)
        assert process.stdout
        answer = process.stdout.readline()
    if not answer:
        code = process.wait()
        died = f"the process that prepared {source.name} died (exit code {code})"
        if code == -signal.SIGKILL:  # by the system, most likely
            raise UserError(f"{died}, as it does where memory runs out: free some and start again")
        raise RuntimeError(died)
    error, stops = json.loads(answer)
    if stops:
        raise UserError(error)
    return error if error is None else str(error)


def _serve() -> None:
    """Prepare the recordings that come in on stdin, until it closes."""
    how = _preparation(json.loads(sys.stdin.readline()))
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        record = json.loads(line)
        source = Source(
            record["name"],
            record["subject"],
            Path(record["signals"]),
            None if record["events"] is None else Path(record["events"]),
        )
        answer: tuple[str | None, bool] = (None, False)
        try:
            prepare(source, how)
        except UserError as error:
            answer = (str(error), isinstance(error, CacheError))
        print(json.dumps(answer), file=answers, flush=True)


def _preparation(record: dict[str, Any]) -> Preparation:
    return Preparation(**{**record, "channels": tuple(record["channels"])})


if __name__ == "__main__":
    _serve()
