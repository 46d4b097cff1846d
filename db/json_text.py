"""JSON as it is stored: sorted keys, no NaN, so that both databases give back the same."""

import json


def to_json_text(value: object) -> str:
    """The value's canonical JSON text; ValueError or TypeError when JSON has no such value."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
