"""docker-compose.yml, .dockerignore and the Dockerfile hold together, and with the commands and packages there are.

That the services then work is in test_compose_run.py.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import mmfuzz
from tests.services import compose
from tests.services.compose import Service

REQUIRED = {"MMFUZZ_POSTGRES_PASSWORD": "secret"}
# Places held for what is still to come: a profile that nobody starts by accident.
ROOMS = {"web"}
OURS = "mmfuzz:local"
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture(scope="module")
def document(root: Path) -> dict[str, Any]:
    return compose.parse((root / "docker-compose.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def services(document: dict[str, Any]) -> dict[str, Service]:
    return compose.services(document, REQUIRED)


@pytest.fixture(scope="module")
def stages(root: Path) -> list[list[str]]:
    """The instructions of each stage of the Dockerfile, continued lines joined."""
    text = (root / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def ours(services: dict[str, Service]) -> list[Service]:
    return [service for service in services.values() if service.image == OURS]


def test_services_are_those_of_the_plan(services: dict[str, Service]) -> None:
    assert set(services) == {"redis", "postgres", "migrate", "coordinator", "worker", "qemu-worker", "web"}
    assert {service.name: service.profiles for service in services.values() if service.profiles} == {
        "qemu-worker": ("qemu",),
        "web": ("web",),
    }


def test_what_is_depended_on_exists_and_can_meet_its_condition(services: dict[str, Service]) -> None:
    for service in services.values():
        for name, condition in service.depends_on.items():
            other = services[name]
            assert condition in CONDITIONS
            assert not other.profiles, f"{service.name} waits for {name}, which is not started by default"
            if condition == "service_healthy":
                assert other.healthcheck, f"{name} has no health check that {service.name} could wait for"
            if condition == "service_completed_successfully":
                assert other.restart in {"no", "on-failure"}, f"{name} would never be over"


def test_everything_of_ours_waits_for_the_schema(services: dict[str, Service]) -> None:
    for service in ours(services):
        needed = {"postgres": "service_healthy"}
        if service.name != "migrate":
            needed = {"migrate": "service_completed_successfully", "redis": "service_healthy"}
        assert service.depends_on == needed, service.name


@pytest.mark.parametrize("profiles", [(), ("qemu",), ("web",), ("qemu", "web")])
def test_services_can_be_put_in_an_order(services: dict[str, Service], profiles: tuple[str, ...]) -> None:
    order = [service.name for service in compose.in_starting_order(services, profiles)]
    assert order.index("postgres") < order.index("migrate") < order.index("coordinator")
    assert len(order) == 5 + len(profiles)


def test_a_variable_has_a_default_or_says_what_is_missing(document: dict[str, Any], root: Path) -> None:
    head = (root / "docker-compose.yml").read_text("utf-8").partition("name: ")[0]
    found = list(compose.variables(document))
    assert {variable.name for variable in found if variable.default is None} == set(REQUIRED)
    for variable in found:
        assert variable.default or variable.message, f"{variable.name} may be empty"
        assert variable.name in head, f"the file's first lines do not explain {variable.name}"


def test_a_missing_password_is_an_error_that_names_it(document: dict[str, Any]) -> None:
    with pytest.raises(compose.UnsetVariableError, match="MMFUZZ_POSTGRES_PASSWORD is missing a value: set it to"):
        compose.services(document, {})


def test_no_password_is_written_down(document: dict[str, Any], services: dict[str, Service]) -> None:
    for name, service in services.items():
        for key, value in service.environment.items():
            if "PASSWORD" in key:
                assert value == REQUIRED["MMFUZZ_POSTGRES_PASSWORD"], f"{name} has a password of its own"
            assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{name}: a password in a URL is shown with it"
    assert "secret" not in str(document)


def test_volumes_and_networks_are_declared_and_used(document: dict[str, Any], services: dict[str, Service]) -> None:
    used = {volume for service in services.values() for volume in service.volumes}
    assert used == set(document["volumes"]), "named volumes only: a bind mount may not give what databases need"
    joined = {network for service in services.values() for network in service.networks}
    assert joined == set(document["networks"])


def test_data_outlive_their_containers(services: dict[str, Service]) -> None:
    assert services["redis"].volumes == {"redis": "/data"}
    assert services["postgres"].volumes == {"postgres": "/var/lib/postgresql/data"}
    for worker in (services["worker"], services["qemu-worker"]):
        assert worker.volumes == {"spool": worker.environment["MMFUZZ_SPOOL"]}


def test_ports_are_published_on_the_loopback_alone(document: dict[str, Any], services: dict[str, Service]) -> None:
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.ports)
    for service in services.values():
        reachable = [name for name in service.networks if not (document["networks"][name] or {}).get("internal")]
        assert bool(reachable) == bool(service.ports), f"{service.name}: ports are published from outer networks only"


def test_workers_can_be_scaled(services: dict[str, Service]) -> None:
    for worker in (services["worker"], services["qemu-worker"]):
        assert "container_name" not in worker.document
        assert worker.ports == ()
    assert services["worker"].replicas == 2


def test_redis_loses_nothing_and_evicts_nothing(services: dict[str, Service]) -> None:
    command = services["redis"].command
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_a_service_has_limits_and_comes_back(services: dict[str, Service]) -> None:
    for service in services.values():
        assert set(service.document["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, service.name
        assert service.restart == ("no" if service.name == "migrate" else "unless-stopped")
        assert service.document["logging"]["options"]["max-size"], f"{service.name} may fill the disk"


def test_what_is_ours_has_no_rights_it_does_not_need(services: dict[str, Service]) -> None:
    for service in ours(services):
        assert service.document["cap_drop"] == ["ALL"], service.name
        assert service.document["read_only"] is True
        assert service.document["init"] is True


def test_images_are_pinned(services: dict[str, Service], root: Path) -> None:
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", (root / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base)
    for service in services.values():
        assert service.image == OURS or re.fullmatch(r"\w+:\d[\w.]*-\w+", service.image)


def test_commands_are_commands_of_mmfuzz(services: dict[str, Service]) -> None:
    for service in ours(services):
        if not ROOMS.intersection(service.profiles):
            known, rest = command_of(list(service.command))
            known.make_context(service.name, rest, resilient_parsing=False).close()


def test_a_room_is_for_a_command_that_does_not_exist(services: dict[str, Service]) -> None:
    for service in ours(services):
        if ROOMS.intersection(service.profiles):
            assert mmfuzz.get_command(click.Context(mmfuzz), service.command[0]) is None, (
                f"{service.name} has its command: take its profile out of ROOMS"
            )


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the words that are left for it."""
    found: click.Command = mmfuzz
    while isinstance(found, click.Group):
        inner = found.get_command(click.Context(found), words[0])
        assert inner is not None, f"mmfuzz has no command {' '.join(words)}"
        found, words = inner, words[1:]
    return found, words


def test_image_is_made_in_two_stages_and_runs_as_nobody(stages: list[list[str]]) -> None:
    build, final = stages
    assert any("apt-get install" in line and "gcc" in line for line in build)
    assert not any("apt-get" in line or "pip install" in line for line in final), "no build tools in the image"
    (user,) = [line.split()[1] for line in final if line.startswith("USER ")]
    assert user != "root"
    assert final[-2] == 'ENTRYPOINT ["mmfuzz"]'


def test_image_has_the_tested_versions_and_the_compiled_core(stages: list[list[str]]) -> None:
    installs = [line for line in stages[0] if "pip install" in line]
    assert installs
    assert all("--constraint constraints.txt" in line for line in installs)
    assert "MMFUZZ_BUILD=compiled" in installs[-1]


def test_image_installs_extras_that_exist(stages: list[list[str]], root: Path) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = re.findall(r"'\.\[([\w,]+)\]'", "\n".join(stages[0]))
    assert asked
    assert set(asked[0].split(",")) <= set(extras)


def test_image_is_built_from_all_that_is_installed_and_nothing_else(
    root: Path, project_files: tuple[Path, ...]
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packages = [pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]]
    sent = {path.relative_to(root) for path in project_files if is_sent(root, path.relative_to(root))}
    needed = {"LICENSE", "README.md", "constraints.txt", "pyproject.toml", "setup.py"}
    assert {path.parts[0] for path in sent} == needed | {name for name in packages if (root / name).is_dir()}
    assert not is_sent(root, Path(".env"))
    assert not is_sent(root, Path("simcore/_core.cpython-311-x86_64-linux-gnu.so"))


def is_sent(root: Path, path: Path) -> bool:
    """Whether .dockerignore lets a file into the build; the last line that fits it or a folder above decides."""
    sent = True
    for line in (root / ".dockerignore").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            # With **/ in front a pattern is for names at any depth, else for places from the top.
            candidates = path.parts if pattern.startswith("**/") else (str(path), *map(str, path.parents))
            if any(fnmatch.fnmatch(each, pattern.removeprefix("**/")) for each in candidates):
                sent = line.startswith("!")
    return sent


def test_docker_compose_reads_the_file(root: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("there is no docker")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("this docker has no compose")
    command = ["docker", "compose", "--file", str(root / "docker-compose.yml"), "--profile", "*", "config", "--quiet"]
    done = subprocess.run(command, env=os.environ | REQUIRED, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
