"""The benchmarks run, and what they say can be read. How fast anything is, is no test's business."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.commands.bench import find_benchmarks

pytestmark = pytest.mark.needs_compiled


@pytest.fixture(scope="module")
def document(root: Path) -> dict[str, Any]:
    """What all benchmarks say in their quick form."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200, check=True)
    benchmarks: dict[str, Any] = json.loads(done.stdout)["benchmarks"]
    return benchmarks


def spreads(value: object) -> list[dict[str, float]]:
    """Every spread of rounds in a document, however deep."""
    if isinstance(value, dict):
        own = [value] if "median" in value else []
        return own + [spread for each in value.values() for spread in spreads(each)]
    return [spread for each in value for spread in spreads(each)] if isinstance(value, list) else []


def test_every_benchmark_says_something(document: dict[str, Any]) -> None:
    assert tuple(document) == find_benchmarks()
    assert all(spreads(result["figures"]) for result in document.values())


def test_medians_lie_between_the_rounds(document: dict[str, Any]) -> None:
    assert all(0 < each["least"] <= each["median"] <= each["greatest"] for each in spreads(document))


@pytest.mark.parametrize("name", ["compiled", "stateful"])
def test_what_is_claimed_to_be_faster_is_faster(document: dict[str, Any], name: str) -> None:
    assert all(claim["median"] > 1 for claim in document[name]["figures"]["claims"])


def test_the_kernels_of_2015_have_failures_to_minimize(document: dict[str, Any]) -> None:
    kernels = document["minimizing"]["figures"]["kernels"]
    assert {"linux-4.0-rc7-mm1", "linux-4.0-rc7-mm1+dirty-on-swapin"} <= kernels.keys()
    assert all(each["failures"] > 0 for each in kernels.values())
