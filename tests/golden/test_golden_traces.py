"""Traces stored by released versions replay on this one, with the verdict and the outcome they had.

Each folder beside this file was written by one release and is never changed: verdicts.json holds for each trace what
the oracles said and the digest of everything that happened. A new release writes its own folder:

    python tests/golden/test_golden_traces.py tests/golden/v0.2.0

takes the *.trace files of the folder and writes its verdicts.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from simcore.kernel_files import find_kernel, shipped_kernels
from simcore.run import Observation, run_trace
from simcore.trace import format_trace, parse_trace, read_trace

HERE = Path(__file__).parent
TRACES = sorted(HERE.glob("v*/*.trace"))


def verdict(seen: Observation) -> dict[str, Any]:
    """What is kept of an observation."""
    names = ("oracle", "cls", "kind", "at", "process", "page", "expected", "seen")
    violations = [{name: getattr(violation, name) for name in names} for violation in seen.violations]
    return {"violations": violations, "results": list(seen.results), "outcome": seen.digest}


def replayed(path: Path, compiled: bool | None = None) -> dict[str, Any]:
    """The verdict that the trace has now."""
    trace = read_trace(path)
    return verdict(run_trace(trace, find_kernel(trace.kernel), compiled=compiled))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_trace_has_its_verdict(path: Path, compiled: bool) -> None:
    stored = json.loads(path.with_name("verdicts.json").read_text("utf-8"))
    assert replayed(path, compiled) == stored[path.stem]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_trace_survives_its_text(path: Path) -> None:
    trace = read_trace(path)
    assert parse_trace(format_trace(trace)) == trace
    code = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert "\n".join(code) + "\n" == format_trace(trace), "the text is canonical but for its comments"


@pytest.mark.parametrize("folder", sorted(HERE.glob("v*")), ids=lambda folder: folder.name)
def test_golden_folder_is_complete(folder: Path) -> None:
    stored = json.loads((folder / "verdicts.json").read_text("utf-8"))
    assert set(stored) == {path.stem for path in folder.glob("*.trace")}
    assert all(entry["violations"] for entry in stored.values()), "a golden trace shows a failure"


def test_first_golden_folder_has_each_kernel_of_its_release() -> None:
    named = {read_trace(path).kernel for path in TRACES if path.parent.name == "v0.1.0"}
    assert named <= {kernel.name for kernel in shipped_kernels()}
    assert len(named) == 3


def write_verdicts(folder: Path) -> None:
    """Write a new release's verdicts.json for the traces in its folder."""
    stored = {path.stem: replayed(path) for path in sorted(folder.glob("*.trace"))}
    (folder / "verdicts.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write_verdicts(Path(sys.argv[1]))
