"""The shipped kernels that have a real counterpart show what it showed."""

from pathlib import Path

import pytest

from fuzzer.conform.agreement import overall
from fuzzer.conform.comparison import FileComparison, Plan, compare_file
from fuzzer.conform.known import read_known
from fuzzer.conform.observables import OBSERVABLES
from fuzzer.conform.world import named_version
from simcore.kernel_files import find_kernel

READINGS = tuple(sorted(Path(__file__).with_name("readings").glob("*.jsonl.gz")))
# The least part of all that was compared that must be the same.
STRICT = {"class": 0.995, "share": 0.995, "value": 0.995}
OTHERS = ("dirty", "swapcache", "swapbacked", "ksm", "exclusive", "mapcount", "soft-dirty")
WANTED = STRICT | dict.fromkeys(OTHERS, 0.99)
WHOLE_TRACES = 0.90
# The uncompiled core is slow.
UNCOMPILED_TRACES = 10

EVERY_FILE = pytest.mark.parametrize("path", READINGS, ids=lambda path: path.name.partition(".jsonl")[0])
_DONE: dict[tuple[Path, bool], FileComparison] = {}


def compared(path: Path, *, compiled: bool) -> FileComparison:
    """The file compared with the kernel of its version, once for all tests."""
    if (path, compiled) not in _DONE:
        kernel = find_kernel(f"linux-{named_version(path)}")
        limit = None if compiled else UNCOMPILED_TRACES
        _DONE[path, compiled] = compare_file(Plan(path, kernel, read_known(), limit=limit, compiled=compiled))
    return _DONE[path, compiled]


def test_there_are_readings_of_every_kind() -> None:
    names = {path.name.partition(".jsonl")[0] for path in READINGS}
    assert names == {
        f"{s}-{k}-{d}" for s in ("main", "smaps", "thp") for k in ("6.1", "6.12") for d in ("zram", "virtio")
    }


@EVERY_FILE
def test_observables_agree(path: Path, compiled: bool) -> None:
    figures = {each.observable: each for each in overall(compared(path, compiled=compiled).settled.by_op)}
    low = {
        name: f"{figures[name].agreed} of {figures[name].compared}"
        for name, least in WANTED.items()
        if name in figures and figures[name].share < least
    }
    assert not low


@EVERY_FILE
def test_whole_traces_agree(path: Path, compiled: bool) -> None:
    part = compared(path, compiled=compiled).settled
    told = "\n".join(f"{each.first} {each.key}" for each in part.classes[:10])
    enough = part.agreed >= WHOLE_TRACES * part.traces
    assert enough, f"{part.agreed} of {part.traces}\n{told}"


@EVERY_FILE
@pytest.mark.needs_compiled
def test_every_observable_is_compared(path: Path) -> None:
    figures = {each.observable: each for each in overall(compared(path, compiled=True).settled.by_op)}
    masked = {"ksm"} if named_version(path) == "6.12" else set()
    expected = {each.name for each in OBSERVABLES} | {"errno", "value"}
    assert {
        name for name, each in figures.items() if not name.startswith("smaps-") and each.compared
    } == expected - masked
    assert ("smaps-Rss" in figures) == path.name.startswith("smaps")


@EVERY_FILE
@pytest.mark.needs_compiled
def test_file_has_150_settled_readings(path: Path) -> None:
    done = compared(path, compiled=True)
    assert (done.settled.traces, done.left_out) == (150, 0)
