"""`mmfuzz bench`: finding benchmarks, and saying so where there are none."""

from pathlib import Path

import pytest

from cli.commands.bench import find_benchmarks
from cli.errors import InfrastructureTrouble


def test_without_the_checkout_it_is_said_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureTrouble, match="source checkout"):
        find_benchmarks(tmp_path / "benchmarks")


def test_modules_are_benchmarks_unless_they_start_with_an_underscore(tmp_path: Path) -> None:
    for name in ("loop.py", "compiled.py", "_timing.py", "notes.md"):
        (tmp_path / name).touch()
    assert find_benchmarks(tmp_path) == ("compiled", "loop")
