"""Options and types of arguments that several commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.output import Screen
from cli.settings import BROKER_VARIABLE, DATABASE_VARIABLE, SPOOL_VARIABLE, choose_broker, choose_database
from simcore.errors import SimcoreError
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from simcore.world import World

Command = TypeVar("Command", bound=Callable[..., Any])


class KernelType(click.ParamType[Kernel]):
    """A kernel by its name, or from a file: path.py:Class, path.py, path.json or path.toml."""

    name = "kernel"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> Kernel:
        """The kernel. simcore's own errors say what is wrong and what there is."""
        return value if isinstance(value, Kernel) else find_kernel(value)


class WorldType(click.ParamType[World]):
    """A world in its one-line form."""

    name = "world"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> World:
        """The world; a mistake in it is a mistake in the option."""
        if isinstance(value, World):
            return value
        try:
            return World.parse(value)
        except SimcoreError as error:
            self.fail(str(error), param, ctx)


class NamesType(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "names"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, ...]:
        """The names, in order; blanks around them do not matter."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in str(value).split(",") if name.strip())


KERNEL = KernelType()
WORLD = WorldType()
NAMES = NamesType()


def _make_screen(_ctx: click.Context, _param: click.Parameter, as_json: bool) -> Screen:
    return Screen(as_json)


def _choose_database(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str:
    return choose_database(given)


def screen_option(command: Command) -> Command:
    """--json; the command gets a Screen as `screen`."""
    return click.option(
        "--json",
        "screen",
        is_flag=True,
        callback=_make_screen,
        help="Print one JSON document on stdout, nothing else.",
    )(command)


def database_option(command: Command) -> Command:
    """--database; the command gets a path or URL as `database`."""
    return click.option(
        "--database",
        metavar="URL",
        callback=_choose_database,
        help="Path of a SQLite file, or a URL (sqlite:///PATH, postgresql://USER@HOST/NAME). Default:"
        f" ${DATABASE_VARIABLE}, else mmfuzz/mmfuzz.db in $XDG_DATA_HOME or ~/.local/share.",
    )(command)


def _choose_broker(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    return choose_broker(given)


def broker_option(command: Command) -> Command:
    """--broker; the command gets a URL or None as `broker`."""
    return click.option(
        "--broker",
        metavar="URL",
        callback=_choose_broker,
        help=f"The broker, redis://HOST:PORT/DB. Default: ${BROKER_VARIABLE}.",
    )(command)


def spool_option(command: Command) -> Command:
    """--spool; the command gets a folder or None as `spool`."""
    return click.option(
        "--spool",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Where results wait while there is no database."
        f" Default: ${SPOOL_VARIABLE}, else mmfuzz/spool in $XDG_STATE_HOME or ~/.local/state.",
    )(command)


def reference_option(command: Command) -> Command:
    """--reference; the command gets a Kernel or None as `reference`."""
    return click.option(
        "--reference",
        type=KERNEL,
        metavar="KERNEL",
        help="Compare with this kernel. Default: the failure's, else the kernel's parent, else its successor.",
    )(command)


def kernel_option(command: Command) -> Command:
    """--kernel; the command gets a Kernel or None as `kernel`."""
    return click.option(
        "--kernel",
        type=KERNEL,
        metavar="KERNEL",
        help="Run on this kernel: a shipped name, path.py:Class, path.json or path.toml. Default: the one the"
        " failure was found on, or the one the trace names.",
    )(command)
