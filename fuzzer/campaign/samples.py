"""Found failures as JSON: how samples travel from a worker to the fold, and from there to who minimizes them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from fuzzer.unit import FoundFailure
from simcore.run import Violation
from simcore.trace import format_trace, parse_trace


def found_to_json(found: FoundFailure) -> dict[str, Any]:
    """The failure with its trace as text."""
    return {
        "trace": format_trace(found.trace),
        "violation": msgspec.to_builtins(found.violation),
        "seed": found.seed,
        "count": found.count,
        "options": found.options,
    }


def found_from_json(value: Mapping[str, Any]) -> FoundFailure:
    """The failure again: found_from_json(found_to_json(found)) == found."""
    return FoundFailure(
        parse_trace(value["trace"], "<a sample>"),
        msgspec.convert(value["violation"], Violation),
        value["seed"],
        value["count"],
        dict(value["options"]),
    )
