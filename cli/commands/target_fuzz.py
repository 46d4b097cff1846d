"""`mmfuzz target fuzz`: look for traces in which a real kernel loses what was stored, or reports trouble."""

from typing import cast

import click

from cli.core_state import require_current_core
from cli.exit_codes import ExitCode
from cli.options import database_option, screen_option
from cli.output import Screen
from cli.run_options import choose_seed
from cli.simulated import simulated_kernel
from cli.stopping import StopRequest
from cli.target_fuzz import TargetFuzz
from cli.target_fuzz_run import FuzzPlan
from fuzzer.conform.world import SWAP_NAMES, Source, SwapName, batch_size, version_in
from fuzzer.engine_constants import MAX_LENGTH
from fuzzer.seeds import BIGGEST_SEED
from workers.targets.accelerators import choose_boot
from workers.targets.fuzzing import Budget
from workers.targets.images import load
from workers.targets.record_file import swap_of

MAX_JOBS = 64
DEFAULT_SECONDS = 60.0


@click.command(name="fuzz", short_help="Fuzz a real kernel.")
@click.argument("target")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    metavar="S",
    help="Stop after S seconds, and what is being looked into then. Default: 60, without --traces.",
)
@click.option("--traces", type=click.IntRange(1), metavar="N", help="Stop after N traces.")
@click.option(
    "--swap", type=click.Choice(SWAP_NAMES), default="zram", show_default=True, help="The guests' swap device."
)
@click.option(
    "--seed",
    type=click.IntRange(0, BIGGEST_SEED),
    metavar="N",
    help="What the traces are drawn from, of 63 bits. Default: a random one.",
)
@click.option(
    "--jobs", type=click.IntRange(1, MAX_JOBS), default=1, show_default=True, metavar="N", help="Guests at once."
)
@click.option(
    "--most", type=click.IntRange(2, MAX_LENGTH), default=30, show_default=True, metavar="N", help="Most ops a trace."
)
@click.option("--thp", is_flag=True, help="Half of the time with a 2 MiB area that can be a huge page.")
@click.option(
    "--kernel", "spec", metavar="KERNEL", help="The simulated kernel. Default: the shipped one of the version."
)
@click.option("--no-store", is_flag=True, help="Keep nothing in a database.")
@database_option
@screen_option
def command(
    target: str,
    seconds: float | None,
    traces: int | None,
    swap: str,
    seed: int | None,
    jobs: int,
    most: int,
    thp: bool,
    spec: str | None,
    no_store: bool,
    database: str,
    screen: Screen,
) -> ExitCode:
    """Run random traces on the real kernel TARGET, and minimize, rate and store those in which it fails.

    A kernel fails that shows a value no program may see, or that reports trouble on its console. Each failure is run
    again, minimized on the real kernel, and run in fresh guests. Ctrl-C or SIGTERM stops after the trace in hand, with
    all that was found; a second one stops at once. Exits as `mmfuzz run` does.
    """
    require_current_core()
    image = load(target)
    version = version_in(image.release)
    kernel = simulated_kernel(image, spec)
    device = cast(SwapName, swap)
    boot, why = choose_boot(image, swap_of(device))
    plan = FuzzPlan(
        boot,
        kernel,
        device,
        version or "0.0",
        batch_size(kernel.name, Source("", "fresh", version or "0.0", device)),
        choose_seed(seed),
        Budget(DEFAULT_SECONDS if seconds is None and traces is None else seconds, traces),
        thp=thp,
        most=most,
    )
    screen.note(
        f"{image.name} ({image.release}), swap on {swap}, {boot.accelerator} because {why}; traces as {kernel.name}"
        f" draws them, seed {plan.seed}"
    )
    with StopRequest() as stop:
        return TargetFuzz(screen, image, plan, jobs, stop, None if no_store else database).execute()
