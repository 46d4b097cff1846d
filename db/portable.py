"""The portable form of what is stored: lines of JSON that say the same of SQLite and PostgreSQL.

    {"format": "mmfuzz export", "version": 1, "schema": "0002", "mmfuzz": "0.1.0", "scope": "all", "tables": ...}
    {"table": "kernel", "row": {"digest": "krn-...", ...}}
    ...
    {"end": {"kernel": 2, ...}}

The header gives every table's columns with their kinds, so that the lines can be read without our models. The
last line counts the rows: an export without it was cut off. In between tables come one after another, those that
others point to first, each in the order of its key.
"""

import base64
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from db.types import BIGGEST, UTCDateTime

FORMAT: Final = "mmfuzz export"
VERSION: Final = 1

Scope = Literal["all", "failures"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

Kind = Literal["text", "integer", "number", "boolean", "time", "binary", "json"]

# The first entry that fits counts. A column of another type needs an entry, and a form in JSON.
_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], Kind], ...]] = (
    (UTCDateTime, "time"),
    (JSON, "json"),
    (LargeBinary, "binary"),
    (Boolean, "boolean"),
    (BigInteger, "integer"),
    (Float, "number"),
    (Text, "text"),
)


def kind_of(column: Column[Any]) -> Kind:
    """What a column holds."""
    kind = next((kind for type_, kind in _KINDS if isinstance(column.type, type_)), None)
    assert kind is not None, f"no portable form is known for {column.table.name}.{column.name}, {column.type!r}"
    return kind


def writer_of(kind: Kind) -> Callable[[Any], object] | None:
    """What makes JSON of a column's values that are not NULL; None where they are JSON's as they are."""
    if kind == "time":
        return _time_text
    return _base64_text if kind == "binary" else None


def read_value(kind: Kind, value: object) -> Any:
    """The value that a line gives a column. ValueError says what a value of the kind is."""
    if value is None:
        return None
    match kind, value:
        case "text", str():
            return value
        case "integer", int() if not isinstance(value, bool) and -BIGGEST - 1 <= value <= BIGGEST:
            return value
        case "number", int() | float() if not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            return float(value)
        case "boolean", bool():
            return value
        case "time", str():
            return _read_time(value)
        case "binary", str():
            return _read_base64(value)
        case "json", _:
            return value
    raise ValueError(f"{_shown(value)} is not {_WANTED[kind]}")


_WANTED: Final[dict[Kind, str]] = {
    "text": "a text",
    "integer": "an integer of 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time such as 2026-11-24T06:20:00.123456Z",
    "binary": "bytes in base64",
    "json": "JSON",
}


def _time_text(time: datetime) -> str:
    """A time in ISO 8601, UTC, always with microseconds, so that times sort as text."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _base64_text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _read_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{_shown(text)} is not {_WANTED['time']}")


def _read_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"{_shown(text)} is not {_WANTED['binary']}") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
