"""Failures of a real kernel as they are stored, and told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.output import plural
from cli.verdicts import violation_document
from db.values import FailureRecord, RunRecord
from fuzzer.real.finding import CRASH, KERNEL_REPORT, identify, report_violation, simulated_violation
from simcore.kernel import Kernel
from simcore.rules import TOTAL_ROWS
from simcore.world import World
from workers.targets.execution import Rate
from workers.targets.images import KernelImage
from workers.targets.investigation import RealFailure

ENGINE = "qemu"


@dataclass(frozen=True, slots=True)
class Found:
    """A failure as it is stored, with what the simulated kernel does in its trace: an oracle, or empty for nothing."""

    record: FailureRecord
    rate: Rate
    fresh: Rate
    simulated: str
    is_minimized: bool

    def lines(self) -> Iterator[str]:
        """The failure as it is told, a line each."""
        record = self.record
        yield f"found {record.id}: {record.cls} {record.oracle}: {record.reason}"
        how = f"minimized from {len(record.original.ops)}" if self.is_minimized else "not minimized"
        yield f"  trace of {plural(len(record.minimized.ops), 'op')}, {how}; {record.minimized.world}"
        yield f"    {'; '.join(map(str, record.minimized.ops))}"
        yield f"  as drawn it failed again in {rate_words(self.rate)}; this in fresh guests in {rate_words(self.fresh)}"
        yield f"  {simulated_words(self.simulated, record.kernel)}"


def make_found(
    failure: RealFailure,
    image: KernelImage,
    kernel: Kernel,
    options: Mapping[str, object],
    versions: Mapping[str, str],
    seed: int,
) -> Found:
    """The failure for the database. `kernel` is the simulated one of the version."""
    minimized = failure.minimized
    identity = identify(failure.key, image.sha256, minimized, kernel)
    simulated = simulated_violation(minimized, kernel)
    name = simulated.oracle if simulated else ""
    if failure.violation is not None:
        violation = violation_document(failure.violation)
    else:
        assert failure.trouble is not None, "what failed is a violation or trouble"
        trouble = failure.trouble
        violation = report_violation(trouble.line, trouble.kind, trouble.place, trouble.excerpt, minimized.ops)
    record = FailureRecord(
        id=identity.id,
        signature=identity.signature,
        oracle=failure.violation.oracle if failure.violation else KERNEL_REPORT,
        cls=failure.violation.cls if failure.violation else CRASH,
        kind=str(violation["kind"]),
        kernel=kernel,
        original=failure.original,
        minimized=minimized,
        reason=f"on {image.name}: {violation['what']}",
        violation=violation,
        cause={
            "reference": None, "rows": [], "complete": False,
            "how": f"not looked for: seen on a real kernel; {simulated_words(name, kernel)}",
        },
        minimization={"executions": failure.executions, "one_minimal": failure.is_minimized, "on_real_kernel": True},
        seed=seed,
        count=1,
        options={
            **options,
            "rate": rate_document(failure.rate),
            "fresh_rate": rate_document(failure.fresh),
            "simulated": name or None,
        },
        versions=dict(versions),
        seen=datetime.now(UTC),
    )  # fmt: skip
    return Found(record, failure.rate, failure.fresh, name, failure.is_minimized)


def run_record(
    kernel: Kernel, world: World, seed: int, options: Mapping[str, object], versions: Mapping[str, str]
) -> RunRecord:
    """A run as it starts. No rule is asked on a real kernel, so no row can be covered."""
    return RunRecord(kernel, world, ENGINE, seed, options, versions, TOTAL_ROWS, datetime.now(UTC))


def rate_document(rate: Rate) -> dict[str, object]:
    """A rate for JSON, with its 95 % interval."""
    low, high = rate.interval
    return {"failed": rate.failed, "runs": rate.runs, "low": round(low, 4), "high": round(high, 4)}


def rate_words(rate: Rate) -> str:
    """A rate as people say it."""
    return str(rate) if rate.runs else "no run: it was not run again"


def simulated_words(oracle: str, kernel: Kernel) -> str:
    """What the simulated kernel does in the same trace."""
    return f"the simulated {kernel.name} {f'says {oracle}' if oracle else 'does nothing wrong'} in the same trace"
