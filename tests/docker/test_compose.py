"""compose.yaml against the parts of the Compose Specification that it uses."""

import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from ray.scripts.scripts import start

SIZES = {"kb": 2**10, "mb": 2**20, "gb": 2**30}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Strict):
    context: str
    dockerfile: str
    args: dict[str, str | int]


class Dependency(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Device(Strict):
    driver: str
    count: int | Literal["all"]
    capabilities: list[str] = Field(min_length=1)


class Reservations(Strict):
    devices: list[Device]


class Reserved(Strict):
    reservations: Reservations


class Deploy(Strict):
    replicas: int
    resources: Reserved | None = None


class Service(Strict):
    """Without `ports`, `privileged` and whatever else would open it: those are refused."""

    image: str
    build: Build
    environment: dict[str, str]
    secrets: list[str]
    volumes: list[str]
    shm_size: str = Field(pattern=r"^\d+(kb|mb|gb)$")
    init: bool
    cap_drop: list[str]
    security_opt: list[str]
    restart: str = Field(pattern=r"^(no|always|on-failure(:\d+)?|unless-stopped)$")
    command: list[str]
    depends_on: dict[str, Dependency] = {}
    deploy: Deploy | None = None


class Secret(Strict):
    environment: str


class Compose(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    node: Any = Field(alias="x-node")
    services: dict[str, Service]
    volumes: dict[str, None]
    secrets: dict[str, Secret]


class Override(Strict):
    services: dict[str, dict[Literal["deploy"], Deploy]]


@pytest.fixture(scope="module")
def model(compose: dict[str, Any]) -> Compose:
    return Compose.model_validate(compose)


def options(service: Service) -> dict[str, Any]:
    """The options of `ray start`, parsed as Ray parses them."""
    assert service.command[:2] == ["ray", "start"]
    return start.make_context("start", service.command[2:]).params


def test_what_services_refer_to_exists(model: Compose) -> None:
    for service in model.services.values():
        assert set(service.secrets) <= set(model.secrets)
        assert set(service.depends_on) <= set(model.services)
        assert {volume.partition(":")[0] for volume in service.volumes} <= set(model.volumes)


def test_all_nodes_see_one_folder_under_one_path(model: Compose, dockerfile: Any) -> None:
    (mounts,) = {tuple(service.volumes) for service in model.services.values()}
    (mount,) = mounts
    path = mount.partition(":")[2]
    assert path in [i.text for i in dockerfile if i.name == "WORKDIR"]


def test_units_are_as_nice_as_their_node(dockerfile: Any) -> None:
    assert any("RAY_worker_niceness=0" in i.text for i in dockerfile if i.name == "ENV")


def test_all_nodes_ask_for_the_token(model: Compose, dockerfile: Any) -> None:
    assert any("RAY_AUTH_MODE=token" in i.text for i in dockerfile if i.name == "ENV")
    for service in model.services.values():
        (secret,) = service.secrets
        assert service.environment == {"RAY_AUTH_TOKEN_PATH": f"/run/secrets/{secret}"}


def test_workers_join_the_head_when_it_answers(model: Compose) -> None:
    head, worker = options(model.services["head"]), options(model.services["worker"])
    assert head["head"]
    assert head["block"]
    assert worker["block"]
    assert worker["address"] == f"head:{head['port']}"
    assert model.services["worker"].depends_on["head"].condition == "service_healthy"
    assert model.services["worker"].deploy == Deploy(replicas=2)


def test_trials_run_on_workers_alone(model: Compose) -> None:
    head, worker = options(model.services["head"]), options(model.services["worker"])
    assert (head["num_cpus"], head["num_gpus"]) == (0, 0)
    assert worker["num_cpus"] >= 1


def test_the_object_store_fits_into_shared_memory(model: Compose) -> None:
    for service in model.services.values():
        number, unit = re.fullmatch(r"(\d+)(\w+)", service.shm_size).groups()  # type: ignore[union-attr]
        assert options(service)["object_store_memory"] <= int(number) * SIZES[unit]


def test_arguments_of_the_build_are_those_of_the_dockerfile(
    model: Compose, dockerfile: Any
) -> None:
    known = {i.text.partition("=")[0] for i in dockerfile if i.name == "ARG"}
    for service in model.services.values():
        assert set(service.build.args) == known


def test_gpus_are_in_one_worker_alone(model: Compose, compose_cuda: Any) -> None:
    override = Override.model_validate(compose_cuda)
    assert set(override.services) == {"worker"}
    assert override.services["worker"]["deploy"].replicas == 1
