"""The services of docker-compose.yml on this machine, started and stopped as Compose does it, without containers.

Each runs its own command in its own environment; only what a container would give it is put in place: host names and
ports are those of this machine, volumes are folders.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.services.compose import Healthcheck, Service, in_starting_order
from tests.services.postgres import Cluster
from tests.services.processes import LOOK_EVERY_SECONDS, OwnProcess, end_all_in, free_port, processes_in
from tests.services.redis import RedisServer

COMPLETION_SECONDS = 120
# What a service of ours has of this machine besides its own environment.
KEPT = ("PATH", "LANG", "TMPDIR")


class Stack:
    """The services of no profile: `up()` starts them, `down()` stops them, `close()` leaves nothing of them."""

    def __init__(self, services: Mapping[str, Service], root: Path, redis: Path, postgres: Path) -> None:
        self.root = root
        # Not below pytest's folders, which only their owner can reach: PostgreSQL does not run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="mmfuzz-stack-"))
        self.folder.chmod(0o711)
        self.services = in_starting_order(services)
        self.processes: dict[str, list[OwnProcess]] = {}
        self._redis = RedisServer(redis, self._place("redis"), services["redis"].command[1:])
        login = services["postgres"].environment
        self._cluster = Cluster(
            postgres,
            self._place("postgres"),
            user=login["POSTGRES_USER"],
            password=login["POSTGRES_PASSWORD"],
            options=services["postgres"].command[1:],
        )
        self._here = self._places_of(services)

    def up(self, **scale: int) -> None:
        """Start each service once what it depends on is as it asks, and so many of a service as `scale` says."""
        for service in self.services:
            for name, condition in service.depends_on.items():
                self._meet(name, condition)
            self.processes[service.name] = self._start(service, scale.get(service.name, service.replicas))

    def run(self, name: str, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command of mmfuzz where a service runs, as `docker compose exec` does, to its end."""
        service = self._service(name)
        return subprocess.run(
            self._mmfuzz(words),
            cwd=self._place(f"{name}-exec"),
            env=self._environment(service),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def is_healthy(self, name: str) -> bool:
        """Whether the service's own health check succeeds."""
        check = self._service(name).healthcheck
        assert check is not None, f"{name} has no health check"
        done = subprocess.run(
            self._check_command(check), env=self._environment(self._service(name)), capture_output=True, check=False
        )
        return done.returncode == 0

    def check(self) -> None:
        """An assertion that tells the output of every service that ended by itself, but for what is to end."""
        ended = [
            f"{service.name} ended with {process.wait()}:\n{process.output()}"
            for service in self.services
            for process in self.processes[service.name]
            if service.restart != "no" and not process.running
        ]
        assert not ended, "\n".join(ended)

    def down(self) -> dict[str, list[int | None]]:
        """Stop all as `docker compose stop` does: the exit codes, None for what outstayed its grace and was killed."""
        codes = {}
        for service in reversed(self.services):
            processes = self.processes.pop(service.name)
            for process in processes:
                if process.running:
                    process.send(signal.Signals[service.stop_signal])
            deadline = time.monotonic() + service.stop_grace_seconds
            codes[service.name] = [_code_until(deadline, process) for process in processes]
        return codes

    def left(self) -> list[int]:
        """The processes of all services that there are."""
        return processes_in(self.folder)

    def close(self) -> None:
        """Kill what still runs and remove all data."""
        end_all_in(self.folder)
        shutil.rmtree(self.folder)

    def logs(self) -> str:
        """The end of what each process of ours printed."""
        return "\n".join(
            f"--- {name}\n{process.output()}"
            for name, processes in self.processes.items()
            for process in processes
            if process.log.exists()
        )

    def here(self, text: str) -> str:
        """The same with hosts, ports and folders of containers replaced by those of this machine."""
        for there, here in self._here.items():
            text = text.replace(there, here)
        return text

    def _start(self, service: Service, number: int) -> list[OwnProcess]:
        if service.name == "redis":
            self._redis.start()
            return [self._redis.process]
        if service.name == "postgres":
            self._cluster.start()
            self._make_database(service.environment["POSTGRES_DB"])
            return [self._cluster.process]
        command = self._mmfuzz([self.here(word) for word in service.command])
        environment = self._environment(service)
        places = [self._place(f"{service.name}-{index}") for index in range(1, number + 1)]
        return [OwnProcess(place, command, place / "log", environment=environment) for place in places]

    def _make_database(self, name: str) -> None:
        """What the image of PostgreSQL does when its volume is empty."""
        found = self._cluster.query(f"SELECT datname FROM pg_database WHERE datname = '{name}'")
        if not found:
            self._cluster.execute(f"CREATE DATABASE {name}")

    def _meet(self, name: str, condition: str) -> None:
        """Wait as Compose does until a service meets the condition."""
        if condition == "service_healthy":
            check = self._service(name).healthcheck
            assert check is not None
            for _ in range(check.retries):
                if self.is_healthy(name):
                    return
                time.sleep(check.interval_seconds)
            raise AssertionError(f"{name} is unhealthy\n{self.logs()}")
        if condition == "service_completed_successfully":
            for process in self.processes[name]:
                code = process.wait(COMPLETION_SECONDS)
                assert code == 0, f"{name} ended with {code}:\n{process.output()}"

    def _places_of(self, services: Mapping[str, Service]) -> dict[str, str]:
        """What stands for what; longer texts come first, so that a port is not replaced inside a host's."""
        places = {
            "redis:6379": f"127.0.0.1:{self._redis.port}",
            "postgres:5432": f"127.0.0.1:{self._cluster.port}",
        }
        for service in services.values():
            for port in service.ports:
                places[port.rpartition(":")[2]] = str(free_port())
            if service.name not in {"redis", "postgres"}:
                places |= {path: str(self._place(volume)) for volume, path in service.volumes.items()}
        return places

    def _environment(self, service: Service) -> dict[str, str]:
        own = {name: self.here(value) for name, value in service.environment.items()}
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {"HOME": str(self.folder), "PYTHONPATH": str(self.root), "PYTHONUNBUFFERED": "1"} | own

    def _mmfuzz(self, words: Sequence[str]) -> list[str]:
        """The image's entry point with these arguments."""
        return [sys.executable, "-m", "cli.main", *words]

    def _check_command(self, check: Healthcheck) -> list[str]:
        program, *arguments = (self.here(word) for word in check.command)
        match program:
            case "redis-cli":
                client = shutil.which("redis-cli") or shutil.which("valkey-cli")
                assert client is not None, "the Redis server is installed without its client"
                return [client, "-p", str(self._redis.port), *arguments]
            case "pg_isready":
                return [f"{self._cluster.programs}/pg_isready", f"--port={self._cluster.port}", *arguments]
            case "python":
                return [sys.executable, *arguments]
        raise AssertionError(f"no service has a program {program} for its health check")

    def _service(self, name: str) -> Service:
        return next(service for service in self.services if service.name == name)

    def _place(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return place


def with_environment(services: Mapping[str, Service], name: str, **changes: str) -> dict[str, Service]:
    """The services, of which one has these variables instead of its own."""
    changed = replace(services[name], environment={**services[name].environment, **changes})
    return {**services, name: changed}


def _code_until(deadline: float, process: OwnProcess) -> int | None:
    """The exit code of what ends in time; all of its processes are gone then."""
    while process.running:
        if time.monotonic() > deadline:
            process.end()
            return None
        time.sleep(LOOK_EVERY_SECONDS)
    return process.wait()
