"""`mmfuzz explain`: what happened in a trace, step by step."""

import click

from cli.explanation_text import explanation_document, print_explanation
from cli.inputs import find_input
from cli.options import database_option, kernel_option, reference_option, screen_option
from cli.output import Screen
from cli.trace_text import trace_document
from simcore.explain import explain, format_explanation
from simcore.kernel import Kernel


@click.command(name="explain", short_help="Explain a trace step by step.")
@click.argument("what", metavar="FAILURE|FILE")
@kernel_option
@reference_option
@click.option("--original", is_flag=True, help="Explain the trace as it was drawn, before it was minimized.")
@database_option
@screen_option
def command(
    what: str,
    kernel: Kernel | None,
    reference: Kernel | None,
    original: bool,
    database: str,
    screen: Screen,
) -> None:
    """Explain a trace step by step: the bits that changed, the rows that decided, where it went wrong.

    Takes the id of a stored failure or trace, a trace's file, or - for stdin.
    """
    asked = find_input(what, kernel, database, original=original)
    explanation = explain(asked.trace, asked.kernel, reference or asked.reference)
    text = format_explanation(explanation)
    about = {
        "failure": asked.failure.id if asked.failure else None,
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
    }
    screen.document(about | explanation_document(explanation) | {"text": text})
    print_explanation(screen, text)
