"""`mmfuzz ablate`: what a kernel still does wrong without some features, and without all of them."""

import click

from cli.ablate_report import AblateReport, kinds_by_oracle
from cli.ablate_run import AblateOptions, Timed, run_all
from cli.core_state import require_current_core
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.options import KERNEL, NAMES, WORLD, screen_option
from cli.output import Screen, plural
from cli.run_options import (
    DEFAULT_LENGTH,
    DEFAULT_WORLD,
    check_reference,
    choose_seed,
    choose_unit_ops,
    choose_world,
)
from cli.stopping import StopRequest
from cli.versions import find_versions
from fuzzer.ablation import check_features
from fuzzer.cause import default_reference
from fuzzer.seeds import BIGGEST_SEED
from fuzzer.unit import UnitSpec
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from simcore.world import World

# Those that the reviewer of the refused patch left out.
DEFAULT_FEATURES = ("ksm", "memcg", "swapoff", "thp", "tmpfs")


@click.command(name="ablate", short_help="Fuzz without each subset of some features.")
@click.argument("kernel_spec", metavar="KERNEL")
@click.option(
    "--features",
    type=NAMES,
    default=",".join(DEFAULT_FEATURES),
    show_default=True,
    metavar="A,B",
    help="Leave out every subset of these.",
)
@click.option(
    "--ops",
    type=click.IntRange(1),
    metavar="N",
    help="Stop each hunt after N ops. Default: one unit of `mmfuzz run`, without --seconds.",
)
@click.option("--seconds", type=click.FloatRange(0), metavar="S", help="Stop each hunt after S seconds.")
@click.option(
    "--seed",
    type=click.IntRange(0, BIGGEST_SEED),
    metavar="N",
    help="Draw everything from N, of 63 bits. Default: a random one.",
)
@click.option(
    "--world", type=WORLD, metavar="WORLD", help=f"Sizes and features, in one argument. Default: '{DEFAULT_WORLD}'."
)
@click.option(
    "--reference",
    type=KERNEL,
    metavar="KERNEL",
    help="Tell failures apart that this kernel has, too. Default: the parent, else the successor.",
)
@click.option("--markdown", is_flag=True, help="Print the tables as Markdown, nothing else.")
@screen_option
def command(
    kernel_spec: str,
    features: tuple[str, ...],
    ops: int | None,
    seconds: float | None,
    seed: int | None,
    world: World | None,
    reference: Kernel | None,
    markdown: bool,
    screen: Screen,
) -> ExitCode:
    """Fuzz KERNEL in one world for each subset of some features, that subset left out, and print one table of what the
    safety oracles saw: what still fails when a feature is out did not need it.

    Nothing is stored. Exits with 1 when any failure was found, with 0 when none was, with 2 when none was and not
    every world had its turn.
    """
    require_current_core()
    if markdown and screen.as_json:
        raise UsageMistake("--markdown and --json are two forms of one table; give one of them")
    kernel = find_kernel(kernel_spec)
    unit_ops = choose_unit_ops(None)
    if ops is None and seconds is None:
        ops = unit_ops
    spec = UnitSpec(
        kernel, choose_world(world, ()), "swarm", choose_seed(seed), min(unit_ops, ops or unit_ops), DEFAULT_LENGTH
    )
    check_features(features, spec.world)
    options = AblateOptions(
        spec, features, check_reference(kernel, reference) or default_reference(kernel), seconds, ops
    )
    _announce(screen, options, markdown=markdown)
    with StopRequest() as stop:
        report = AblateReport(options, run_all(options, stop, lambda each: _tell(screen, each)))
    screen.document(report.document(find_versions()))
    if markdown:
        screen.say(report.markdown())
    elif not screen.as_json:
        report.print(screen)
    return report.exit_code()


def _announce(screen: Screen, options: AblateOptions, *, markdown: bool) -> None:
    """Print all that will be done; where the table is for a file, on stderr."""
    say = screen.note if markdown else screen.announce
    budget = [f"{options.ops:,} ops"] if options.ops is not None else []
    budget += [f"{options.seconds:g} s"] if options.seconds is not None else []
    for name, value in (
        ("kernel", f"{options.spec.kernel.name}  {options.spec.kernel.digest}"),
        ("reference", options.reference.name if options.reference else "none"),
        ("world", options.spec.world),
        ("left out", f"every subset of {', '.join(options.features)}: {1 << len(options.features)} worlds"),
        ("seed", options.spec.seed),
        ("budget", f"{' or '.join(budget)} a world"),
        ("oracles", "safety"),
    ):
        say(f"{name:10} {value}")


def _tell(screen: Screen, timed: Timed) -> None:
    ablated = timed.ablated
    without = f"without {','.join(ablated.left_out)}" if ablated.left_out else "with everything"
    screen.note(f"{without}: {plural(len(ablated.own), 'failure')} {kinds_by_oracle(ablated.own)}")
