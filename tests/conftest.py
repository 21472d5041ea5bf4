"""Where the tests find real data, and a cache that is not the user's."""

import os
from pathlib import Path

import pytest

# They take up to two minutes each and wait for other processes meanwhile.
LONGEST = (
    *("tests/bench/engines/", "tests/bench/unit/test_faults.py", "tests/test_claims.py"),
    *("tests/test_package.py", "tests/docker/test_two_nodes.py", "tests/bench/search/"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first: at the end, one of them alone would keep one core busy."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """AUGBENCH_DATA, or the folder shared/data beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("AUGBENCH_DATA", beside))
    if not root.is_dir():
        pytest.skip(f"no real data at {root}; AUGBENCH_DATA names another folder")
    return root


@pytest.fixture(scope="session")
def ssvep_root(data_root: Path) -> Path:
    """The data root, if the SSVEP recordings lie there."""
    if not (data_root / "ssvep_exo").is_dir():
        pytest.skip(f"no ssvep_exo under {data_root}")
    return data_root


@pytest.fixture(scope="session")
def cifar_root(data_root: Path) -> Path:
    """The data root, if the batches of CIFAR-10 lie there, or a part of each."""
    if not (data_root / "cifar-10-batches-py").is_dir():
        pytest.skip(f"no cifar-10-batches-py under {data_root}")
    return data_root


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["AUGBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def sleep_root(data_root: Path) -> Path:
    """The folder of real hypnograms and odd EDF files, if it is there."""
    if not (data_root / "sleep").is_dir():
        pytest.skip(f"no sleep under {data_root}")
    return data_root / "sleep"
