"""ray-cluster.yaml, as `ray up` of the pinned Ray checks it."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import start


@pytest.fixture(scope="module")
def prepared(ray_cluster: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = prepare_config(ray_cluster)
    return config


def test_ray_takes_it(prepared: dict[str, Any]) -> None:
    validate_config(prepared)
    (kind,) = prepared["available_node_types"].values()
    assert kind["min_workers"] == len(prepared["provider"]["worker_ips"])


def test_its_options_of_ray_start_exist(prepared: dict[str, Any]) -> None:
    head = parsed(prepared["head_start_ray_commands"][-1])
    worker = parsed(prepared["worker_start_ray_commands"][-1])
    assert head["head"]
    assert head["num_cpus"] == 0
    assert worker["address"] == f"$RAY_HEAD_IP:{head['port']}"


def test_nodes_share_a_folder_and_the_token_in_it(prepared: dict[str, Any]) -> None:
    options = dict(each.split("=", 1) for each in prepared["docker"]["run_options"])
    shared = options["--volume"].partition(":")[2]
    assert options["--env"].startswith(f"RAY_AUTH_TOKEN_PATH={shared}/")


def test_ray_stop_is_only_said_where_it_stays_in_a_container(
    folder: Path, prepared: dict[str, Any]
) -> None:
    assert prepared["docker"]["container_name"]
    for file in folder.iterdir():
        said = [
            line
            for line in file.read_text().splitlines()
            if line.partition("#")[0].strip(" -") == "ray stop"
        ]
        assert bool(said) == (file.name == "ray-cluster.yaml"), file.name


def parsed(command: str) -> dict[str, Any]:
    """The options of `ray start`, parsed as Ray parses them."""
    program, subcommand, *arguments = shlex.split(command)
    assert (program, subcommand) == ("ray", "start")
    return start.make_context("start", arguments).params
