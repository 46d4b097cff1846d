"""Several files compared: classes and figures over all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fuzzer.conform.classes import ClassKey
from fuzzer.conform.comparison import DisagreementClass, FileComparison, Part, sorted_classes
from fuzzer.conform.known import Known


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the readings of several files whose two runs agree."""

    files: int
    traces: int
    ops: int
    agreed: int
    explained: int
    unexplained: int


def totals(files: Sequence[FileComparison]) -> Totals:
    """Sums over files."""
    parts = [each.settled for each in files]
    return Totals(
        len(files),
        sum(part.traces for part in parts),
        sum(part.ops for part in parts),
        sum(part.agreed for part in parts),
        sum(part.explained for part in parts),
        sum(part.unexplained for part in parts),
    )


def all_classes(parts: Iterable[Part]) -> tuple[DisagreementClass, ...]:
    """The classes of several files, those of one real kernel's version together."""
    sums: dict[tuple[ClassKey, str], DisagreementClass] = {}
    for part in parts:
        for each in part.classes:
            old = sums.get((each.key, each.version))
            sums[each.key, each.version] = each if old is None else _sum(old, each)
    return sorted_classes(list(sums.values()))


def not_seen(files: Sequence[FileComparison], known: Iterable[Known]) -> list[Known]:
    """The known differences that these files could have shown, and did not: of their kernels, or of traces in them."""
    parts = [each.settled for each in files]
    seen = {each.known for part in parts for each in part.classes}
    versions = {each.source.version for each in files}
    listed = {name for part in parts for name in part.listed}
    return [
        each
        for each in known
        if each not in seen and versions & set(each.kernels) and (each.readings is None or listed & set(each.readings))
    ]


def _sum(a: DisagreementClass, b: DisagreementClass) -> DisagreementClass:
    return replace(
        a,
        first=a.first + b.first,
        explained=a.explained + b.explained,
        known=a.known or b.known,
        traces=a.traces + b.traces,
        total=a.total + b.total,
        example=min(a.example, b.example, key=lambda each: each.rank),
    )
