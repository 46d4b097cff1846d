"""`mmfuzz target test`: whether a target does what every target must."""

import time

import click

from cli.exit_codes import ExitCode
from cli.options import screen_option
from cli.output import Screen
from cli.stopping import stopped_at_once
from fuzzer.conform.world import SWAP_NAMES, SwapName
from workers.targets.accelerators import choose_boot
from workers.targets.check import MANY, Check, check_target
from workers.targets.images import load
from workers.targets.record_file import swap_of
from workers.targets.session import Session


@click.command(name="test", short_help="Run the conformance suite of targets on one.")
@click.argument("target")
@click.option("--swap", type=click.Choice(SWAP_NAMES), help="Only with this swap device. Default: with each.")
@click.option(
    "--many", type=click.IntRange(50), default=MANY, show_default=True, metavar="N", help="Traces for growth."
)
@screen_option
def command(target: str, swap: SwapName | None, many: int, screen: Screen) -> ExitCode:
    """Boot the real kernel TARGET, and try what every target must do: run each op, repeat itself, die, hang, go on.

    Exits with 1 when a check fails.
    """
    image = load(target)
    document: list[dict[str, object]] = []
    passed = True
    with stopped_at_once():
        for each in [swap] if swap else SWAP_NAMES:
            started = time.monotonic()
            boot, why = choose_boot(image, swap_of(each))
            screen.say(
                f"{image.name} ({image.release}), swap on {each}: initramfs {time.monotonic() - started:.1f} s;"
                f" {boot.accelerator}, because {why}"
            )
            for check in check_target(lambda limits, boot=boot: Session(boot, limits), many):  # type: ignore[misc]
                passed &= check.passed
                document.append(_document(each, check))
                screen.say(_line(check), style="" if check.passed else "bold red")
    screen.document({"target": image.name, "release": image.release, "passed": passed, "checks": document})
    screen.say("PASS" if passed else "FAIL", style="bold")
    return ExitCode.PASS if passed else ExitCode.FAILURE_FOUND


def _line(check: Check) -> str:
    return f"  {'ok  ' if check.passed else 'FAIL'} {check.name:<40} {check.seconds:7.2f} s  {check.seen}"


def _document(swap: SwapName, check: Check) -> dict[str, object]:
    return {
        "swap": swap,
        "check": check.name,
        "passed": check.passed,
        "seconds": round(check.seconds, 3),
        "seen": check.seen,
    }
