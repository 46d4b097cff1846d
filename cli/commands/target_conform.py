"""`mmfuzz target conform`: hold the simulator against a real kernel, on fresh traces."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import cast

import click

from cli.conform_tell import compare, tell
from cli.core_state import require_current_core
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.options import database_option, screen_option
from cli.output import Screen, plural
from cli.simulated import simulated_kernel
from cli.stopping import stopped_at_once
from cli.target_record import Recording, record_all
from cli.target_shorten import shorten_on_target
from fuzzer.conform.comparison import Plan
from fuzzer.conform.known import OWN_LIST, read_known
from fuzzer.conform.world import SWAP_NAMES, Source, SwapName, batch_size, version_in
from fuzzer.engine_constants import MAX_LENGTH
from fuzzer.seeds import BIGGEST_SEED
from simcore.kernel import Kernel
from workers.targets.accelerators import choose_boot
from workers.targets.images import KernelImage, load
from workers.targets.record_file import RecordPlan, swap_of

MAX_JOBS = 64
# Traces without a reading that are named on the screen; --json has all.
LOST_SHOWN = 5
BOTH = "both"


@click.command(name="conform", short_help="Hold the simulator against a real kernel.")
@click.argument("target")
@click.option(
    "--kernel", "spec", metavar="KERNEL", help="The simulated kernel. Default: the shipped one of the version."
)
@click.option(
    "--swap", type=click.Choice([*SWAP_NAMES, BOTH]), default=BOTH, show_default=True, help="The guest's swap device."
)
@click.option("--traces", type=click.IntRange(1), default=1000, show_default=True, metavar="N", help="Traces per swap.")
@click.option(
    "--seed",
    type=click.IntRange(0, BIGGEST_SEED),
    default=1,
    show_default=True,
    metavar="N",
    help="What the traces are drawn from.",
)
@click.option(
    "--least", type=click.IntRange(1, MAX_LENGTH), default=10, show_default=True, metavar="N", help="Fewest ops."
)
@click.option(
    "--most", type=click.IntRange(1, MAX_LENGTH), default=30, show_default=True, metavar="N", help="Most ops."
)
@click.option("--thp", is_flag=True, help="With a 2 MiB area that can be a huge page.")
@click.option("--smaps", is_flag=True, help="Read smaps, too: the only view of the pte's dirty bit.")
@click.option("--all", "unsettled", is_flag=True, help="Compare readings, too, whose two runs differ; told separately.")
@click.option(
    "--jobs", type=click.IntRange(1, MAX_JOBS), default=1, show_default=True, metavar="N", help="Guests at once."
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep the readings in this folder.")
@click.option("--known", "known_file", type=click.Path(path_type=Path), metavar="FILE", help="The known differences.")
@click.option("--no-store", is_flag=True, help="Keep nothing in a database.")
@database_option
@screen_option
def command(
    target: str,
    spec: str | None,
    swap: str,
    traces: int,
    seed: int,
    least: int,
    most: int,
    thp: bool,
    smaps: bool,
    unsettled: bool,
    jobs: int,
    keep: Path | None,
    known_file: Path | None,
    no_store: bool,
    database: str,
    screen: Screen,
) -> ExitCode:
    """Run fresh random traces on the real kernel TARGET and in the simulator, and compare every page after every op.

    Each trace is run twice on the real kernel, after other traces each time. Exits as `mmfuzz conform` does.
    """
    require_current_core()
    if least > most:
        raise UsageMistake(f"--least {least} is more than --most {most}")
    image = load(target)
    kernel = simulated_kernel(image, spec)
    known = read_known(known_file or OWN_LIST)
    options: dict[str, object] = {
        "target": image.name, "sha256": image.sha256, "release": image.release, "swap": swap, "traces": traces,
        "seed": seed, "least": least, "most": most, "thp": thp, "smaps": smaps, "all": unsettled, "jobs": jobs,
    }  # fmt: skip
    with stopped_at_once(), _folder(keep) as folder:
        plans = [
            replace(
                _plan(folder, image, kernel, each),
                traces=traces,
                seed=seed,
                least=least,
                most=most,
                thp=thp,
                smaps=smaps,
            )
            for each in (SWAP_NAMES if swap == BOTH else (cast(SwapName, swap),))
        ]
        recordings = _record(screen, plans, jobs)
        to_compare = [Plan(plan.path, kernel, known, plan.swap, plan.batch, unsettled=unsettled) for plan in plans]
        compared = compare(screen, to_compare, spec, 1, quiet=False)
        compared = shorten_on_target(screen, compared, plans)
        about = {"recordings": [recording_document(each) for each in recordings]}
        return tell(screen, compared, known, options, None if no_store else database, about)


def _folder(keep: Path | None) -> AbstractContextManager[Path]:
    """Where readings are written: a folder to keep, or one that goes at the end."""
    if keep is None:
        return _temporary_folder()
    keep.mkdir(parents=True, exist_ok=True)
    return nullcontext(keep)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mmfuzz-readings-") as folder:
        yield Path(folder)


def _plan(folder: Path, image: KernelImage, kernel: Kernel, swap: SwapName) -> RecordPlan:
    version = version_in(image.release) or "0.0"
    path = folder / f"fresh-{version}-{swap}.jsonl.gz"
    boot, _ = choose_boot(image, swap_of(swap))
    batch = batch_size(kernel.name, Source(path.name, "fresh", version, swap))
    return RecordPlan(path, boot, kernel, swap, batch, seed=0, traces=0)


def _record(screen: Screen, plans: Sequence[RecordPlan], jobs: int) -> list[Recording]:
    recordings = []
    for each in record_all(plans, jobs):
        recordings.append(each)
        screen.note(describe_recording(each))
        for lost in each.not_read[:LOST_SHOWN]:
            screen.note(f"  trace {lost.number}: {lost.reason}")
    return recordings


def describe_recording(recording: Recording) -> str:
    """One file of readings in a line."""
    readings = sum(part.readings for part in recording.parts)
    settled = sum(part.settled for part in recording.parts)
    boots = [seconds for part in recording.parts for seconds in part.figures.boot_seconds]
    return (
        f"{recording.path.name}: {plural(readings, 'reading')} in {recording.seconds:.0f} s"
        f" ({2 * readings / recording.seconds:.0f} traces a second, each run twice), {settled} alike both times,"
        f" {len(recording.not_read)} not read, {plural(len(boots), 'boot')} of {median(boots):.1f} s"
    )


def recording_document(recording: Recording) -> dict[str, object]:
    """One file of readings, as --json gives it."""
    return {
        "file": recording.path.name,
        "readings": sum(part.readings for part in recording.parts),
        "settled": sum(part.settled for part in recording.parts),
        "ops": sum(part.ops for part in recording.parts),
        "seconds": round(recording.seconds, 3),
        "boot_seconds": [round(seconds, 3) for part in recording.parts for seconds in part.figures.boot_seconds],
        "release": recording.parts[0].release,
        "not_read": [{"trace": lost.number, "reason": lost.reason} for lost in recording.not_read],
    }
