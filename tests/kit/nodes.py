"""A Ray cluster of real nodes on this machine, as `from nodes import ...`."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from processes import wait_until


def _free_port(host: str) -> int:
    """One that no connection takes by itself meanwhile: the system gives out those from 32,768."""
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind((host, 20_000 + secrets.randbelow(10_000)))
            return int(listener.getsockname()[1])


class Nodes:
    """The nodes of a Ray cluster, each in its own process group, so that it can be killed whole."""

    def __init__(self, host: str = "127.0.0.1", **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="augbench-nodes-", dir="/tmp"))  # short
        self.host = host
        self.address = f"{host}:{_free_port(host)}"
        self.environment = {
            **os.environ,
            **environment,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # or a busy machine starves the units
            # Ray listens on all addresses of this machine.
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
        self.environment.pop("RAY_ADDRESS", None)
        self.running: list[subprocess.Popen[bytes]] = []
        port = self.address.partition(":")[2]
        self.start("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false")

    def start(
        self, *arguments: str, host: str | None = None, within: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a node and wait until Ray says that it runs.

        Without ``host`` it has the head's address. The command ``within`` starts it.
        """
        log = self.folder / f"log-{len(self.running)}"
        words = [
            *within,
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "start",
            "--block",
            *arguments,
        ]
        words += [f"--node-ip-address={host or self.host}", f"--object-store-memory={80 * 2**20}"]
        if "--head" in arguments:
            words += [f"--temp-dir={self.folder}"]
        with log.open("w") as file:
            process = subprocess.Popen(
                words, env=self.environment, stdout=file, stderr=file, start_new_session=True
            )
        self.running.append(process)
        wait_until(lambda: "Ray runtime started" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        return process

    def worker(
        self, host: str | None = None, within: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """A node for one unit at a time, with a folder of its own as docker/slurm.sbatch has it."""
        return self.start(
            f"--address={self.address}",
            "--num-cpus=1",
            f"--temp-dir={self.folder}/{len(self.running)}",
            host=host,
            within=within,
        )

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a node with all its processes, as a power cut would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def close(self) -> None:
        for process in reversed(list(self.running)):
            self.kill(process)
        shutil.rmtree(self.folder, ignore_errors=True)
