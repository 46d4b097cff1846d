"""What an UPDATE did."""

from typing import Any

from sqlalchemy import CursorResult


def rowcount(result: Any) -> int:
    """How many rows a statement changed."""
    assert isinstance(result, CursorResult)
    return result.rowcount
