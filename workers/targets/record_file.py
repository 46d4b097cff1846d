"""Fresh readings of a real kernel as a file that `mmfuzz conform` reads."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import msgspec

from fuzzer.conform.world import HUGE_SUBPAGES, Source, SwapName, base_world, version_in
from fuzzer.real.drawing import Drawing, draw_traces
from simcore.kernel import Kernel
from simcore.trace import Trace
from simcore.world import World
from workers.targets.machine import Boot, Swap
from workers.targets.recording import NotRead, record
from workers.targets.session import Figures, Limits, Session

_SWAPS: dict[SwapName, Swap] = {"zram": "zram", "virtio": "disk"}
# Ops on the huge area, which not every world has.
_OF_AREA = frozenset({"collapse", "split"})
# Readings know one memory cgroup.
_NOT_READ = frozenset({"memcg_attach", "memcg_reclaim"})


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What is recorded into one file: so many traces of `least` to `most` ops, drawn from `seed`.

    `kernel` is the simulator's, on whose state the drawing of ops depends. `thp` adds the 2 MiB area; `advised` says
    whether it has MADV_HUGEPAGE.
    """

    path: Path
    boot: Boot
    kernel: Kernel
    swap: SwapName
    batch: int
    seed: int
    traces: int
    first: int = 0
    least: int = 10
    most: int = 30
    thp: bool = False
    advised: int = 1
    smaps: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def world(self) -> World:
        """The world of every trace."""
        version = version_in(self.kernel.name) or "0.0"
        world = base_world(Source(self.path.name, "fresh", version, self.swap), self.batch)
        return replace(world, huge=HUGE_SUBPAGES, advised=self.advised) if self.thp else world


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a plan. `not_read` are the traces without a reading; `seconds` includes the boots."""

    plan: RecordPlan
    readings: int
    settled: int
    ops: int
    seconds: float
    figures: Figures
    release: str
    not_read: tuple[NotRead, ...] = field(default=())


def swap_of(name: SwapName) -> Swap:
    """The device of a guest that stands for the swap of readings."""
    return _SWAPS[name]


def record_file(plan: RecordPlan) -> Recorded:
    """Boot, record, write. TargetError when the guest does not come up."""
    started = time.monotonic()
    not_read: list[NotRead] = []
    readings = settled = ops = 0
    encoder = msgspec.json.Encoder()
    with Session(plan.boot, plan.limits) as session, gzip.open(plan.path, "wb", 6) as file:
        ready = session.start()
        traces = islice(_draw(plan, frozenset(ready.lacks)), plan.traces)
        for each in record(session, traces, first=plan.first, smaps=plan.smaps):
            if isinstance(each, NotRead):
                not_read.append(each)
                continue
            readings += 1
            settled += each.det
            ops += len(each.ops)
            file.write(encoder.encode(each) + b"\n")
        figures = session.figures
    seconds = time.monotonic() - started
    return Recorded(plan, readings, settled, ops, seconds, figures, ready.release, tuple(not_read))


def _draw(plan: RecordPlan, lacks: frozenset[str]) -> Iterator[Trace]:
    without = lacks | _NOT_READ | (frozenset() if plan.thp else _OF_AREA)
    return draw_traces(Drawing(plan.kernel, plan.world, plan.seed, plan.least, plan.most, without))
