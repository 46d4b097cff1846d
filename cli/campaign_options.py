"""The settings of a campaign: from a file, from options that go before what it says, or from a stored campaign."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from cli.errors import UsageMistake
from cli.options import NAMES
from cli.run_options import DEFAULT_WORLD
from fuzzer.campaign.file import CampaignFile, campaign_of, read_campaign
from fuzzer.campaign.spec import FORMAT, CampaignSpec
from fuzzer.seeds import SEED_BITS
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel

BUDGET = ("seconds", "ops", "failures", "plateau")


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that stand for settings of a campaign; None where one was not given."""
    for option in reversed(
        (
            click.option(
                "--kernel", "kernels", multiple=True, metavar="KERNEL", help="Fuzz this kernel. Again for more."
            ),
            click.option("--reference", metavar="KERNEL", help="Exchange rows with this kernel to find causes."),
            click.option(
                "--world", "worlds", multiple=True, metavar="WORLD", help="Fuzz in this world. Again for more."
            ),
            click.option(
                "--without",
                type=NAMES,
                multiple=True,
                metavar="A,B",
                help="Leave these features out. Again for more sets.",
            ),
            click.option("--engine", "engines", multiple=True, metavar="NAME[=WEIGHT]", help="Draw by this engine."),
            click.option("--oracles", type=NAMES, metavar="A,B", help="Count only what these oracles see."),
            click.option("--seed", type=int, metavar="N", help="Draw everything from N, of 63 bits."),
            click.option("--priority", type=int, metavar="N", help="Its share of the workers, 1 to 100."),
            click.option("--seconds", type=float, metavar="S", help="End after S seconds of running."),
            click.option("--ops", type=int, metavar="N", help="End after N ops."),
            click.option("--failures", type=int, metavar="N", help="End after N different failures."),
            click.option("--plateau", type=int, metavar="N", help="End after N ops without a new row or failure."),
            click.option("--length", type=int, metavar="N", help="Draw sequences of up to N ops."),
            click.option("--seeds", type=int, metavar="N", help="Put up to N seeds in a unit."),
            click.option("--seed-ops", type=int, metavar="N", help="Do N ops with each seed."),
            click.option(
                "--canary-minutes", type=float, metavar="M", help="Plan a unit that must fail every M minutes."
            ),
        )
    ):
        command = option(command)
    return command


def choose_settings(base: CampaignFile | None, given: dict[str, Any]) -> CampaignFile:
    """The settings of a file or of another campaign, with those given on the command line in their place."""
    if base is None:
        if not given["kernels"]:
            raise UsageMistake("no kernel was named: give --kernel KERNEL or --from FILE.toml")
        base = CampaignFile(format=FORMAT, kernels=[])
    _take(base, "kernels", list(given["kernels"]))
    _take(base, "worlds", list(given["worlds"]))
    _take(base, "without", [list(names) for names in given["without"]])
    _take(base, "engines", dict(_engine(text) for text in given["engines"]))
    _take(base, "oracles", list(given["oracles"] or ()))
    for name in ("reference", "seed", "priority", "length", "canary_minutes"):
        if given[name] is not None:
            setattr(base, name, given[name])
    for name in BUDGET:
        if given[name] is not None:
            setattr(base.budget, name, given[name])
    for name in ("seeds", "seed_ops"):
        if given[name] is not None:
            setattr(base.units, name, given[name])
    return base


def make_spec(settings: CampaignFile, find: Callable[[str], Kernel] = find_kernel) -> CampaignSpec:
    """The campaign of settings; a seed that was not given is drawn, worlds that were not are the default one."""
    return campaign_of(settings, find, DEFAULT_WORLD, lambda: secrets.randbits(SEED_BITS))


def read_settings(path: Path) -> CampaignFile:
    """The settings in a TOML file."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageMistake(f"{path}: not a text in UTF-8, which TOML is") from error
    except OSError as error:
        raise UsageMistake(f"{path}: cannot be read: {error.strerror}") from error
    return read_campaign(text, str(path))


def _take(base: CampaignFile, name: str, value: Sequence[Any] | dict[str, int]) -> None:
    if value:
        setattr(base, name, value)


def _engine(text: str) -> tuple[str, int]:
    name, equals, weight = text.partition("=")
    if not equals:
        return name, 1
    if not weight.isdecimal():
        raise UsageMistake(f"--engine {text}: the weight is a whole number, such as {name}=2")
    return name, int(weight)
