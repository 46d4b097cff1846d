"""`mmfuzz conform`: compare a kernel of the simulator with readings of a real one."""

from pathlib import Path
from typing import cast

import click

from cli.conform_tell import compare, show_class, tell
from cli.core_state import require_current_core
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.options import database_option, screen_option
from cli.output import Screen
from fuzzer.conform.comparison import Plan
from fuzzer.conform.known import OWN_LIST, read_known
from fuzzer.conform.world import SWAP_NAMES, SwapName, named_version
from simcore.constants import MAX_BATCH
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel

MAX_JOBS = 1024


@click.command(name="conform", short_help="Compare with readings of real kernels.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--kernel",
    "spec",
    metavar="KERNEL",
    help="Compare this kernel. Default: the shipped one of the version in each file's name.",
)
@click.option(
    "--swap",
    type=click.Choice(SWAP_NAMES),
    help="The swap device the readings were made with. Default: the one in the file's name.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    metavar="N",
    help="Entries of a per-CPU LRU batch. Default: 15, from v6.10 on 31.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Compare N traces of each file.")
@click.option("--all", "unsettled", is_flag=True, help="Take readings, too, whose two runs differ; told separately.")
@click.option(
    "--known",
    "known_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The list of known differences. Default: mmfuzz's own.",
)
@click.option("--show", "wanted", metavar="CLASS", help="Show the example of this class (dis-...) instead.")
@click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    default=1,
    show_default=True,
    metavar="N",
    help="Use N processes, one file each.",
)
@click.option("--no-store", is_flag=True, help="Keep nothing in a database.")
@database_option
@screen_option
def command(
    files: tuple[Path, ...],
    spec: str | None,
    swap: str | None,
    batch: int | None,
    limit: int | None,
    unsettled: bool,
    known_file: Path | None,
    wanted: str | None,
    jobs: int,
    no_store: bool,
    database: str,
    screen: Screen,
) -> ExitCode:
    """Replay readings of real kernels in the simulator, and compare every page after every op.

    FILE has one reading a line (.jsonl or .jsonl.gz); docs/conformance.md says what is compared, and what is not.

    Exits with 0 when every disagreement is a known one, with 1 when one is not, with 2 when nothing was compared.
    """
    require_current_core()
    kernel = None if spec is None else find_kernel(spec)
    known = read_known(known_file or OWN_LIST)
    options = {"swap": swap, "batch": batch, "limit": limit, "all": unsettled}
    plans = [
        Plan(path, kernel or _kernel_of(path), known, cast(SwapName | None, swap), batch, limit, unsettled)
        for path in files
    ]
    # Asked for to find what is wrong with the names before anything is compared.
    for plan in plans:
        _ = plan.source
    compared = compare(screen, plans, spec, jobs, quiet=wanted is not None)
    if wanted is not None:
        return show_class(screen, compared, wanted)
    return tell(screen, compared, known, options, None if no_store else database)


def _kernel_of(path: Path) -> Kernel:
    version = named_version(path)
    if version is None:
        raise UsageMistake(f"{path}: its name is not SET-VERSION-SWAP.jsonl.gz, so say with --kernel what to compare")
    return find_kernel(f"linux-{version}")
