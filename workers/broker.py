"""Looking at the broker: whether it is there, and whether it will keep what it is given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# To connect, and again for each answer: a broker that is not there costs five seconds at most.
ANSWER_SECONDS = 2.5
# Those that both kombu and redis-py take.
SCHEMES = ("redis", "rediss")

_RIGHT = (
    "give redis://HOST:PORT/DB or redis://:PASSWORD@HOST:PORT/DB, with @ / : # ? % in the password as %40 and so on"
)


class BrokerError(Exception):
    """The broker cannot be used: what, with which value, and what would be right."""


class BadBrokerUrlError(BrokerError):
    """No URL of a broker, whatever runs there."""


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What a Redis server says of itself; None where it does not tell. `memory_limit` is in bytes, 0 for none.

    `queues` are how many messages wait, by queue.
    """

    shown: str
    version: str
    eviction: str | None
    append_only: bool | None
    memory_limit: int | None
    queues: Mapping[str, int] = field(hash=False)


def check_url(url: str) -> None:
    """BadBrokerUrlError when the URL can be none of a broker; connects to nothing."""
    _client(url).close()


def check_broker(url: str) -> None:
    """BrokerError when nothing usable answers at the URL."""
    _connect(url).close()


def broker_state(url: str, queues: Mapping[str, str], prefix: str) -> BrokerState:
    """How the broker is set up; `queues` are names and the keys under which Celery keeps them."""
    client = _connect(url)
    try:
        info = client.info()
        lengths = {name: int(client.llen(prefix + key)) for name, key in queues.items()}
    except redis.RedisError as error:
        raise _broken(url, error) from error
    finally:
        client.close()
    kept, limit = info.get("aof_enabled"), info.get("maxmemory")
    return BrokerState(
        shown_url(url),
        str(info.get("redis_version", "unknown")),
        info.get("maxmemory_policy"),
        None if kept is None else bool(kept),
        None if limit is None else int(limit),
        lengths,
    )


def shown_url(url: str) -> str:
    """The URL without its passwords; it need not be a good one, so all up to the last @ counts as the login."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{scheme}{mark}{user}:***@{place}" if at and colon else url
    return re.sub(r"(password=)[^&]*", r"\1***", shown)


def _client(url: str) -> "redis.Redis":
    if wrong := _what_is_wrong(url):
        raise BadBrokerUrlError(f"not a broker's URL: {shown_url(url)} ({wrong}); {_RIGHT}")
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        # What redis-py says may have a piece of the password.
        raise BadBrokerUrlError(f"not a broker's URL: {shown_url(url)}; {_RIGHT}") from error


def _what_is_wrong(url: str) -> str | None:
    """What Celery would stumble over later, and redis-py would not mind or say with a piece of the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "host and port cannot be read"
    if parts.scheme not in SCHEMES:
        return f"the scheme is {parts.scheme!r}"
    if port == 0 or not re.fullmatch(r"/?|/\d+", parts.path):
        return "ports and databases are numbers"
    options = [name for name, _ in parse_qsl(parts.query) if not name.startswith("ssl_")]
    return f"there is no option {options[0]!r}" if options else None


def _connect(url: str) -> "redis.Redis":
    client = _client(url)
    try:
        client.ping()
    except (redis.RedisError, UnicodeError) as error:
        client.close()
        raise _broken(url, error) from error
    return client


def _broken(url: str, error: Exception) -> BrokerError:
    return BrokerError(
        f"the broker does not answer: {shown_url(url)} ({error}); check that Redis runs there and its password"
    )
