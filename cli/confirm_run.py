"""A failure's trace on real kernels, one after the other; each verdict as it comes, and as it is stored."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cli.inputs import Input
from cli.output import Screen
from cli.verdicts import CLASS_ORDER
from db.confirmations import ConfirmationRecord
from db.values import StoredFailure
from fuzzer.conform.world import SwapName
from simcore.run import run_trace
from simcore.trace import Trace
from workers.targets.accelerators import choose_accelerator
from workers.targets.boots import make_boot
from workers.targets.confirmation import Confirmation, Expected, Plan, confirm, describe_obstacle
from workers.targets.images import KernelImage
from workers.targets.record_file import swap_of
from workers.targets.session import Session


@dataclass(frozen=True, slots=True)
class Done:
    """The verdict on one kernel with one swap device. `accelerator` is empty where no guest was booted."""

    image: KernelImage
    swap: SwapName
    accelerator: str
    confirmation: Confirmation
    seconds: float


def find_expected(asked: Input) -> Expected:
    """What was seen before: of a stored failure what was stored, else the worst that the simulator sees now."""
    if asked.failure is not None:
        seen_then = asked.failure.violation
        report = f"{seen_then.get('kind', '')} {seen_then.get('place', '')}".strip()
        return Expected(asked.failure.oracle, asked.failure.cls, report if asked.failure.cls == "crash" else "")
    seen = sorted(run_trace(asked.trace, asked.kernel).violations, key=lambda each: CLASS_ORDER.index(each.cls))
    return Expected(seen[0].oracle, seen[0].cls) if seen else Expected()


def confirm_on(
    screen: Screen,
    images: Sequence[KernelImage],
    swaps: Sequence[SwapName],
    trace: Trace,
    expected: Expected,
    plan: Plan,
) -> Iterator[Done]:
    """Try the trace on every kernel with every swap device. TargetError when guests cannot be started here at all."""
    for image in images:
        accelerator = ""
        for swap in swaps:
            started = time.monotonic()
            if describe_obstacle(trace):
                # No guest is asked what no guest can do.
                verdict = Confirmation("cannot be driven", describe_obstacle(trace))
                yield Done(image, swap, "", verdict, time.monotonic() - started)
                continue
            boot = make_boot(image, swap_of(swap))
            accelerator = accelerator or choose_accelerator(boot)[0]

            def note(line: str, where: str = f"{image.name}, swap on {swap}") -> None:
                screen.note(f"{where}: {line}", style="dim")

            with Session(replace(boot, accelerator="kvm" if accelerator == "kvm" else "tcg")) as session:
                verdict = confirm(session, trace, expected, plan, note)
            yield Done(image, swap, accelerator, verdict, time.monotonic() - started)


def make_record(failure: StoredFailure, digest: str, done: Done, versions: Mapping[str, str]) -> ConfirmationRecord:
    """The verdict as it is stored; `digest` is of the failure's trace that was run."""
    verdict = done.confirmation
    seen = verdict.tried[-1].seen if verdict.tried else None
    trouble = seen.trouble if seen else None
    return ConfirmationRecord(
        failure_id=failure.id,
        trace_digest=digest,
        target=done.image.name,
        kernel_sha256=done.image.sha256,
        release=done.image.release,
        swap=done.swap,
        verdict=verdict.verdict,
        form=verdict.failed_form,
        failed=verdict.rate.failed,
        runs=verdict.rate.runs,
        unknown=verdict.unknown,
        # A console is whatever the guest wrote; not every database has NUL.
        reason=verdict.reason.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        console=trouble.excerpt.replace("\0", "\N{REPLACEMENT CHARACTER}") if trouble else None,
        versions=dict(versions) | ({"accelerator": done.accelerator} if done.accelerator else {}),
        at=datetime.now(UTC),
    )
