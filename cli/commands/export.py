"""`mmfuzz export`: a failure or a trace as a program that runs it on a real kernel."""

from pathlib import Path
from typing import Any

import click

from cli.errors import UsageMistake
from cli.failure_text import cause_lines, when
from cli.inputs import Input, find_input
from cli.options import database_option, kernel_option, screen_option
from cli.output import Screen, bytes_on_stdout
from cli.trace_text import trace_document
from cli.verdicts import place_of
from fuzzer.reproducer import SEEN_IN_VALUES, Story, make_source
from simcore.kernel import Kernel
from simcore.run import run_trace


class _Output(click.Option):
    """--output, which can be given as -o too, as compilers have it; pages and help have the long name alone."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        parser.add_option(self, ["-o"], dest=self.name)


@click.command(name="export", short_help="Make a program of a failure or a trace.")
@click.argument("what", metavar="FAILURE|FILE")
@click.option("--c", "as_c", is_flag=True, help="Make a reproducer: one C file that runs the trace on a real kernel.")
@click.option(
    "--output",
    cls=_Output,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE instead of stdout; -o FILE is the same.",
)
@kernel_option
@click.option("--original", is_flag=True, help="Take a failure's trace as it was drawn, before it was minimized.")
@database_option
@screen_option
def command(
    what: str,
    as_c: bool,
    output: Path | None,
    kernel: Kernel | None,
    original: bool,
    database: str,
    screen: Screen,
) -> None:
    """Make a program of a failure or a trace, for a kernel developer who has nothing else.

    Takes the id of a stored failure or trace, a trace's file, or - for stdin. With --c it is one C file without any
    dependency. Compiled and run as root it drives the trace on the kernel it runs on, round after round, and exits
    with 1 if a page lost what was stored to it, with 0 if none did, with 2 if it could not be run there.
    """
    if not as_c:
        raise UsageMistake("say what to make of it; there is --c, a reproducer in C")
    asked = find_input(what, kernel, database, original=original)
    story = tell_story(asked)
    source = make_source(asked.trace, story)
    if story.cls and story.cls not in SEEN_IN_VALUES:
        screen.note(f"this is a failure of the class {story.cls}; the program looks at values, which may all be right")
    screen.document(_document(asked, source, output))
    if output is not None:
        _write(output, source)
        screen.say(f"{output}: gcc -O2 -Wall -o repro {output}")
    elif not screen.as_json:
        with bytes_on_stdout() as write:
            write(source.encode("ascii"))


def tell_story(asked: Input) -> Story:
    """What is known of the trace: of a stored failure all that was stored, else what the simulator shows now."""
    failure = asked.failure
    if failure is not None:
        lost = f"{failure.oracle} ({failure.kind}), {when(failure)}: {failure.reason}"
        return Story(failure.id, lost, failure.cls, tuple(cause_lines(failure.cause)))
    violations = run_trace(asked.trace, asked.kernel).violations
    if not violations:
        return Story(asked.source)
    first = violations[0]
    lost = f"{first.oracle} ({first.kind}), at {place_of(first, len(asked.trace.ops))}: {first.what}"
    return Story(asked.source, lost, first.cls)


def _write(output: Path, source: str) -> None:
    try:
        output.write_text(source, "ascii")
    except OSError as error:
        raise UsageMistake(f"{output} cannot be written: {error.strerror}") from error


def _document(asked: Input, source: str, output: Path | None) -> dict[str, object]:
    return {
        "failure": asked.failure.id if asked.failure else None,
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
        "file": str(output) if output else None,
        "c": source,
    }
