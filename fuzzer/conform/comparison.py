"""Compare a file of readings with the simulator: the figures, and the classes of disagreements with an example each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from fuzzer.conform.agreement import OpAgreement, by_op
from fuzzer.conform.classes import ClassKey, choose_first, class_of
from fuzzer.conform.compare import Disagreement, Masks, Tally, compare
from fuzzer.conform.known import Known, find_known
from fuzzer.conform.observables import smaps_mask, trusted_mask
from fuzzer.conform.reading import Reading, read_file, second_run
from fuzzer.conform.replay import prepare
from fuzzer.conform.world import Source, SwapName, base_world, batch_size, find_source, make_world, version_number
from simcore.core import new_machine
from simcore.kernel import Kernel
from simcore.world import World


@dataclass(frozen=True, slots=True)
class Plan:
    """One file to compare. `batch` and `swap` go before what the names of kernel and file say.

    `limit` is how many traces, None for all. `unsettled` also takes readings whose two runs differ.
    """

    path: Path
    kernel: Kernel
    known: tuple[Known, ...] = ()
    swap: SwapName | None = None
    batch: int | None = None
    limit: int | None = None
    unsettled: bool = False
    compiled: bool | None = None

    @property
    def source(self) -> Source:
        """Where the readings come from. WorldUnknown where that is not known."""
        return find_source(self.path, self.kernel.name, self.swap)

    @property
    def batch_size(self) -> int:
        """Entries of a per-CPU LRU batch."""
        return self.batch or batch_size(self.kernel.name, self.source)

    @property
    def world(self) -> World:
        """The world of all its readings, but for the 2 MiB area."""
        return base_world(self.source, self.batch_size)

    @property
    def masks(self) -> Masks:
        """The bits that are trusted."""
        source = self.source
        return Masks(trusted_mask(source.ksm_is_wrong), smaps_mask(version_number(source.version)))


@dataclass(frozen=True, slots=True)
class Example:
    """A reading that shows a class of disagreements, and where in it. `path` is the file, `line` counts from 1.

    `executions` says that its trace was shortened on the real kernel, and how many were run for that; 0 if it was not.
    """

    path: Path
    line: int
    world: World
    reading: Reading
    found: Disagreement
    executions: int = 0

    @property
    def rank(self) -> tuple[int, int, str, int]:
        """The least rank is the best example: few ops until it shows, then few pages that these ops name."""
        ops = self.reading.ops[: self.found.at + 1]
        return len(ops), len({(process, page) for _, process, page, _ in ops}), self.path.name, self.reading.id


@dataclass(frozen=True, slots=True)
class DisagreementClass:
    """A class of disagreements on one real kernel.

    `first` counts the traces whose first disagreement it is, `explained` those of them in which it is the known
    difference, `traces` those in which it appears, `total` how often it appears. It appears where page and observable
    agreed before the op.
    """

    key: ClassKey
    version: str
    first: int
    explained: int
    traces: int
    total: int
    known: Known | None
    example: Example


@dataclass(frozen=True, slots=True)
class Part:
    """What was compared of a file, and what came of it.

    `agreed` traces agree in every trusted observable, from the first op to the values read at the end; `explained`
    ones first disagree in a known difference. `listed` are the traces that the known differences name one by one.
    """

    traces: int
    ops: int
    agreed: int
    explained: int
    by_op: tuple[OpAgreement, ...]
    classes: tuple[DisagreementClass, ...]
    listed: frozenset[str] = frozenset()

    @property
    def unexplained(self) -> int:
        """Traces whose first disagreement nobody has judged."""
        return self.traces - self.agreed - self.explained


@dataclass(frozen=True, slots=True)
class FileComparison:
    """A file compared: the readings whose two runs agree, the others if they were asked for, and how many were not.

    `rows` has one byte a row of the kernel's flat table: 1 where it decided something.
    """

    path: Path
    source: Source
    kernel: str
    batch: int
    settled: Part
    unsettled: Part | None
    left_out: int
    rows: bytes


def compare_file(plan: Plan) -> FileComparison:
    """Compare a file. ReadingError or WorldUnknown where that cannot be done."""
    source = plan.source
    machine = new_machine(plan.compiled)
    settled = _Collector(plan, source)
    unsettled = _Collector(plan, source)
    left_out = 0
    for line, reading in _readings(plan):
        if reading.det:
            settled.take(line, reading, _disagreements(machine, reading, plan, source, settled.tally))
        elif plan.unsettled:
            unsettled.take(line, *_better_run(machine, reading, plan, source, unsettled.tally))
        else:
            left_out += 1
    return FileComparison(
        plan.path, source, plan.kernel.name, plan.batch_size,
        settled.part(), unsettled.part() if plan.unsettled else None, left_out, machine.covered(),
    )  # fmt: skip


def _readings(plan: Plan) -> Iterator[tuple[int, Reading]]:
    """The readings up to the limit, which counts those that are compared."""
    compared = 0
    for line, reading in read_file(plan.path):
        compared += reading.det or plan.unsettled
        if plan.limit is not None and compared > plan.limit:
            return
        yield line, reading


def _disagreements(machine: Any, reading: Reading, plan: Plan, source: Source, tally: Tally) -> list[Disagreement]:
    prepare(machine, plan.kernel.rows, make_world(source, reading, plan.batch_size))
    return compare(machine, reading, plan.masks, tally)


def _better_run(
    machine: Any, reading: Reading, plan: Plan, source: Source, tally: Tally
) -> tuple[Reading, list[Disagreement]]:
    """Of two runs that differ, the one with which the simulator agrees longer. Only that one is counted."""
    tried = []
    for run in (reading, second_run(reading)):
        counted = Tally()
        found = _disagreements(machine, run, plan, source, counted)
        tried.append((found[0].at if found else len(run.ops) + 1, run, found, counted))
    _, run, found, counted = max(tried, key=lambda each: each[0])
    tally.add(counted)
    return run, found


@dataclass(slots=True)
class _Counts:
    """What a collector knows of a class so far."""

    example: Example
    known: Known | None = None
    first: int = 0
    explained: int = 0
    traces: int = 0
    total: int = 0


@dataclass(slots=True)
class _Collector:
    """Folds one reading after another in; what it holds is its own."""

    plan: Plan
    source: Source
    tally: Tally = field(default_factory=Tally)
    traces: int = 0
    ops: int = 0
    agreed: int = 0
    explained: int = 0
    classes: dict[ClassKey, _Counts] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)

    def take(self, line: int, reading: Reading, found: list[Disagreement]) -> None:
        """Count a reading and its disagreements, which are in the order of ops."""
        self.traces += 1
        self.ops += len(reading.ops)
        self._note_listed(self.source.reading_name(reading.id))
        if not found:
            self.agreed += 1
            return
        self._take_appearing(line, reading, found)
        at = found[0].at
        self._take_first(reading, [each for each in found if each.at == at])

    def _note_listed(self, name: str) -> None:
        if any(known.readings and name in known.readings for known in self.plan.known):
            self.listed.add(name)

    def _take_appearing(self, line: int, reading: Reading, found: list[Disagreement]) -> None:
        seen: set[ClassKey] = set()
        before: tuple[int, set[tuple[int, int, str]]] = -1, set()
        for at, group in groupby(found, key=lambda each: each.at):
            here = list(group)
            lasting = before[1] if before[0] == at - 1 else set()
            for each in here:
                if (each.process, each.page, each.observable) not in lasting:
                    self._count(line, reading, each, seen)
            before = at, {(each.process, each.page, each.observable) for each in here}

    def _count(self, line: int, reading: Reading, found: Disagreement, seen: set[ClassKey]) -> None:
        key = self._key(reading, found)
        world = make_world(self.source, reading, self.plan.batch_size)
        example = Example(self.plan.path, line, world, reading, found)
        counts = self.classes.get(key)
        if counts is None:
            counts = self.classes[key] = _Counts(example)
        counts.total += 1
        counts.traces += key not in seen
        seen.add(key)
        if example.rank < counts.example.rank:
            counts.example = example

    def _take_first(self, reading: Reading, found: list[Disagreement]) -> None:
        """Of the first op that disagrees: what is not known goes before what is."""
        known = {each: self._known(reading, each) for each in found}
        unknown = [each for each in found if known[each] is None]
        chosen = choose_first(unknown or found)
        counts = self.classes[self._key(reading, chosen)]
        counts.first += 1
        if not unknown:
            self.explained += 1
            counts.explained += 1
            counts.known = known[chosen]

    def _known(self, reading: Reading, found: Disagreement) -> Known | None:
        name = self.source.reading_name(reading.id)
        return find_known(self._key(reading, found), self.source.version, name, self.plan.known)

    def _key(self, reading: Reading, found: Disagreement) -> ClassKey:
        return class_of(found, reading, ksm=not self.source.ksm_is_wrong)

    def part(self) -> Part:
        """What came of it."""
        classes = tuple(
            DisagreementClass(key, self.source.version, c.first, c.explained, c.traces, c.total, c.known, c.example)
            for key, c in self.classes.items()
        )
        figures = by_op(self.tally, self.plan.masks)
        return Part(
            self.traces, self.ops, self.agreed, self.explained,
            figures, sorted_classes(classes), frozenset(self.listed),
        )  # fmt: skip


def sorted_classes(classes: "tuple[DisagreementClass, ...] | list[DisagreementClass]") -> tuple[DisagreementClass, ...]:
    """The most frequent as first disagreements first, then those in most traces."""
    return tuple(sorted(classes, key=lambda each: (-each.first, -each.traces, -each.total, each.key.id, each.version)))
