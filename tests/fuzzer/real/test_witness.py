"""What a real kernel's loads showed, judged: a wrong value is told by the oracle it belongs to, a legal one is not.

Observations are made up. `read 0 0 = 7` is a load that saw 7, `madv_free 0 31 ! 22` a call that failed with errno 22,
and `fork 0 = 1` a fork whose child is process 1.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fuzzer.conform.reading import Reading, read_file
from fuzzer.conform.replay import trace_op
from fuzzer.conform.world import PAGEVEC_SIZE, find_source, make_world
from fuzzer.real.witness import Result, Witness
from simcore.constants import GARBAGE, LAST_TOKEN, ZEROS
from simcore.run import Violation
from simcore.trace_op import Op
from simcore.world import World

# Pages 0 to 3 are anonymous, 4 and 5 show the file, 6 and 7 are private mappings of it, 8 to 11 the huge area.
WORLD = World(processes=3, pages=4, mergeable=2, file=2, huge=4)
SHARED, PRIVATE, AREA = 4, 6, 8
EINVAL, SIGBUS = 22, 7


def parse(text: str) -> Op:
    """An op as traces have it, arguments as numbers."""
    name, *args = text.split()
    return Op(name, tuple(map(int, args)))


def judge(*steps: str, final: Sequence[Sequence[int] | None] = (), world: World = WORLD) -> Violation | None:
    """What the witness says of these steps."""
    ops: list[Op] = []
    results: list[Result] = []
    for step in steps:
        text, errno, value = step, 0, 0
        if " ! " in step:
            text, failed = step.split(" ! ")
            errno = int(failed)
        elif " = " in step:
            text, seen = step.split(" = ")
            value = int(seen)
        op = parse(text)
        ops.append(op)
        results.append((errno, 0 if op.name == "fork" else value, value if op.name == "fork" else 0, 1))
    return Witness(world).judge(ops, results, final)


# The oracle that speaks of the last step of each.
WRONG = {
    "a store that is gone": ("lost-store", ("write 0 0 1", "reclaim", "read 0 0 = 0")),
    "a store after MADV_FREE that is gone": (
        "lost-store",
        ("write 0 0 1", "madv_free 0 0", "write 0 0 2", "read 0 0 = 0"),
    ),
    "contents given up in one process, gone in the other": (
        "lost-store",
        ("write 0 0 1", "fork 0 = 1", "madv_free 0 0", "read 1 0 = 0"),
    ),
    "a store to the file that is gone": (
        "lost-store",
        (f"write 0 {SHARED} 1", f"read 0 {SHARED + 1} = 0", f"read 0 {SHARED} = 0"),
    ),
    "a private page of the file that is gone": (
        "lost-store",
        (f"write 0 {SHARED} 1", f"write 0 {PRIVATE} 2", f"read 0 {PRIVATE} = 1"),
    ),
    "MADV_FREE that was refused allows nothing": (
        "lost-store",
        ("write 0 0 1", f"madv_free 0 0 ! {EINVAL}", "read 0 0 = 0"),
    ),
    "MADV_FREE of one page of the area that was refused allows nothing": (
        "lost-store",
        (f"write 0 {AREA} 1", f"madv_free 0 {AREA} ! {EINVAL}", f"read 0 {AREA} = 0"),
    ),
    "a store by way of get_user_pages that is gone": (
        "lost-store",
        ("write 0 0 1", "gup_write 0 0 2", "gup_read 0 0 = 0"),
    ),
    "the store before": ("stale-value", ("write 0 0 1", "write 0 0 2", "read 0 0 = 1")),
    "the store before, inherited": ("stale-value", ("write 0 0 1", "fork 0 = 1", "write 1 0 2", "read 1 0 = 1")),
    "what another page holds": ("foreign-value", ("write 0 0 1", "write 0 1 2", "read 0 0 = 2")),
    "what nobody ever stored": ("foreign-value", ("write 0 0 1", "read 0 0 = 77")),
    "bytes that are no token": ("foreign-value", ("write 0 0 1", f"read 0 0 = {GARBAGE}")),
    "a signal in place of a value": ("foreign-value", ("write 0 0 1", f"read 0 0 ! -{SIGBUS}")),
    "the child's store, seen by the parent": (
        "cow-leak",
        ("write 0 0 1", "fork 0 = 1", "write 1 0 2", "read 0 0 = 2"),
    ),
    "the parent's store, seen by the child": (
        "cow-leak",
        ("write 0 0 1", "fork 0 = 1", "write 0 0 2", "read 1 0 = 2"),
    ),
    "one child's store, seen by another": (
        "cow-leak",
        ("write 0 0 1", "fork 0 = 1", "fork 0 = 2", "write 1 0 2", "read 2 0 = 2"),
    ),
    "contents back after MADV_DONTNEED": ("resurrected", ("write 0 0 1", "madv_dontneed 0 0", "read 0 0 = 1")),
    "contents back after zeros were read": (
        "resurrected",
        ("write 0 0 1", "madv_free 0 0", "read 0 0 = 0", "read 0 0 = 1"),
    ),
    "contents back after a hole": ("resurrected", (f"write 0 {SHARED} 1", f"punch 0 {SHARED}", f"read 0 {SHARED} = 1")),
}  # fmt: skip

LEGAL = {
    "nothing was stored": ("read 0 0 = 0",),
    "zeros after MADV_FREE": ("write 0 0 1", "madv_free 0 0", "read 0 0 = 0", "read 0 0 = 0"),
    "contents after MADV_FREE": ("write 0 0 1", "madv_free 0 0", "read 0 0 = 1", "read 0 0 = 0"),
    "a store after zeros": ("write 0 0 1", "madv_free 0 0", "read 0 0 = 0", "write 0 0 2", "read 0 0 = 2"),
    "zeros after MADV_FREE of what was inherited": (
        "write 0 0 1", "madv_free 0 0", "fork 0 = 1", "read 1 0 = 0", "read 0 0 = 1",
    ),
    "zeros after MADV_DONTNEED": ("write 0 0 1", "madv_dontneed 0 0", "read 0 0 = 0"),
    "each process has its own after fork": (
        "write 0 0 1", "fork 0 = 1", "write 1 0 2", "read 0 0 = 1", "read 1 0 = 2",
    ),
    "a fork that failed": ("write 0 0 1", "fork 0 ! 12", "read 0 0 = 1"),
    "a private page shows the file until its first store": (
        f"write 0 {SHARED} 1", f"read 0 {PRIVATE} = 1", f"write 0 {SHARED} 2", f"read 0 {PRIVATE} = 2",
        f"write 0 {PRIVATE} 3", f"write 0 {SHARED} 4", f"read 0 {PRIVATE} = 3",
    ),
    "a private page shows the file again after MADV_DONTNEED": (
        f"write 0 {SHARED} 1", f"write 0 {PRIVATE} 2", f"madv_dontneed 0 {PRIVATE}", f"read 0 {PRIVATE} = 1",
    ),
    "MADV_DONTNEED of the file's mapping keeps the file": (
        f"write 0 {SHARED} 1", f"madv_dontneed 0 {SHARED}", f"read 0 {SHARED} = 1",
    ),
    "mlock gives a private page contents of its own": (
        f"write 0 {SHARED} 1", f"mlock 0 {PRIVATE}", f"write 0 {SHARED} 2", f"read 0 {PRIVATE} = 1",
    ),
    "mlock of a page that cannot be written leaves it the file's": (
        f"write 0 {SHARED} 1", f"mprotect_ro 0 {PRIVATE}", f"mlock 0 {PRIVATE}", f"write 0 {SHARED} 2",
        f"read 0 {PRIVATE} = 2",
    ),
    "another process sees a store to the file": ("fork 0 = 1", f"write 1 {SHARED} 1", f"read 0 {SHARED} = 1"),
    "zeros in a hole": (f"write 0 {SHARED} 1", f"punch 0 {SHARED}", f"read 0 {SHARED} = 0"),
    "a hole leaves private pages": (
        f"write 0 {SHARED} 1", f"write 0 {PRIVATE} 2", f"punch 0 {SHARED}", f"read 0 {PRIVATE} = 2",
    ),
    "truncate takes private pages, too": (
        f"write 0 {SHARED} 1", f"write 0 {PRIVATE} 2", f"truncate 0 {SHARED}", f"read 0 {PRIVATE} = 0",
    ),
    "truncate leaves what is before": (
        f"write 0 {PRIVATE} 1", f"truncate 0 {SHARED + 1}", f"read 0 {PRIVATE} = 1",
    ),
    "whole-area advice that failed half way, and had given up": (
        f"write 0 {AREA} 1", f"madv_free 0 31 ! {EINVAL}", f"read 0 {AREA} = 0",
    ),
    "whole-area advice that failed half way, and had not come there": (
        f"write 0 {AREA} 1", f"madv_dontneed 0 31 ! {EINVAL}", f"read 0 {AREA} = 1",
    ),
    "whole-area advice": (f"write 0 {AREA} 1", "madv_dontneed 0 31", f"read 0 {AREA} = 0"),
    "a store that was refused": ("write 0 0 1", "mprotect_ro 0 0", "write 0 0 2 ! -11", "read 0 0 = 1"),
    "a load that an error ended": ("write 0 0 1", "gup_read 0 0 ! 14"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_value_is_told_by_the_oracle_it_belongs_to(what: str) -> None:
    oracle, steps = WRONG[what]
    found = judge(*steps)
    assert found is not None
    assert (found.oracle, found.at) == (oracle, len(steps) - 1)


@pytest.mark.parametrize("what", LEGAL)
def test_a_legal_value_is_not_told(what: str) -> None:
    assert judge(*LEGAL[what]) is None


def test_what_is_read_at_the_end_is_judged_where_all_ops_were_done() -> None:
    ops = ("write 0 0 1", "write 0 1 2")
    assert judge(*ops, final=[[1, 2]]) is None
    lost = judge(*ops, final=[[1, 0]])
    assert lost is not None
    assert (lost.oracle, lost.at, lost.page, lost.expected, lost.seen) == ("lost-store", 2, 1, 2, ZEROS)


def test_a_process_that_is_gone_is_not_judged() -> None:
    assert judge("write 0 0 1", "fork 0 = 1", "exit 0", final=[None, [1]]) is None
    lost = judge("write 0 0 1", "fork 0 = 1", "exit 0", final=[None, [0]])
    assert lost is not None
    assert lost.process == 1


def test_a_witness_judges_the_next_trace_afresh() -> None:
    witness = Witness(WORLD)
    write, read = parse("write 0 0 1"), parse("read 0 0")
    lost = (0, 0, 0, 1)
    assert witness.judge([write, read], [(0, 0, 0, 1), lost], ()) is not None
    assert witness.judge([read], [lost], ()) is None


READINGS = Path(__file__).parents[2] / "conformance" / "readings"
FILES = sorted(READINGS.glob("*.jsonl.gz"))
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".jsonl")[0])


@dataclass
class Recorded:
    """A reading, and the witness of its world."""

    reading: Reading
    witness: Witness

    def judge(self, results: Sequence[Result], final: Sequence[Sequence[int] | None]) -> Violation | None:
        """What the witness says if this had been read."""
        return self.witness.judge([trace_op(op) for op in self.reading.ops], results, final)


def readings(path: Path) -> Iterator[Recorded]:
    """The readings of a file."""
    source = find_source(path, "linux-6.1")
    witnesses: dict[World, Witness] = {}
    for _, reading in read_file(path):
        world = make_world(source, reading, PAGEVEC_SIZE)
        yield Recorded(reading, witnesses.setdefault(world, Witness(world)))


@EVERY
def test_what_real_kernels_showed_is_legal(path: Path) -> None:
    told = [
        (each.reading.id, found) for each in readings(path) if (found := each.judge(each.reading.res, each.reading.fin))
    ]
    # None of the recorded traces has the two losses that stock kernels are known for.
    assert not told


@EVERY
def test_a_reading_with_one_value_changed_is_told_unless_that_is_legal(path: Path) -> None:
    rng = random.Random(1)
    count: Counter[str] = Counter()
    for each in readings(path):
        results, final, was, value = changed(each.reading, rng)
        if was == value:
            continue
        if each.judge(results, final):
            count["told"] += 1
        elif "madv_free" in {op[0] for op in each.reading.ops} and ZEROS in (was, value):
            # Until the next store a page that was given up may show its contents, or zeros.
            count["legal"] += 1
        else:
            count["missed"] += 1
    assert not count["missed"], count
    assert count["told"] > 20 * count["legal"], count


def changed(reading: Reading, rng: random.Random) -> tuple[list[Result], list[list[int] | None], int, int]:
    """The reading with one loaded value replaced; that value, and what took its place.

    Zeros, a value that was stored somewhere in the trace, or anything.
    """
    results = list(reading.res)
    final = [list(row) if row is not None else None for row in reading.fin]
    loads = [at for at, op in enumerate(reading.ops) if op[0] in ("read", "gup_read") and reading.res[at][0] == 0]
    last = [(process, page) for process, row in enumerate(reading.fin) if row for page in range(len(row))]
    stored = [trace_op(op).args[-1] for op in reading.ops if op[0] in ("write", "gup_write")]
    value = rng.choice([ZEROS, rng.choice(stored or [1]), rng.choice([GARBAGE, *range(1, LAST_TOKEN)])])
    if loads and rng.random() < 0.5:
        at = rng.choice(loads)
        _, was, child, reached = results[at]
        results[at] = (0, value, child, reached)
    else:
        process, page = rng.choice(last)
        row = final[process]
        assert row is not None
        was, row[page] = row[page], value
    return results, final, was, value
