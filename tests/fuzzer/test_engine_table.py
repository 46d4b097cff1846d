"""Engines by name."""

import pytest

from fuzzer.engine_table import ENGINES, find_engine
from fuzzer.errors import FuzzerError, UnknownEngine


def test_every_engine_says_what_it_does_and_derives() -> None:
    assert [engine.name for engine in ENGINES] == ["random", "swarm"]
    assert all(engine.doc and engine.derives for engine in ENGINES)
    assert all(find_engine(engine.name) is engine for engine in ENGINES)


def test_unknown_engine_is_an_error_that_names_what_exists() -> None:
    with pytest.raises(UnknownEngine, match=r"unknown engine 'swram'; did you mean 'swarm'.*random, swarm"):
        find_engine("swram")
    assert issubclass(UnknownEngine, FuzzerError)
