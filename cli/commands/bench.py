"""`mmfuzz bench`: the benchmarks of the checkout."""

import contextlib
import importlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from cli.errors import InfrastructureTrouble
from cli.options import screen_option
from cli.output import Screen
from cli.versions import ROOT, find_versions
from simcore.errors import UnknownName

PACKAGE = "benchmarks"
FOLDER = ROOT / PACKAGE
NUMBERS = ("measured", "from", "to", "wanted")


@click.command(name="bench", short_help="Run the benchmarks.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="Only say which benchmarks there are.")
@click.option("--quick", is_flag=True, help="Less work and fewer rounds.")
@screen_option
def command(names: tuple[str, ...], only_list: bool, quick: bool, screen: Screen) -> None:
    """Run the benchmarks, or those named, one after the other.

    Ends with a table of the figures that are claimed somewhere and of what is wanted of them. The benchmarks are part
    of the source checkout, not of an installed wheel.
    """
    there = find_benchmarks()
    for name in names:
        if name not in there:
            raise UnknownName("benchmark", name, there)
    if only_list:
        screen.document(list(there))
        for name in there:
            screen.say(name)
        return
    results = {name: run_benchmark(screen, name, quick) for name in names or there}
    claims = [claim for result in results.values() for claim in result["figures"]["claims"]]
    screen.table(["claim", "measured", "from", "to", "wanted"], list(map(claim_cells, claims)), right=NUMBERS)
    screen.document({"benchmarks": results, "versions": find_versions()})


def find_benchmarks(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the benchmarks: the modules in the folder that do not start with an underscore."""
    names = sorted(path.stem for path in folder.glob("[!_]*.py"))
    if not names:
        raise InfrastructureTrouble(
            f"there are no benchmarks in {folder}: they come with the source checkout, not with an installed wheel;"
            " run `make bench` there"
        )
    return tuple(names)


def run_benchmark(screen: Screen, name: str, quick: bool) -> dict[str, Any]:
    """Call a benchmark's main(): what it returns are its figures, what it prints is for people."""
    screen.announce(f"{name} ...", style="bold")
    started = time.perf_counter()
    printed_to = sys.stderr if screen.as_json else sys.stdout
    with contextlib.redirect_stdout(printed_to):
        figures = _load(name).main(quick)
    seconds = time.perf_counter() - started
    screen.say(f"    {seconds:.1f} s")
    return {"seconds": round(seconds, 3), "figures": figures}


def claim_cells(claim: Mapping[str, Any]) -> list[str]:
    """A row of the table of claims: the figure over all rounds, its range, and what is wanted of it."""
    median, least, greatest = (_number(claim[part]) for part in ("median", "least", "greatest"))
    wanted = "" if claim["wanted"] is None else _number(claim["wanted"])
    return [claim["what"], f"{median} {claim['unit']}", least, greatest, wanted]


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _load(name: str) -> ModuleType:
    """The benchmark's module. The checkout need not be installed."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return importlib.import_module(f"{PACKAGE}.{name}")
