"""The benchmarks run, and what they say can be read. How fast anything is, is no test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_compiled


def bench(root: Path, *names: str) -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "cli.main", "bench", *names, "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200, check=True)
    document: dict[str, dict[str, object]] = json.loads(done.stdout)["benchmarks"]
    return document


def test_ratios_are_of_things_that_did_work(root: Path) -> None:
    document = bench(root, "compiled", "stateful")
    for name in ("compiled", "stateful"):
        figures = document[name]["figures"]
        assert isinstance(figures, dict)
        assert figures["ratio"] > 1
        rates = [value for value in figures.values() if isinstance(value, dict)]
        assert len(rates) == 2
        assert all(0 < rate["slowest"] <= rate["median"] <= rate["fastest"] for rate in rates)


def test_minimizing_counts_failures_of_every_kernel(root: Path) -> None:
    figures = bench(root, "minimizing")["minimizing"]["figures"]
    assert isinstance(figures, dict)
    assert {"linux-4.0-rc7-mm1", "linux-4.0-rc7-mm1+dirty-on-swapin", "linux-4.5"} <= figures.keys()
    assert all(each["failures"] > 0 for each in figures.values())
