"""`mmfuzz run`: fuzz a kernel and tell what was found."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.core_state import require_current_core
from cli.database import open_to_write
from cli.exit_codes import ExitCode
from cli.failure_text import AnyFailure
from cli.options import KERNEL, NAMES, WORLD, database_option, screen_option
from cli.output import Screen
from cli.progress import choose_progress
from cli.run_loop import Run
from cli.run_options import (
    DEFAULT_LENGTH,
    DEFAULT_WORLD,
    RunOptions,
    announce_options,
    check_reference,
    choose_seconds,
    choose_seed,
    choose_unit_ops,
    choose_world,
)
from cli.run_report import RunReport
from cli.stopping import StopRequest
from cli.versions import find_versions
from fuzzer.cause import default_reference
from fuzzer.engine_constants import MAX_LENGTH
from fuzzer.engine_table import ENGINES
from fuzzer.seeds import BIGGEST_SEED
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from simcore.world import World

MAX_JOBS = 1024


@click.command(name="run", short_help="Fuzz a kernel.")
@click.argument("kernel_spec", metavar="KERNEL")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    metavar="S",
    help="Stop after S seconds. Default: 10, without --ops.",
)
@click.option(
    "--ops",
    type=click.IntRange(0),
    metavar="N",
    help="Stop after N ops. Alone, makes a run that repeats exactly.",
)
@click.option("--stop-after", type=click.IntRange(1), metavar="N", help="Stop after N different failures.")
@click.option(
    "--seed",
    type=click.IntRange(0, BIGGEST_SEED),
    metavar="N",
    help="Draw everything from N, of 63 bits. Default: a random one.",
)
@click.option(
    "--engine",
    default="swarm",
    show_default=True,
    metavar="NAME",
    help=f"How sequences are drawn: {', '.join(e.name for e in ENGINES)}.",
)
@click.option(
    "--world", type=WORLD, metavar="WORLD", help=f"Sizes and features, in one argument. Default: '{DEFAULT_WORLD}'."
)
@click.option(
    "--without",
    type=NAMES,
    default=(),
    metavar="A,B",
    help="Take these features out of the world: ksm,swapoff,...",
)
@click.option("--oracles", type=NAMES, metavar="A,B", help="Count only what these oracles see. Default: all.")
@click.option(
    "--reference",
    type=KERNEL,
    metavar="KERNEL",
    help="Exchange rows with this kernel to find causes. Default: the parent, else the successor.",
)
@click.option(
    "--length",
    type=click.IntRange(1, MAX_LENGTH),
    default=DEFAULT_LENGTH,
    show_default=True,
    metavar="N",
    help="Draw sequences of up to N ops.",
)
@click.option(
    "--unit-ops",
    type=click.IntRange(1),
    metavar="N",
    help="Do N ops in one piece. Default: as many as take a part of a second.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    default=1,
    show_default=True,
    metavar="N",
    help="Use N processes. What is found does not depend on it.",
)
@click.option(
    "--no-checks",
    is_flag=True,
    help="Leave counts and costs unchecked until a sequence fails: faster, and deaf to costs.",
)
@click.option("--no-store", is_flag=True, help="Keep nothing in a database.")
@database_option
@screen_option
def command(
    kernel_spec: str,
    seconds: float | None,
    ops: int | None,
    stop_after: int | None,
    seed: int | None,
    engine: str,
    world: World | None,
    without: tuple[str, ...],
    oracles: tuple[str, ...] | None,
    reference: Kernel | None,
    length: int,
    unit_ops: int | None,
    jobs: int,
    no_checks: bool,
    no_store: bool,
    database: str,
    screen: Screen,
) -> ExitCode:
    """Fuzz KERNEL: run random sequences of ops, and minimize, explain and store those that fail.

    KERNEL is a shipped kernel's name (see `mmfuzz kernel list`), path.py:Class, path.json or path.toml.
    Ctrl-C or SIGTERM stops after the piece in hand, with all that was found; a second one stops at once.

    Exits with 1 when any failure was found, with 0 when none was, with 2 when none was and the run did not
    get to its end.
    """
    require_current_core()
    kernel = find_kernel(kernel_spec)
    options = RunOptions(
        kernel_spec=kernel_spec,
        kernel=kernel,
        reference=check_reference(kernel, reference) or default_reference(kernel),
        world=choose_world(world, without),
        engine=engine,
        seed=choose_seed(seed),
        seconds=choose_seconds(seconds, ops),
        ops=ops,
        stop_after=stop_after,
        jobs=jobs,
        unit_ops=choose_unit_ops(unit_ops),
        length=length,
        oracles=oracles,
        checks=not no_checks,
    )
    # Made to find what is wrong with the options before anything is opened.
    options.campaign()
    return fuzz(screen, options, None if no_store else database)


def fuzz(screen: Screen, options: RunOptions, database: str | None) -> ExitCode:
    """Run, store and report; the exit code. Without a database nothing is stored."""
    versions = find_versions()
    with ExitStack() as open_things:
        stop = open_things.enter_context(StopRequest())
        place = database or open_things.enter_context(_nowhere())
        opened = open_things.enter_context(open_to_write(place))
        shown = opened.shown if database is not None else None
        announce_options(screen, options, shown)
        progress = open_things.enter_context(choose_progress(screen))
        run = Run(options, versions, opened, place, progress, stop, lambda each: _tell(screen, each))
        outcome = run.execute()
    if database is None:
        outcome = replace(outcome, run_id=None)
    report = RunReport(options, outcome, database)
    screen.document(report.document(versions, shown))
    if not screen.as_json:
        report.print(screen, shown)
    if outcome.trouble is not None:
        screen.note(f"mmfuzz: {outcome.trouble}")
    return report.exit_code()


@contextmanager
def _nowhere() -> Iterator[str]:
    """A database that is gone afterwards: what a run does without one that stays."""
    with TemporaryDirectory(prefix="mmfuzz-") as folder:
        yield str(Path(folder, "run.db"))


def _tell(screen: Screen, failure: AnyFailure) -> None:
    screen.note(f"found {failure.id}: {failure.cls} {failure.oracle}: {failure.reason}")
