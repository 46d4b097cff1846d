"""What `mmfuzz doctor` looks at where a broker is used: the packages of the service, and the broker itself."""

from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

from cli.broker import INSTALL_SERVICE, missing_service_packages
from cli.doctor_finding import Finding

if TYPE_CHECKING:
    from workers.broker import BrokerState

# The releases that workers/celery_app.py was checked with: the first, and the first that was not.
CHECKED_RELEASES = {
    "celery": ("5.7", "5.8"),
    "kombu": ("5.7", "5.8"),
    "redis": ("6.4", "9"),
    "prometheus-client": ("0.22", "1"),
}

SET_EVICTION = "redis-cli CONFIG SET maxmemory-policy noeviction, and in its configuration: an evicted key is a queue"
SET_APPENDING = "redis-cli CONFIG SET appendonly yes, and in its configuration: else a restart empties the queues"
SET_LIMIT = "redis-cli CONFIG SET maxmemory 192mb, or what the machine can spare, and in its configuration"


def check_service_packages() -> list[Finding]:
    """Celery and what belongs to it: there, and of releases whose settings are known."""
    missing = missing_service_packages()
    if missing:
        return [Finding("service", "note", f"without {', '.join(missing)}", f"for workers: {INSTALL_SERVICE}")]
    installed = {name: metadata.version(name) for name in CHECKED_RELEASES}
    return [_releases_finding(installed)]


def check_broker(broker: str | None) -> list[Finding]:
    """The broker that the settings name; it is asked once."""
    if broker is None:
        return [Finding("broker", "ok", "no broker is named")]
    if missing_service_packages():
        what = "a broker is named, and the packages to reach it are missing"
        return [Finding("broker", "wrong", what, INSTALL_SERVICE)]
    from workers.broker import BrokerError, broker_state
    from workers.celery_app import KEY_PREFIX, QUEUE_NAMES, make_app

    try:
        state = broker_state(broker, QUEUE_NAMES, KEY_PREFIX)
    except BrokerError as error:
        mend = "correct --broker or MMFUZZ_BROKER_URL, or start Redis"
        return [Finding("broker", "wrong", str(error), mend)]
    return [*state_findings(state), visibility_finding(make_app(broker))]


def state_findings(state: "BrokerState") -> list[Finding]:
    """Whether the broker keeps what it is given."""
    waiting = ", ".join(f"{name} {number}" for name, number in state.queues.items())
    findings = [Finding("broker", "ok", f"{state.shown}: Redis {state.version}; messages waiting: {waiting}")]
    if state.eviction is None or state.append_only is None or state.memory_limit is None:
        mend = "let its user run INFO: maxmemory-policy must be noeviction, appendonly should be yes"
        findings.append(Finding("broker", "note", "it does not tell how it is set up", mend))
    if state.eviction not in (None, "noeviction"):
        what = f"maxmemory-policy is {state.eviction}: queues can vanish when memory is short"
        findings.append(Finding("broker", "wrong", what, SET_EVICTION))
    if state.append_only is False:
        findings.append(Finding("broker", "note", "appendonly is off", SET_APPENDING))
    if state.memory_limit == 0:
        findings.append(Finding("broker", "note", "maxmemory is not set: it may take all of the machine", SET_LIMIT))
    return findings


def visibility_finding(app: Any) -> Finding:
    """Whether a Celery application gives no message out again while somebody may still work on it."""
    hard_limit = app.conf.task_time_limit
    places: Mapping[str, Mapping[str, Any]] = {
        "broker_transport_options": app.connection_for_write().transport_options,
        "result_backend_transport_options": app.conf.result_backend_transport_options,
        "visibility_timeout": {"visibility_timeout": app.conf.get("visibility_timeout")},
    }
    seconds = {name: options.get("visibility_timeout") or 0 for name, options in places.items()}
    small = [f"{name} has {value} s" for name, value in seconds.items() if value < hard_limit]
    if small:
        what = f"messages are given out twice: visibility timeout {', '.join(small)}, a unit may take {hard_limit} s"
        return Finding("broker", "wrong", what, "install mmfuzz again: workers/celery_app.py sets them")
    what = f"visibility timeout {min(seconds.values())} s, a unit is killed after {hard_limit} s"
    return Finding("broker", "ok", what)


def _releases_finding(installed: Mapping[str, str]) -> Finding:
    there = ", ".join(f"{name} {version}" for name, version in installed.items())
    unknown = [
        f"{name} {version} (checked: {CHECKED_RELEASES[name][0]} up to {CHECKED_RELEASES[name][1]})"
        for name, version in installed.items()
        if not _numbers(CHECKED_RELEASES[name][0]) <= _numbers(version) < _numbers(CHECKED_RELEASES[name][1])
    ]
    if unknown:
        return Finding("service", "note", f"settings were not checked with {', '.join(unknown)}", INSTALL_SERVICE)
    return Finding("service", "ok", there)


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; those after them do not matter here."""
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)
