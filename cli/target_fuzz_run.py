"""Several guests of one real kernel fuzzed at once, each by a process of its own that tells how far it has come.

A process leads a session of its own, so that Ctrl-C on a terminal reaches neither it nor its QEMU, and ends when its
parent is gone, however that went; QEMU ends with it.
"""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

from cli.conform_run import leave_signals_to_parent
from cli.stopping import StopRequest
from fuzzer.conform.world import HUGE_SUBPAGES, Source, SwapName, base_world
from fuzzer.real.drawing import Drawing
from fuzzer.seeds import unit_seed
from simcore.kernel import Kernel
from simcore.trace import Trace
from simcore.world import World
from workers.targets.errors import ChannelError, TargetError
from workers.targets.fuzzing import Budget, Fuzzed, fuzz
from workers.targets.machine import Boot
from workers.targets.session import Limits, Session

# Readings, and so the simulated machine that stands for a guest, know one memory cgroup.
_NOT_DRAWN = frozenset({"memcg_attach", "memcg_reclaim"})
_OF_AREA = frozenset({"collapse", "split"})
_LOOK_SECONDS = 0.2
# A process that was asked to stop has the trace in hand to finish; one that does not is killed.
_PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class FuzzPlan:
    """What is fuzzed, and how. `first` are traces that are run before any are drawn."""

    boot: Boot
    kernel: Kernel
    swap: SwapName
    version: str
    batch: int
    seed: int
    budget: Budget
    thp: bool = False
    least: int = 2
    most: int = 30
    first: tuple[Trace, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def world(self) -> World:
        """The largest world that traces are drawn in."""
        world = base_world(Source("", "fresh", self.version, self.swap), self.batch)
        return replace(world, huge=HUGE_SUBPAGES) if self.thp else world


@dataclass(frozen=True, slots=True)
class Told:
    """What a process says: how far it is, that it is done, or why it cannot go on."""

    part: int
    fuzzed: Fuzzed
    done: bool = False
    trouble: str | None = None


def fuzz_all(plan: FuzzPlan, jobs: int, stop: StopRequest) -> Iterator[Told]:
    """What every process tells, as it comes. TargetError when none of them could go on to its end."""
    context = multiprocessing.get_context("spawn")
    asked = context.Event()
    parts = [_Part(number, *_start(context, number, part, asked)) for number, part in enumerate(_parts(plan, jobs))]
    troubles: list[str] = []
    try:
        for told in _listen(parts, asked, stop):
            if told.trouble is not None:
                troubles.append(told.trouble)
            yield told
    finally:
        asked.set()
        for part in parts:
            part.end()
    if len(troubles) == len(parts):
        raise TargetError(troubles[0])


@dataclass(slots=True)
class _Part:
    """A process as its parent sees it."""

    number: int
    process: BaseProcess
    told: Connection
    last: Fuzzed = field(default_factory=Fuzzed)

    def end(self) -> None:
        """Kill it if it is still there; its QEMU goes with it."""
        self.told.close()
        self.process.kill()
        self.process.join()


def _start(
    context: multiprocessing.context.SpawnContext, number: int, plan: FuzzPlan, asked: Event
) -> tuple[BaseProcess, Connection]:
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(number, plan, asked, there), daemon=True)
    process.start()
    # Only the process has the other end then, so that its death is the end of what can be read.
    there.close()
    return process, here


def _listen(parts: Sequence[_Part], asked: Event, stop: StopRequest) -> Iterator[Told]:
    """What is told until all are done, gone, or too slow to stop."""
    open_parts = {part.told: part for part in parts}
    left = _PATIENCE_SECONDS
    while open_parts and left > 0:
        if stop.made:
            asked.set()
            left -= _LOOK_SECONDS
        for ready in wait(list(open_parts), _LOOK_SECONDS):
            assert isinstance(ready, Connection)
            told = _hear(open_parts[ready])
            if told.done or told.trouble is not None:
                del open_parts[ready]
            yield told


def _hear(part: _Part) -> Told:
    try:
        told = part.told.recv()
        assert isinstance(told, Told)
    except EOFError:
        part.process.join()
        why = f"process {part.number} is gone, exit code {part.process.exitcode}"
        return Told(part.number, replace(part.last, new=None), trouble=why)
    part.last = told.fuzzed
    return told


def _parts(plan: FuzzPlan, jobs: int) -> Iterator[FuzzPlan]:
    """The plan for each process: with seeds and a share of the traces of its own."""
    traces = plan.budget.traces
    for part in range(jobs):
        share = None if traces is None else traces // jobs + (part < traces % jobs)
        yield replace(
            plan,
            seed=unit_seed(plan.seed, part),
            budget=replace(plan.budget, traces=share),
            first=plan.first if part == 0 else (),
        )


def _work(number: int, plan: FuzzPlan, asked: Event, told: Connection) -> None:
    """What a process does."""
    os.setsid()
    leave_signals_to_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    last = Fuzzed()
    try:
        with Session(plan.boot, plan.limits) as session:
            without = _NOT_DRAWN | set(session.start().lacks) | (frozenset() if plan.thp else _OF_AREA)
            drawing = Drawing(plan.kernel, plan.world, plan.seed, plan.least, plan.most, without)
            for last in fuzz(session, drawing, plan.budget, stopping=asked.is_set, first=plan.first):
                told.send(Told(number, last))
        told.send(Told(number, replace(last, new=None), done=True))
    except (TargetError, ChannelError) as error:
        told.send(Told(number, replace(last, new=None), trouble=str(error)))
    except BrokenPipeError:
        # The parent does not listen any more.
        return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is a process that another one started"
    wait([parent.sentinel])
    os._exit(1)
