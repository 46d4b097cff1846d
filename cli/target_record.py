"""Readings recorded by several guests beside each other, each on a part of the traces."""

import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from cli.conform_run import leave_signals_to_parent
from fuzzer.seeds import unit_seed
from workers.targets.record_file import Recorded, RecordPlan, record_file
from workers.targets.recording import NotRead


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of readings, and what its parts say of themselves."""

    path: Path
    parts: tuple[Recorded, ...]

    @property
    def not_read(self) -> tuple[NotRead, ...]:
        """The traces of which there is no reading."""
        return tuple(each for part in self.parts for each in part.not_read)

    @property
    def seconds(self) -> float:
        """How long it took: the parts were made at once."""
        return max(part.seconds for part in self.parts)


def record_all(plans: Sequence[RecordPlan], jobs: int) -> Iterator[Recording]:
    """Record each plan's file, by so many guests at a time; which traces are drawn depends on their number."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=leave_signals_to_parent) as pool:
        for plan in plans:
            parts = tuple(pool.map(record_file, _parts(plan, jobs)))
            _join([part.plan.path for part in parts], plan.path)
            yield Recording(plan.path, parts)


def _parts(plan: RecordPlan, jobs: int) -> list[RecordPlan]:
    """The plan cut into one for each guest, each with seeds and numbers of its own."""
    sizes = [plan.traces // jobs + (index < plan.traces % jobs) for index in range(jobs)]
    return [
        replace(
            plan,
            path=plan.path.with_name(f".{index}-{plan.path.name}"),
            seed=unit_seed(plan.seed, index),
            traces=size,
            first=plan.first + sum(sizes[:index]),
        )
        for index, size in enumerate(sizes)
        if size
    ]


def _join(parts: Sequence[Path], whole: Path) -> None:
    """One file of several: what gzip wrote one after the other, it reads as one."""
    with whole.open("wb") as file:
        for part in parts:
            with part.open("rb") as read:
                shutil.copyfileobj(read, file)
            part.unlink()
