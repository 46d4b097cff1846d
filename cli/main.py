"""The `mmfuzz` command: the group of all commands, and the way in.

A command's module is imported when the command is asked for, so that none waits for what another needs.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from cli.edge import run_guarded
from cli.versions import find_versions
from simcore.errors import unknown_name
from workers.logs import start_logging

# In the order of --help. Each is a module of cli.commands that has `command`, a command or a group.
COMMANDS: tuple[str, ...] = (
    "run",
    "campaign",
    "coordinator",
    "worker",
    "ablate",
    "replay",
    "explain",
    "export",
    "confirm",
    "minimize",
    "conform",
    "target",
    "failure",
    "kernel",
    "trace",
    "db",
    "bench",
    "doctor",
)


class CommandGroup(click.Group):
    """The commands of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in the order of --help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, from its module; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command), f"cli.commands.{cmd_name} has no command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but a name that is no command is told with those that are."""
        if not args[0].startswith("-") and args[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(unknown_name("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        versions = find_versions()
        print(f"mmfuzz {versions['mmfuzz']}, core {versions['core']}, Python {versions['python']}")
        ctx.exit()


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Say which mmfuzz.",
)
def mmfuzz() -> None:
    """Fuzz the rules by which a kernel manages virtual memory.

    Does a change to them lose data, leak, hang, or waste I/O? `mmfuzz run KERNEL` says so, with the shortest trace
    of ops that shows it and the rows of the rules that are its cause.

    Exit codes: 0 pass, 1 failure found, 2 inconclusive, 3 wrong usage or input, 4 trouble with the machine or
    database. Every command has --json: one document on stdout, all else on stderr.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command of the arguments (default: the process's own), and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    start_logging("error")
    sys.exit(run_guarded(lambda: mmfuzz.main(given, prog_name="mmfuzz", standalone_mode=False), given))


if __name__ == "__main__":
    main()
