"""Readings of a real kernel: traces run twice, in both orders, with every page read after every op."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fuzzer.conform.reading import Reading, States
from fuzzer.conform.replay import read_op
from simcore.trace import Trace
from simcore.trace_op import encode_op
from simcore.world import World
from workers.targets.messages import Batch
from workers.targets.observed import Observed, Result, Status
from workers.targets.session import Interrupted, Outcome, Session

BATCH = 50
# Counters whose difference makes two runs differ: what happened to pages, and not to the lists that they are on.
_FIRM_COUNTERS = 6


@dataclass(frozen=True, slots=True)
class NotRead:
    """A trace of which there is no reading: the guest was lost in it, or gave it up."""

    number: int
    trace: Trace
    reason: str
    interrupted: Interrupted | None


def record(
    session: Session, traces: Iterable[Trace], *, first: int = 0, smaps: bool = False
) -> Iterator[Reading | NotRead]:
    """A reading for each trace, numbered from `first`, in order. All have one world, but for its `advised`.

    Each is run twice, the second time in a batch in reverse order, so after other traces than the first time.
    """
    source = iter(traces)
    while group := tuple(islice(source, BATCH)):
        world = group[0].world
        forward = _execute(session, world, group, smaps)
        backward = _execute(session, world, group[::-1], smaps)[::-1]
        for number, trace, one, two in zip(range(first, first + len(group)), group, forward, backward, strict=True):
            yield _reading(number, trace, one, two)
        first += len(group)


def _execute(session: Session, world: World, traces: Sequence[Trace], smaps: bool) -> list[Outcome]:
    words = tuple(tuple(map(encode_op, trace.ops)) for trace in traces)
    return session.execute(Batch(world, words, 0, smaps=smaps))


def _reading(number: int, trace: Trace, one: Outcome, two: Outcome) -> Reading | NotRead:
    for each in (one, two):
        if isinstance(each, Interrupted):
            return NotRead(number, trace, each.reason, each)
        if each.status != Status.DONE:
            return NotRead(number, trace, f"the guest gave it up: {each.status.name.lower()}", None)
    assert isinstance(one, Observed)
    assert isinstance(two, Observed)
    return make_reading(number, trace, one, two)


def make_reading(number: int, trace: Trace, one: Observed, two: Observed) -> Reading:
    """The reading of two runs: all of the first, and of the second what differs."""
    alt: dict[str, object] = {}
    for op in range(len(trace.ops)):
        if _entry(one, op) != _entry(two, op):
            alt[str(op)] = _entry(two, op)
    if one.final != two.final:
        alt["fin"] = two.final
    firm = one.final == two.final and all(_firm(one, op) == _firm(two, op) for op in range(len(trace.ops)))
    return Reading(
        id=number,
        thp=int(trace.world.huge > 0),
        hp=trace.world.advised,
        ops=tuple(map(read_op, trace.ops)),
        res=one.results,
        st=one.states,
        vm=one.counters,
        fin=one.final,
        det=int(firm),
        xdet=int(not alt),
        sm=one.smaps,
        alt={} if firm else alt,
        dm=0 if firm else _differing_bits(one.states, two.states),
    )


def _entry(run: Observed, op: int) -> dict[str, object]:
    entry: dict[str, object] = {"res": run.results[op], "st": run.states[op], "vm": run.counters[op]}
    return entry | ({"sm": run.smaps[op]} if run.smaps else {})


def _firm(run: Observed, op: int) -> tuple[Result, States, States, tuple[tuple[int, int], ...]]:
    counters = tuple(each for each in run.counters[op] if each[0] < _FIRM_COUNTERS)
    return run.results[op], run.states[op], run.smaps[op] if run.smaps else (), counters


def _differing_bits(one: Sequence[States], two: Sequence[States]) -> int:
    bits = 0
    for rows, others in zip(one, two, strict=True):
        for row, other in zip(rows, others, strict=False):
            for a, b in zip(row or (), other or (), strict=False):
                bits |= a ^ b
    return bits
