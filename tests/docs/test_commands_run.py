"""Every command line of README and docs runs, in the order of its page, or a table says why not.

Each page has a folder of its own, in which what it names exists (tests/kit/page_folder.py).
"""

import os
import re
import shlex
from pathlib import Path

import pytest

import forked
from installed import install
from page_folder import RUN, prepare
from pages import PAGES, PYTHON, commands, other_commands
from runs import run_inline

TWO = "--set 'methods={none={}, random_policy={n_policies=1}}' --set folds=1"
SSVEP = f"{TWO} --set searches={{}} --set tasks.ssvep.training.epochs=1"
QUICK = f"{TWO} --set tasks.sinusoids.training.epochs=1 --set tasks.digits.training.epochs=1"
WAVES = "--engine inline --set folds=1 --set tasks.sinusoids.training.epochs=2"
STOPPED = "--engine inline --stop-after 1e-9"  # nothing is trained; the exit code is 1
# What is run in the place of what would take minutes or days: the page's words, and more. Where an
# option stands twice, the last one counts.
SHORTENED = {
    "plan ssvep --data data --hours": f"plan ssvep --data data --hours {SSVEP}",
    "run ssvep --data data": f"run ssvep --data data --engine inline {SSVEP}",
    "reproduce fig5": f"reproduce fig5 {STOPPED}",
    "reproduce range": f"reproduce range {STOPPED}",
    "reproduce fig8 --task ssvep --data data": (
        f"reproduce fig8 --task ssvep --data data {STOPPED}"
    ),
    "run quickstart --log tensorboard --log mlflow": (
        f"run quickstart --log tensorboard --log mlflow --out runs/logged --engine inline {QUICK}"
    ),
    "run quickstart": f"run quickstart {STOPPED}",
    # Without the page's --workers, which are for Ray.
    "run my.toml --set 'seeds=[0,1,2]' --workers 4": (
        f"run my.toml --set 'seeds=[0,1,2]' --engine inline {QUICK}"
    ),
    "search sinusoids --method three --param lambda --space log:0.01:50 --trials 20": (
        "search sinusoids --method three --param lambda --space log:0.01:50 --trials 2 " + WAVES
    ),
    "run sinusoids --with runs/sinusoids-three-search/best.toml": (
        f"run sinusoids --with runs/sinusoids-three-search/best.toml {WAVES}"
    ),
    "simulate-nights data/simulated --layout mass --nights 20": (
        "simulate-nights data/simulated --layout mass --nights 2 --hours 0.1"
    ),
    "simulate-nights data/sleep_edf --layout sleep-edf --nights 20 --hours 2": (
        "simulate-nights data/sleep_edf --layout sleep-edf --nights 2 --hours 0.1"
    ),
}
NOT_RUN = {
    "fetch sleep_edf --data data --only 'SC40*'": "downloads 2 GB",
    "reproduce fig7 --scale paper --address auto --out /shared/runs/paper": (
        "days on a cluster of GPUs; tests/bench/engines/test_cluster.py joins one"
    ),
    "run ssvep --address auto --workers 2": (
        "joins the cluster of compose.yaml; tests/docker/test_two_nodes.py has two nodes"
    ),
    "search sinusoids --method three --param lambda --space log:0.01:50 --backend tune": (
        "starts a Ray of its own; tests/bench/search/test_tune.py does so"
    ),
}
IMAGE = "needs a daemon of Docker; tests/docker reads these files and rehearses their steps"
CLUSTER = "needs a cluster; tests/docker reads the file that it starts"
NETWORK = "downloads packages, into the environment of the tests"
OTHERS_NOT_RUN = {
    "make demo": "downloads packages; tests/bench/cli/test_quick_start.py has the rest",
    "make test": "is what runs this test",
    "make speed": "minutes of measurements, by hand",
    "make soak": "half an hour, by hand",
    "pip install --no-deps --target /tmp/vision torchvision": NETWORK,
    "pip install -e '.[sinks]'": NETWORK,
    "pip install tensorboard": NETWORK,
    "pip install mlflow": NETWORK,
    "tensorboard --logdir runs/quickstart/logs/tensorboard": "is a server, of another project",
    "mlflow ui --backend-store-uri sqlite:///runs/quickstart/logs/mlflow/mlflow.db": (
        "is a server, of another project"
    ),
    "wandb sync runs/quickstart/logs/wandb/wandb/offline-run-*": "needs an account",
    "docker build -f docker/Dockerfile -t augbench:cpu .": IMAGE,
    "docker build -f docker/Dockerfile -t augbench:cuda --build-arg DEVICE=cuda .": IMAGE,
    "docker compose -f docker/compose.yaml up --build --wait": IMAGE,
    "docker compose -f docker/compose.yaml cp head:/shared/runs ./runs": IMAGE,
    "ray up docker/ray-cluster.yaml": CLUSTER,
    "ray exec docker/ray-cluster.yaml 'augbench run ssvep --address auto --workers 16'": CLUSTER,
    "ray down docker/ray-cluster.yaml": CLUSTER,
    "kubectl create -f docker/rayjob.yaml": CLUSTER,
    "kubectl get rayjobs": CLUSTER,
    "sbatch --nodes=4 --cpus-per-task=16 docker/slurm.sbatch ssvep --data data": CLUSTER,
}
OUTPUT = {"suites quickstart": "my.toml"}  # the page has `> my.toml`
REAL_EEG = re.compile(r"^(fetch|check) ssvep|ssvep .*--data data")
# The tests that run the blocks of Python of each page.
BLOCKS = {
    "library.md": "test_library_page.py",
    "own-method.md": "test_own_method.py",
    "policies.md": "test_policies_page.py",
    "running.md": "test_running_page.py",
    "suites.md": "test_suites_page.py",
}
RUNNABLE = [(page, words) for page, words in commands() if words not in NOT_RUN]


class Page:
    """A folder in which the commands of a page run one after the other, each once."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self.folder = name, folder
        self._results: dict[str, tuple[int, str]] = {}

    def result(self, wanted: str, *, real: bool) -> tuple[int, str]:
        """The exit code and the output of a command, after all that stand above it."""
        for page, words in RUNNABLE:
            if wanted in self._results:
                break
            here = page == self._name and words not in self._results
            if here and (real or not REAL_EEG.search(words)):
                self._results[words] = self._run(words)
        return self._results[wanted]

    def _run(self, words: str) -> tuple[int, str]:
        if words == "check my_method":  # the page: after `pip install -e augbench-my_method`
            install(self.folder / "augbench-my_method", self.folder)
        keys = ("AUGBENCH_DATA", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE")
        environment = {key: value for key, value in os.environ.items() if key not in keys}
        environment["PYTHONPATH"] = f"{environment.get('PYTHONPATH', '')}{os.pathsep}{self.folder}"
        arguments = shlex.split(SHORTENED.get(words, words))
        done = forked.run([*forked.COMMAND, *arguments], environment)
        if words in OUTPUT:
            (self.folder / OUTPUT[words]).write_text(done.stdout)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of RUN."""
    return run_inline(RUN, tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """The pages that have been begun in this process."""
    return {}


@pytest.mark.parametrize(("page", "words"), RUNNABLE)
def test_the_command_runs(
    page: str,
    words: str,
    pages: dict[str, Page],
    finished: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside = Path(__file__).parents[3] / "shared" / "data"
    data = Path(os.environ.get("AUGBENCH_DATA", beside)).absolute()
    real = (data / "ssvep_exo").is_dir()
    if REAL_EEG.search(words) and not real:
        request.getfixturevalue("ssvep_root")  # skips with its reason
    if "wandb" in words:
        pytest.importorskip("wandb")
    if page not in pages:
        folder = tmp_path_factory.mktemp("page")
        prepare(folder, page, data if real else None, finished)
        pages[page] = Page(page, folder)
    monkeypatch.chdir(pages[page].folder)
    code, output = pages[page].result(words, real=real)
    stopped = SHORTENED.get(words, words).endswith(STOPPED)
    assert code == stopped, output


def test_the_tables_name_commands_of_the_pages_alone() -> None:
    found = {words for _, words in commands()}
    assert {*SHORTENED, *NOT_RUN, *OUTPUT} <= found
    assert not SHORTENED.keys() & NOT_RUN.keys()


def test_every_other_program_of_the_pages_stands_in_its_table() -> None:
    assert {words for _, words in other_commands()} == set(OTHERS_NOT_RUN)


def test_every_page_with_python_has_a_test_that_runs_its_blocks() -> None:
    pages = {page.name for page in PAGES if PYTHON.search(page.read_text(encoding="utf-8"))}
    assert pages == set(BLOCKS)
    for page, test in BLOCKS.items():
        assert page in (Path(__file__).parent / test).read_text(encoding="utf-8")
