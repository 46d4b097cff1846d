"""Where errors become messages and exit codes: once, by one table.

Bad input and a machine that does not let us are told in one line. An error that is not in the table is a bug of
ours and shows its traceback.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

import click

from cli.errors import InfrastructureTrouble, OutputGone, Stopped, UsageMistake
from cli.exit_codes import ExitCode
from cli.output import to_json
from db.errors import BadRequestError, DatabaseError
from fuzzer.errors import FlakyTrace, FuzzerError, NotAFailure
from guest.errors import GuestError, ModuleError
from simcore.core import CoreUnavailable
from simcore.errors import SimcoreError
from workers.targets.errors import BadTargetError, TargetError

# The first entry that fits counts, so a class comes before its base.
EXIT_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (click.ClickException, ExitCode.USAGE),
    (UsageMistake, ExitCode.USAGE),
    (SimcoreError, ExitCode.USAGE),
    (NotAFailure, ExitCode.INCONCLUSIVE),
    (FlakyTrace, ExitCode.INCONCLUSIVE),
    (FuzzerError, ExitCode.USAGE),
    (BadRequestError, ExitCode.USAGE),
    (DatabaseError, ExitCode.INFRASTRUCTURE),
    (BadTargetError, ExitCode.USAGE),
    (TargetError, ExitCode.INFRASTRUCTURE),
    (ModuleError, ExitCode.USAGE),
    (GuestError, ExitCode.INFRASTRUCTURE),
    (CoreUnavailable, ExitCode.INFRASTRUCTURE),
    (InfrastructureTrouble, ExitCode.INFRASTRUCTURE),
    (OutputGone, ExitCode.INFRASTRUCTURE),
    (Stopped, ExitCode.INCONCLUSIVE),
    (click.Abort, ExitCode.INCONCLUSIVE),
    (KeyboardInterrupt, ExitCode.INCONCLUSIVE),
)


def run_guarded(command: Callable[[], object], arguments: Sequence[str]) -> ExitCode:
    """Run a command and say what went wrong, if anything did; its exit code."""
    try:
        result = command()
        return ExitCode(result) if isinstance(result, int) else ExitCode.PASS
    except (Exception, KeyboardInterrupt) as error:
        code = next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)
        if code is None:
            return _report_bug(error)
        _report(error, code, as_json="--json" in arguments)
        return code
    finally:
        _let_go_of_stdout()


def message_of(error: BaseException) -> str:
    """The error in words."""
    if isinstance(error, click.Abort | KeyboardInterrupt | Stopped):
        return "interrupted"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return f"what to do was not said\n\n{error.format_message()}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.format_message()}\nTry '{error.ctx.command_path} --help'."
    return error.format_message() if isinstance(error, click.ClickException) else str(error)


def _report(error: BaseException, code: ExitCode, *, as_json: bool) -> None:
    if isinstance(error, OutputGone):
        return
    message = message_of(error)
    print(f"mmfuzz: {message}", file=sys.stderr)
    if as_json:
        kind = type(error).__name__
        print(to_json({"error": {"kind": kind, "message": message, "exit_code": int(code)}}))


def _report_bug(error: BaseException) -> ExitCode:
    """Show the traceback of what must not happen."""
    traceback.print_exception(error)
    print("mmfuzz: this is a bug in mmfuzz; the lines above say where", file=sys.stderr)
    return ExitCode.INFRASTRUCTURE


def _let_go_of_stdout() -> None:
    """Hand out what is left for stdout; where that fails, drop it, or Python would fail with it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
