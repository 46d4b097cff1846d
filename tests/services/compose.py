"""docker-compose.yml as values: what Docker Compose would make of it, as far as this project's file goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

# ${NAME}, ${NAME:-default}, ${NAME:?message}, or $$ for a dollar.
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<rest>[^}]*))?\}|(?P<bare>\w+))")
DURATION = re.compile(r"(\d+)(h|ms|m|s)")
UNIT_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# Docker's own, where a service says nothing.
STOP_GRACE_SECONDS = 10.0
INTERVAL_SECONDS = 30.0


class UnsetVariableError(Exception):
    """A required variable is not set; its message is what Compose would print."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable where it is used: its default, or what is said when it is missing."""

    name: str
    default: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A command that succeeds once the service serves, asked so often and so many times."""

    command: tuple[str, ...]
    interval_seconds: float
    retries: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From the document; the shell form of the test is not used here."""
        kind, *command = given["test"]
        assert kind == "CMD", f"a health check is a command, not {kind}"
        return cls(tuple(command), seconds_of(given.get("interval", "30s")), int(given.get("retries", 3)))


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its variables filled in."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depends_on: Mapping[str, str]
    healthcheck: Healthcheck | None
    profiles: tuple[str, ...]
    ports: tuple[str, ...]
    volumes: Mapping[str, str]
    networks: tuple[str, ...]
    stop_signal: str
    stop_grace_seconds: float
    restart: str
    replicas: int
    document: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> Self:
        """From the document; `volumes` is the path in the container by the volume's name."""
        needs = given.get("depends_on", {})
        check = given.get("healthcheck")
        return cls(
            name=name,
            image=given["image"],
            command=tuple(str(part) for part in given["command"]),
            environment={key: str(value) for key, value in given.get("environment", {}).items()},
            depends_on={other: need["condition"] for other, need in needs.items()},
            healthcheck=Healthcheck.of(check) if check else None,
            profiles=tuple(given.get("profiles", ())),
            ports=tuple(given.get("ports", ())),
            volumes=dict(entry.split(":", 1) for entry in given.get("volumes", ())),
            networks=tuple(given.get("networks", ())),
            stop_signal=given.get("stop_signal", "SIGTERM"),
            stop_grace_seconds=seconds_of(given.get("stop_grace_period", f"{STOP_GRACE_SECONDS:.0f}s")),
            restart=given.get("restart", "no"),
            replicas=int(given.get("deploy", {}).get("replicas", 1)),
            document=given,
        )


def parse(text: str) -> dict[str, Any]:
    """The document as it is written, anchors resolved and variables not."""
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    return document


def services(document: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Service]:
    """Every service, of all profiles. UnsetVariableError when the environment lacks what is required."""
    filled = fill(document["services"], environment)
    return {name: Service.of(name, given) for name, given in filled.items()}


def in_starting_order(all_services: Mapping[str, Service], profiles: tuple[str, ...] = ()) -> list[Service]:
    """The services of no profile and of these, each after all it depends on."""
    wanted = {
        name: service
        for name, service in all_services.items()
        if not service.profiles or set(service.profiles) & set(profiles)
    }
    ordered: list[Service] = []
    while len(ordered) < len(wanted):
        done = {service.name for service in ordered}
        ready = [each for name, each in wanted.items() if name not in done and set(each.depends_on) <= done]
        assert ready, f"{set(wanted) - done} wait for each other, or for what is not started"
        ordered += ready
    return ordered


def fill(value: Any, environment: Mapping[str, str]) -> Any:
    """The same with every variable replaced by what it stands for."""
    match value:
        case str():
            return VARIABLE.sub(lambda found: _value_of(found, environment), value)
        case dict():
            return {key: fill(each, environment) for key, each in value.items()}
        case list():
            return [fill(each, environment) for each in value]
    return value


def variables(value: Any) -> Iterator[Variable]:
    """Every use of a variable."""
    match value:
        case str():
            for found in VARIABLE.finditer(value):
                if not found["dollar"]:
                    yield _variable_of(found)
        case dict():
            for each in value.values():
                yield from variables(each)
        case list():
            for each in value:
                yield from variables(each)


def seconds_of(text: str) -> float:
    """The length of a duration such as 1m30s."""
    parts = DURATION.findall(text)
    assert parts, f"{text!r} is no duration"
    assert "".join(number + unit for number, unit in parts) == text, f"{text!r} is no duration"
    return sum(int(number) * UNIT_SECONDS[unit] for number, unit in parts)


def read(path: Path, environment: Mapping[str, str]) -> dict[str, Service]:
    """The services of a file."""
    return services(parse(path.read_text("utf-8")), environment)


def _variable_of(found: re.Match[str]) -> Variable:
    sign, rest = found["sign"], found["rest"]
    return Variable(found["name"] or found["bare"], rest if sign == "-" else None, rest if sign == "?" else None)


def _value_of(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    variable = _variable_of(found)
    value = environment.get(variable.name, "")
    if not value and variable.message is not None:
        raise UnsetVariableError(f"required variable {variable.name} is missing a value: {variable.message}")
    return value or variable.default or ""
