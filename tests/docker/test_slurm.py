"""slurm.sbatch, with programs in the place of Slurm, Ray and augbench that note their calls.

Each is a few lines of shell, so that this tests what the script does and takes no time.
"""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from ray.scripts.scripts import start
from typer.main import get_command

from augbench.bench.cli.command import app

JOB_ID = f"{os.getpid()}"

PROGRAMS = {
    "srun": """
        echo "srun $*" >>calls
        while [ "${1#--}" != "$1" ]; do shift; done
        exec "$@"
    """,
    "ray": """
        echo "ray $*" >>calls
        case "$1 $2" in
            "start --block")
                mkdir -p "${3#--temp-dir=}"
                dirname "${3#--temp-dir=}" >>folders
                echo "$RAY_worker_niceness" >>niceness
                stat -c %a "$RAY_AUTH_TOKEN_PATH" "$(dirname "${3#--temp-dir=}")" >>modes
                echo $$ >>pids
                touch started
                exec sleep 300 ;;
            "health-check --address")
                echo >>asked
                test -e started && test "$(wc -l <asked)" -gt 1 ;;
        esac
    """,
    "scancel": """
        echo "scancel $*" >>calls
        kill -TERM $(cat pids)
    """,
    "augbench": """
        trap 'exit 130' TERM
        until [ "$(wc -l <pids)" -ge "${RAYS:-2}" ]; do sleep 0.02; done
        echo "augbench $*" >>calls
        sleep "${SECONDS_OF_WORK:-0}" & wait
        exit "${STATUS:-0}"
    """,
}


class Job(NamedTuple):
    """A job in the folder from which it was handed in."""

    folder: Path
    start: Callable[..., subprocess.Popen[str]]

    def calls(self, program: str) -> list[str]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(program)]

    def leftovers(self) -> list[str]:
        """Processes of Ray that still live, its folders, and files with a token."""
        pids = (self.folder / "pids").read_text().split()
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        folders = [folder for folder in self.folders() if folder.exists()]
        return [*alive, *map(str, [*self.folder.glob(".ray-token*"), *folders])]

    def folders(self) -> list[Path]:
        """The folders that its nodes have made."""
        file = self.folder / "folders"
        return [Path(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def job(folder: Path, tmp_path: Path) -> Job:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/bash\n{body}")
        (programs / name).chmod(0o755)

    def begin(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        slurm = {
            "SLURM_JOB_ID": JOB_ID,
            "SLURM_JOB_NUM_NODES": "3",
            "SLURMD_NODENAME": "n1",
            "SLURM_CPUS_PER_TASK": "4",
            "AUGBENCH_HEAD_IP": "192.0.2.1",
        }
        return subprocess.Popen(
            ["bash", str(folder / "slurm.sbatch"), *arguments],
            cwd=tmp_path,
            env={**os.environ, **slurm, **environment},
            text=True,
        )

    return Job(tmp_path, begin)


def test_the_shell_can_read_it(folder: Path) -> None:
    words = ["bash", "-n", str(folder / "slurm.sbatch")]
    read = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_its_options_of_slurm_come_before_the_first_command(folder: Path) -> None:
    lines = (folder / "slurm.sbatch").read_text().splitlines()
    commands = [n for n, line in enumerate(lines) if line and not line.startswith("#")]
    options = {n: line for n, line in enumerate(lines) if line.startswith("#SBATCH")}
    assert max(options) < commands[0]  # Slurm reads no further
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+=\S+", line) for line in options.values())


@pytest.mark.parametrize(("status", "expected"), [("0", 0), ("1", 1), ("2", 2)])
def test_the_exit_code_is_that_of_the_driver(job: Job, status: str, expected: int) -> None:
    assert job.start("quickstart", STATUS=status).wait(timeout=60) == expected
    assert not job.leftovers()


def test_every_node_gets_one_ray_that_finds_the_head(job: Job) -> None:
    assert job.start("quickstart").wait(timeout=60) == 0
    head, workers = job.calls("srun")
    assert {"--nodes=1", "--ntasks=1", "--nodelist=n1"} <= set(head.split())
    assert {"--nodes=2", "--ntasks=2", "--exclude=n1"} <= set(workers.split())
    assert {"--cpus-per-task=4"} <= set(head.split()) & set(workers.split())
    parsed = [
        start.make_context("start", shlex.split(call)[1:]).params
        for call in job.calls("ray")
        if call.startswith("start")
    ]
    assert [each["head"] for each in parsed] == [True, False]
    assert parsed[1]["address"] == f"192.0.2.1:{parsed[0]['port']}"
    assert 20_000 <= parsed[0]["port"] < 30_000
    assert {each["num_cpus"] for each in parsed} == {4}
    assert len({each["temp_dir"] for each in parsed}) == 2
    assert not [each for each in job.folders() if JOB_ID in each.name]  # nobody can guess them


def test_the_driver_gets_the_address_a_slot_for_each_cpu_and_what_the_user_says(job: Job) -> None:
    assert job.start("ssvep", "--set", "seeds=[0,1]").wait(timeout=60) == 0
    (call,) = job.calls("augbench")
    _, *arguments = call.split()
    given = get_command(app).commands["run"].make_context("run", arguments).params  # type: ignore[attr-defined]
    assert given["address"].startswith("192.0.2.1:")
    assert given["workers"] == 12
    assert (str(given["suite"]), list(given["overrides"])) == ("ssvep", ["seeds=[0,1]"])


def test_with_gpus_there_is_a_slot_for_each_of_them(job: Job) -> None:
    assert job.start("cifar10", SLURM_GPUS_ON_NODE="2").wait(timeout=60) == 0
    assert "--workers 6" in job.calls("augbench")[0]
    assert all("--num-gpus=2" in call for call in job.calls("ray") if call.startswith("start"))


def test_only_the_owner_can_read_the_token_and_enter_the_folders(job: Job) -> None:
    assert job.start("quickstart").wait(timeout=60) == 0
    assert (job.folder / "modes").read_text().split() == ["600", "700"] * 2


def test_units_are_as_nice_as_the_job(job: Job) -> None:
    assert job.start("quickstart").wait(timeout=60) == 0
    assert (job.folder / "niceness").read_text().split() == ["0"] * 2


def test_a_file_that_somebody_else_has_put_there_gets_no_token(job: Job) -> None:
    """Under the name that the file would have if it followed from the number of the job."""
    foreign = job.folder / f".ray-token-{JOB_ID}"
    foreign.touch()
    assert job.start("quickstart").wait(timeout=60) == 0
    assert not foreign.read_text()


def test_one_node_needs_no_workers(job: Job) -> None:
    assert job.start("quickstart", SLURM_JOB_NUM_NODES="1", RAYS="1").wait(timeout=60) == 0
    (call,) = [call for call in job.calls("ray") if call.startswith("start")]
    assert "--head" in call.split()
    assert not job.leftovers()


def test_a_job_that_is_told_to_end_ends_the_driver_first_and_leaves_nothing(job: Job) -> None:
    process = job.start("quickstart", SECONDS_OF_WORK="300")
    deadline = time.monotonic() + 60
    while not (job.folder / "calls").exists() or not job.calls("augbench"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    assert not job.leftovers()


def test_a_head_that_cannot_start_ends_the_job(job: Job) -> None:
    (job.folder / ".venv" / "bin" / "ray").write_text("#!/bin/bash\necho no >&2\nexit 1\n")
    (job.folder / "pids").touch()
    assert job.start("quickstart").wait(timeout=60) == 1
    assert not job.leftovers()
    assert not job.calls("augbench")
