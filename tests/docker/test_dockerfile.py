"""What a linter of Dockerfiles would ask, and what this one promises."""

import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ray.scripts.scripts import cli

ROOT = Path(__file__).parents[2]


def texts(dockerfile: Any, name: str) -> list[str]:
    return [instruction.text for instruction in dockerfile if instruction.name == name]


def test_its_base_is_pinned(dockerfile: Any) -> None:
    (base,) = texts(dockerfile, "FROM")
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+-[\w.-]+", base), base


def test_it_is_for_cpus_unless_told_and_refuses_what_it_does_not_know(dockerfile: Any) -> None:
    (device,) = [text for text in texts(dockerfile, "ARG") if text.startswith("DEVICE=")]
    (choice,) = [text for text in texts(dockerfile, "RUN") if "$DEVICE" in text]
    assert device == "DEVICE=cpu"
    run = ["sh", "-c", choice.replace("pip install", "echo pip install")]
    for name, expected in (("cpu", "whl/cpu torch"), ("cuda", "-c constraints.txt torch")):
        done = subprocess.run(run, env={"DEVICE": name}, capture_output=True, text=True, check=True)
        assert done.stdout.strip().endswith(expected)
    refused = subprocess.run(
        run, env={"DEVICE": "tpu"}, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "known: cpu, cuda" in refused.stderr


def test_it_ends_as_a_user_without_rights(dockerfile: Any) -> None:
    defaults = dict(text.split("=", 1) for text in texts(dockerfile, "ARG"))
    (user,) = texts(dockerfile, "USER")
    assert user == "$UID:$GID"  # by number: Kubernetes cannot tell that a name is not root
    assert int(defaults["UID"]) > 0
    after = [i.name for i in dockerfile[[i.name for i in dockerfile].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after)


def test_its_health_is_asked_by_a_command_that_ray_has(dockerfile: Any) -> None:
    (check,) = texts(dockerfile, "HEALTHCHECK")
    program, command, *options = json.loads(check.partition("CMD ")[2])
    assert (program, options) == ("ray", [])
    assert command in cli.commands


def test_what_pip_installs_is_pinned_and_leaves_no_cache(dockerfile: Any) -> None:
    installs = [
        part
        for text in texts(dockerfile, "RUN")
        for part in text.split("&&")
        if "pip install" in part
    ]
    assert len(installs) == 3
    for install in installs:
        assert "--no-cache-dir" in install
        assert "-c constraints.txt" in install
        assert "==" not in install


def test_what_apt_installs_leaves_no_lists(dockerfile: Any) -> None:
    for text in texts(dockerfile, "RUN"):
        if "apt-get" in text:
            assert re.match(r"apt-get update .*--no-install-recommends.* rm -rf /var/lib/apt", text)


def test_every_argument_is_used_after_it_is_declared(dockerfile: Any) -> None:
    for number, instruction in enumerate(dockerfile):
        if instruction.name == "ARG":
            name = instruction.text.partition("=")[0]
            later = " ".join(i.text for i in dockerfile[number + 1 :])
            assert re.search(rf"\$\{{?{name}\b", later), name


def test_commands_are_in_the_form_that_needs_no_shell(dockerfile: Any) -> None:
    (command,) = texts(dockerfile, "CMD")
    assert json.loads(command)[0] == "augbench"
    assert not texts(dockerfile, "ADD")
    assert not texts(dockerfile, "ENTRYPOINT")  # KubeRay and `ray up` bring commands of their own


def test_the_build_sees_the_package_and_nothing_else(project: Any) -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    def seen(path: str) -> bool:
        kept = True
        for rule in rules:  # the last one that fits decides
            if fnmatch(path, rule.removeprefix("!").removeprefix("**/")):
                kept = rule.startswith("!")
        return kept

    needed = {
        *project["tool"]["setuptools"]["package-dir"].values(),
        *project["project"]["license-files"],
        project["project"]["readme"],
        "pyproject.toml",
        "constraints.txt",
    }
    assert all(map(seen, needed))
    assert not any(map(seen, [".git", ".env", "data", "docker", "runs", "tests", "__pycache__"]))
