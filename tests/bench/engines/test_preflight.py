"""What nodes must share with the driver: each difference is one sentence that names the node."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.engines.preflight import (
    Node,
    check_nodes,
    inspect_node,
    new_token,
    processors,
    warn_oversubscribed,
)
from augbench.bench.plan.spec import TaskSpec
from augbench.datasets.errors import UserError, UserNotice

TASKS = [("digits", TaskSpec("digits", {"n_folds": 5}, 0))]


@pytest.fixture
def node(tmp_path: Path) -> tuple[str, Node]:
    """This machine as another one that is just like it."""
    token = new_token()
    return token, inspect_node(tmp_path, token, TASKS, tmp_path)._replace(name="far")


def complaint(folder: Path, token: str, node: Node) -> str:
    with pytest.raises(UserError) as raised:
        check_nodes(folder, TASKS, folder, [(token, node)])
    return str(raised.value)


def test_a_node_like_this_one_passes_and_leaves_nothing(
    node: tuple[str, Node], tmp_path: Path
) -> None:
    check_nodes(tmp_path, TASKS, tmp_path, [node])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": "3.9.1"}, "Python 3.9.1"),
        ({"libraries": {"torch": "1.0"}}, "torch 1.0"),
        ({"code": "0123456789ab"}, "other code of augbench"),
        ({"data": {"digits": "other"}}, "other data for task 'digits'"),
        ({"problem": "cannot write to /shared: Permission denied"}, "cannot write to /shared"),
    ],
)
def test_what_differs_is_named(
    change: dict[str, Any], said: str, node: tuple[str, Node], tmp_path: Path
) -> None:
    token, here = node
    sentence = complaint(tmp_path, token, here._replace(**change))
    assert "node far" in sentence
    assert said in sentence


def test_a_folder_that_is_not_shared_is_noticed(node: tuple[str, Node], tmp_path: Path) -> None:
    token, here = node
    (tmp_path / token).unlink()  # what the node wrote does not show here
    assert "has another" in complaint(tmp_path, token, here)


def test_gpus_of_several_models_are_warned_of(tmp_path: Path, recwarn: Any) -> None:
    def cluster(*gpus: tuple[str, ...]) -> list[tuple[str, Node]]:
        tokens = [new_token() for _ in gpus]
        nodes = [inspect_node(tmp_path, token, TASKS, tmp_path) for token in tokens]
        return [(t, n._replace(gpus=g)) for t, n, g in zip(tokens, nodes, gpus, strict=True)]

    check_nodes(tmp_path, TASKS, tmp_path, cluster(("A", "A"), ("A",), ()))
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"3 x A, 1 x B.*not comparable"):
        check_nodes(tmp_path, TASKS, tmp_path, cluster(("A", "A"), ("A", "B")))


def test_more_processors_than_there_are_is_said() -> None:
    there = processors()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_oversubscribed(there, 1.0)
    with pytest.warns(UserNotice, match=rf"more than the {there} of this machine"):
        warn_oversubscribed(there + 1, 1.0)
