"""rayjob.yaml against the parts of KubeRay's and Kubernetes' schemas that it uses."""

import shlex
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from ray.scripts.scripts import start
from typer.main import get_command

from augbench.bench.cli.command import app

Quantity = dict[str, str]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Mount(Strict):
    name: str
    mountPath: str  # noqa: N815 Kubernetes spells them so


class Port(Strict):
    name: str = Field(max_length=15)
    containerPort: int  # noqa: N815


class Resources(Strict):
    limits: Quantity
    requests: Quantity


class Capabilities(Strict):
    drop: list[str]


class ContainerSecurity(Strict):
    allowPrivilegeEscalation: Literal[False]  # noqa: N815
    capabilities: Capabilities


class Container(Strict):
    name: str
    image: str
    ports: list[Port]
    resources: Resources
    securityContext: ContainerSecurity  # noqa: N815
    volumeMounts: list[Mount]  # noqa: N815


class Claim(Strict):
    claimName: str  # noqa: N815


class Volume(Strict):
    name: str
    persistentVolumeClaim: Claim  # noqa: N815


class Seccomp(Strict):
    type: Literal["RuntimeDefault", "Localhost", "Unconfined"]


class PodSecurity(Strict):
    runAsNonRoot: Literal[True]  # noqa: N815
    runAsUser: int = Field(gt=0)  # noqa: N815
    runAsGroup: int  # noqa: N815
    fsGroup: int  # noqa: N815
    fsGroupChangePolicy: Literal["OnRootMismatch", "Always"]  # noqa: N815
    seccompProfile: Seccomp  # noqa: N815


class Pod(Strict):
    securityContext: PodSecurity  # noqa: N815
    automountServiceAccountToken: bool  # noqa: N815
    containers: list[Container] = Field(min_length=1)
    volumes: list[Volume]


class Template(Strict):
    spec: Pod


class HeadGroup(Strict):
    rayStartParams: dict[str, str]  # noqa: N815 strings all: KubeRay joins them into a command
    template: Template


class WorkerGroup(HeadGroup):
    groupName: str  # noqa: N815
    replicas: int
    minReplicas: int  # noqa: N815
    maxReplicas: int  # noqa: N815


class Auth(Strict):
    mode: Literal["token"]


class Cluster(Strict):
    rayVersion: str  # noqa: N815
    authOptions: Auth  # noqa: N815
    headGroupSpec: HeadGroup  # noqa: N815
    workerGroupSpecs: list[WorkerGroup] = Field(min_length=1)  # noqa: N815


class Spec(Strict):
    entrypoint: str
    backoffLimit: int = Field(ge=0)  # noqa: N815
    shutdownAfterJobFinishes: bool  # noqa: N815
    ttlSecondsAfterFinished: int = Field(ge=0)  # noqa: N815
    rayClusterSpec: Cluster  # noqa: N815


class Metadata(Strict):
    generateName: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")  # noqa: N815


class RayJob(Strict):
    apiVersion: Literal["ray.io/v1"]  # noqa: N815
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: Spec


@pytest.fixture(scope="module")
def job(rayjob: dict[str, Any]) -> RayJob:
    return RayJob.model_validate(rayjob)


@pytest.fixture(scope="module")
def groups(job: RayJob) -> list[HeadGroup]:
    cluster = job.spec.rayClusterSpec
    return [cluster.headGroupSpec, *cluster.workerGroupSpecs]


def test_its_options_of_ray_start_exist(groups: list[HeadGroup]) -> None:
    known = {option for parameter in start.params for option in parameter.opts}
    for group in groups:
        assert {f"--{name}" for name in group.rayStartParams} <= known


def test_all_pods_mount_one_claim_where_the_image_expects_it(
    groups: list[HeadGroup], dockerfile: Any
) -> None:
    volumes = {
        tuple(volume.persistentVolumeClaim.claimName for volume in pod.volumes)
        for pod in (group.template.spec for group in groups)
    }
    assert volumes == {("augbench",)}
    mounts = {
        (mount.name, mount.mountPath)
        for group in groups
        for container in group.template.spec.containers
        for mount in container.volumeMounts
    }
    assert mounts == {("shared", "/shared")}
    assert "/shared" in [i.text for i in dockerfile if i.name == "WORKDIR"]


def test_pods_run_as_the_user_of_the_image(groups: list[HeadGroup], dockerfile: Any) -> None:
    defaults = dict(i.text.split("=", 1) for i in dockerfile if i.name == "ARG")
    for group in groups:
        security = group.template.spec.securityContext
        assert security.runAsUser == int(defaults["UID"])
        assert security.runAsGroup == security.fsGroup == int(defaults["GID"])


def test_trials_run_on_workers_alone_and_fit_them(job: RayJob, groups: list[HeadGroup]) -> None:
    arguments = parsed(job.spec.entrypoint)
    head, *workers = groups
    assert head.rayStartParams["num-cpus"] == "0"
    (container,) = workers[0].template.spec.containers
    replicas = job.spec.rayClusterSpec.workerGroupSpecs[0].replicas
    assert arguments["workers"] == replicas * int(container.resources.limits["cpu"])


def test_its_command_is_one_that_we_have(job: RayJob) -> None:
    arguments = parsed(job.spec.entrypoint)
    assert arguments["address"] == "auto"
    assert str(arguments["out"]).startswith("/shared/")


def parsed(command: str) -> dict[str, Any]:
    """The options of `augbench run`, parsed as we parse them."""
    program, subcommand, *arguments = shlex.split(command)
    assert program == "augbench"
    known = get_command(app).commands  # type: ignore[attr-defined]
    parameters: dict[str, Any] = known[subcommand].make_context(subcommand, arguments).params
    return parameters
