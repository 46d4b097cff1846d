"""`mmfuzz confirm`: does a real kernel fail as the simulator does."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import cast

import click

from cli.confirm_run import Done, confirm_on, find_expected, make_record
from cli.confirm_text import STYLES, describe, done_document
from cli.database import open_to_write
from cli.exit_codes import ExitCode
from cli.inputs import Input, find_input
from cli.options import database_option, kernel_option, screen_option
from cli.output import Screen, plural
from cli.stopping import stopped_at_once
from cli.trace_text import trace_document
from cli.versions import find_versions
from db.confirmations import save_confirmation
from db.database import Database
from fuzzer.conform.world import SWAP_NAMES, SwapName
from simcore.kernel import Kernel
from workers.targets.confirmation import VERDICTS, Expected, Plan, Verdict
from workers.targets.images import load

BOTH = "both"


@click.command(name="confirm", short_help="Try a failure on a real kernel.")
@click.argument("what", metavar="FAILURE|FILE")
@click.option(
    "--target", "targets", required=True, multiple=True, metavar="NAME", help="The real kernel; again for more."
)
@click.option(
    "--swap", type=click.Choice([*SWAP_NAMES, BOTH]), default=BOTH, show_default=True, help="The guests' swap device."
)
@click.option(
    "--runs", type=click.IntRange(1, 10_000), default=10, show_default=True, metavar="N", help="Runs in each guest."
)
@click.option(
    "--guests", type=click.IntRange(1, 100), default=3, show_default=True, metavar="N", help="Fresh guests, each form."
)
@kernel_option
@click.option("--original", is_flag=True, help="Take a failure's trace as it was drawn, before it was minimized.")
@click.option("--no-store", is_flag=True, help="Keep no verdict in the database.")
@database_option
@screen_option
def command(
    what: str,
    targets: Sequence[str],
    swap: str,
    runs: int,
    guests: int,
    kernel: Kernel | None,
    original: bool,
    no_store: bool,
    database: str,
    screen: Screen,
) -> ExitCode:
    """Run a failure's trace on real kernels in QEMU, and say whether they fail in the same way, and how often.

    Takes the id of a stored failure or trace, a trace's file, or - for stdin. The trace is run as it is; where that
    does not fail, with the CPU's LRU batches emptied before every op.

    Exits with 1 if it failed on any target, with 0 if it did not, with 2 if that could not be found out.
    """
    asked = find_input(what, kernel, database, original=original)
    images = [load(name) for name in dict.fromkeys(targets)]
    swaps = SWAP_NAMES if swap == BOTH else (cast(SwapName, swap),)
    expected, plan = find_expected(asked), Plan(runs, guests)
    screen.say(_heading(asked, expected))
    done: list[Done] = []
    stored: list[str | None] = []
    with stopped_at_once(), ExitStack() as stack:
        opened = stack.enter_context(open_to_write(database)) if asked.failure and not no_store else None
        for each in confirm_on(screen, images, swaps, asked.trace, expected, plan):
            if not done or done[-1].image is not each.image:
                screen.say(f"{each.image.name} ({each.image.release})", style="bold")
            for number, line in enumerate(describe(each, plan)):
                screen.say(line, style="" if number else STYLES[each.confirmation.verdict])
            done.append(each)
            stored.append(_store(opened, asked, each, original=original))
    verdict = _overall(done)
    code = _exit_code(done)
    results = [done_document(each, identity) for each, identity in zip(done, stored, strict=True)]
    screen.document(_document(asked, expected, plan, verdict, results) | {"exit_code": int(code)})
    kept = f"; {plural(len(done), 'verdict')} stored with {asked.failure.id}" if asked.failure and not no_store else ""
    screen.say(f"{verdict}{kept}", style=STYLES[verdict])
    return code


def _heading(asked: Input, expected: Expected) -> str:
    lost = f"{expected.cls} {expected.oracle}" if expected.oracle else "the simulator sees nothing wrong in it"
    return f"{asked.source}: {plural(len(asked.trace.ops), 'op')} on {asked.kernel.name}, {lost}"


def _store(opened: Database | None, asked: Input, done: Done, *, original: bool) -> str | None:
    """Keep a verdict as soon as it is there; its id."""
    if opened is None or asked.failure is None:
        return None
    trace = asked.failure.original if original else asked.failure.minimized
    record = make_record(asked.failure, trace.digest, done, find_versions())
    with opened.write() as session:
        save_confirmation(session, record)
    return record.id


def _overall(done: Sequence[Done]) -> Verdict:
    """The verdict that says most."""
    return min((each.confirmation.verdict for each in done), key=VERDICTS.index)


def _exit_code(done: Sequence[Done]) -> ExitCode:
    codes = {"confirmed": ExitCode.FAILURE_FOUND, "not confirmed": ExitCode.PASS}
    return codes.get(_overall(done), ExitCode.INCONCLUSIVE)


def _document(
    asked: Input, expected: Expected, plan: Plan, verdict: Verdict, results: list[dict[str, object]]
) -> dict[str, object]:
    return {
        "failure": asked.failure.id if asked.failure else None,
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
        "expected": {"oracle": expected.oracle, "class": expected.cls} if expected.oracle else None,
        "verdict": verdict,
        "runs": plan.runs,
        "guests": plan.guests,
        "results": results,
        "versions": find_versions(),
    }
