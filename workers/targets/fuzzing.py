"""Fuzz a real kernel: draw, run, judge; what failed is looked into, and the rest of the time is drawn on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice

from fuzzer.real.aiming import draw_aimed
from fuzzer.real.drawing import GROUP, Drawing, draw_traces
from fuzzer.real.worlds import draw_world
from fuzzer.seeds import unit_seed
from simcore.run import run_trace
from simcore.trace import Trace
from workers.targets.execution import Executor, Judged
from workers.targets.investigation import Investigator, RealFailure
from workers.targets.session import Session


@dataclass(frozen=True, slots=True)
class Budget:
    """When it is enough: so many seconds, so many traces, or None for no end of that kind."""

    seconds: float | None = None
    traces: int | None = None


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """How far it has come: traces and ops run, those of which nothing can be said, and the failure just found.

    `waiting` are failing traces that nobody has looked into: of a kind that is known, found while others were.
    """

    traces: int = 0
    ops: int = 0
    unknown: int = 0
    failing: int = 0
    waiting: int = 0
    executions: int = 0
    boots: int = 0
    seconds: float = 0.0
    new: RealFailure | None = None


@dataclass(slots=True)
class _Waiting:
    """Failing traces to be looked into, and how often each key was."""

    traces: list[tuple[Trace, Judged, bool]] = field(default_factory=list)
    looked_into: dict[str, int] = field(default_factory=dict)

    def take_best(self) -> tuple[Trace, Judged]:
        """The one that promises most: of a new key, then what the simulated kernel does not do, then the shortest."""
        best = min(self.traces, key=lambda each: (self.times(each[1]), each[2], len(each[0].ops)))
        self.traces.remove(best)
        return best[0], best[1]

    def times(self, judged: Judged) -> int:
        """How often its key was looked into; beyond the first look other things matter more."""
        return min(1, self.looked_into.get(judged.key or "", 0))

    @property
    def has_new_key(self) -> bool:
        """Whether there is one of a key that was never looked into."""
        return any(not self.times(judged) for _, judged, _ in self.traces)


def fuzz(
    session: Session,
    drawing: Drawing,
    budget: Budget,
    clock: Callable[[], float] = time.monotonic,
    stopping: Callable[[], bool] = lambda: False,
    first: tuple[Trace, ...] = (),
) -> Iterator[Fuzzed]:
    """Fuzz until the budget is used up; after every group of traces, and at every failure that is new, how far it is.

    The first failing trace of a key is always looked into; others only as long as that takes no more executions than
    drawing did, so that what fails often does not take all the time. `first` are traces to be run before drawn ones.
    """
    executor = Executor(session)
    investigator = Investigator(session, executor, stopping)
    waiting = _Waiting()
    known: set[tuple[str, Trace]] = set()
    started = clock()
    so_far = Fuzzed()
    looking = 0
    groups = _with_first(first, _draw_groups(drawing, budget.traces))
    while not stopping() and not _is_used_up(budget, so_far, clock() - started):
        group = next(groups)
        if not group:
            break
        judged_group = _name_culprits(investigator, group, executor.run(group))
        so_far = _add(so_far, group, judged_group)
        for trace, judged in zip(group, judged_group, strict=True):
            if judged.key is not None:
                waiting.traces.append((trace, judged, _is_expected(trace, drawing, judged.key)))
        while waiting.traces and (waiting.has_new_key or (looking <= so_far.traces and not stopping())):
            trace, judged = waiting.take_best()
            failure = investigator.investigate(trace, judged, known)
            waiting.looked_into[failure.key] = waiting.looked_into.get(failure.key, 0) + 1
            looking += failure.executions
            if (failure.key, failure.minimized) not in known:
                known.add((failure.key, failure.minimized))
                yield _told(so_far, session, executor, waiting, clock() - started, failure)
        yield _told(so_far, session, executor, waiting, clock() - started)


def _is_used_up(budget: Budget, so_far: Fuzzed, seconds: float) -> bool:
    """Whether it is enough."""
    if budget.traces is not None and so_far.traces >= budget.traces:
        return True
    return budget.seconds is not None and seconds >= budget.seconds


def _add(so_far: Fuzzed, group: list[Trace], judged: list[Judged]) -> Fuzzed:
    return replace(
        so_far,
        traces=so_far.traces + len(group),
        ops=so_far.ops + sum(len(trace.ops) for trace in group),
        unknown=so_far.unknown + sum(not each.known for each in judged),
        failing=so_far.failing + sum(each.key is not None for each in judged),
    )


def _told(
    so_far: Fuzzed,
    session: Session,
    executor: Executor,
    waiting: _Waiting,
    seconds: float,
    new: RealFailure | None = None,
) -> Fuzzed:
    return replace(
        so_far,
        waiting=len(waiting.traces),
        executions=executor.executions,
        boots=session.figures.boots,
        seconds=seconds,
        new=new,
    )


def _name_culprits(investigator: Investigator, group: list[Trace], judged: list[Judged]) -> list[Judged]:
    """Give a warning of the kernel, which is seen at the end of a batch, to the trace that makes it come again."""
    for number, each in enumerate(judged):
        if each.trouble is None or each.key is None:
            continue
        culprit = investigator.find_culprit(group[number::-1], each.key)
        if culprit is not None and culprit != group[number]:
            judged[group.index(culprit)] = each
            judged[number] = Judged(known=False, reason="its guest was given up for what another trace did")
    return judged


def _is_expected(trace: Trace, drawing: Drawing, key: str) -> bool:
    """Whether the simulated kernel does the same in the trace."""
    return any(each.oracle == key for each in run_trace(trace, drawing.kernel).violations)


def _with_first(first: tuple[Trace, ...], groups: Iterator[list[Trace]]) -> Iterator[list[Trace]]:
    if first:
        yield list(first)
    yield from groups
    yield []


def _draw_groups(drawing: Drawing, traces: int | None) -> Iterator[list[Trace]]:
    """Groups of traces, together as many as asked for: in turn one at random in a world of its own, and one aimed."""
    aimed = draw_aimed(drawing, lambda seed: draw_world(drawing.world, seed))
    left = traces
    for number in count():
        size = GROUP if left is None else min(GROUP, left)
        if size == 0:
            return
        if number % 2:
            group = list(islice(aimed, size))
        else:
            seed = unit_seed(drawing.seed, number)
            group = list(islice(draw_traces(replace(drawing, world=draw_world(drawing.world, seed), seed=seed)), size))
        yield group
        left = None if left is None else left - len(group)
