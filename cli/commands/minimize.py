"""`mmfuzz minimize`: the simplest trace that fails as a given one does."""

import click

from cli.errors import UsageMistake
from cli.inputs import find_input
from cli.options import database_option, kernel_option, reference_option, screen_option
from cli.output import Screen, plural
from cli.trace_text import trace_document
from cli.verdicts import violation_document, violation_line
from fuzzer.errors import NotAFailure
from fuzzer.minimize import Minimized, minimize
from simcore.errors import UnknownName
from simcore.kernel import Kernel
from simcore.oracles import ORACLE_BY_NAME
from simcore.run import Violation, run_trace
from simcore.trace import Trace


@click.command(name="minimize", short_help="Make a failing trace as simple as it can be.")
@click.argument("what", metavar="FAILURE|FILE")
@kernel_option
@reference_option
@click.option(
    "--oracle", metavar="NAME", help="Keep what this oracle saw. Default: the first that spoke, worst class first."
)
@database_option
@screen_option
def command(
    what: str,
    kernel: Kernel | None,
    reference: Kernel | None,
    oracle: str | None,
    database: str,
    screen: Screen,
) -> None:
    """Minimize a failing trace, and print the one that came of it with what was tried as comments.

    Takes a trace's file, - for stdin, or the id of a stored failure or trace; of a failure, the trace as it was
    drawn. What is printed is a trace again. Exits with 2 when the trace does not fail.
    """
    asked = find_input(what, kernel, database, original=what.startswith("fail-"))
    violation = choose_violation(asked.trace, asked.kernel, oracle)
    done = minimize(asked.trace, asked.kernel, violation, reference=reference or asked.reference)
    screen.document(_document(asked.trace, done))
    for line in _comments(asked.trace, done):
        screen.say(f"# {line}", style="dim")
    for line in str(trace_document(done.trace)["text"]).splitlines():
        screen.say(line)


def choose_violation(trace: Trace, kernel: Kernel, oracle: str | None) -> Violation:
    """What the oracle saw, or the worst that any saw. NotAFailure when there is nothing."""
    if oracle is not None and oracle not in ORACLE_BY_NAME:
        raise UnknownName("oracle", oracle, ORACLE_BY_NAME)
    violations = run_trace(trace, kernel).violations
    if not violations:
        raise NotAFailure(f"there is nothing to minimize: no oracle speaks when the trace is run on {kernel.name}")
    if oracle is None:
        return violations[0]
    for violation in violations:
        if violation.oracle == oracle:
            return violation
    spoke = ", ".join(each.oracle for each in violations)
    raise UsageMistake(f"{oracle} does not speak when the trace is run on {kernel.name}; what does: {spoke}")


def _comments(trace: Trace, done: Minimized) -> list[str]:
    ops = len(done.trace.ops)
    needed = "without any one op it does not fail so" if done.one_minimal else "some op may not be needed"
    shorter = "known: none shorter fails so in this world" if done.shortest == "known" else "not known"
    executions = plural(done.executions, "execution")
    return [
        violation_line(done.violation, ops),
        f"{plural(len(trace.ops), 'op')} -> {ops} in {executions}; slips into other failures refused: {done.slips}",
        f"1-minimal: {needed}",
        f"shortest: {shorter}",
        f"tried: {', '.join(done.tried)}",
    ]


def _document(trace: Trace, done: Minimized) -> dict[str, object]:
    return {
        "kernel": done.trace.kernel,
        "original": trace_document(trace),
        "trace": trace_document(done.trace),
        "violation": violation_document(done.violation),
        "executions": done.executions,
        "slips": done.slips,
        "one_minimal": done.one_minimal,
        "shortest": done.shortest,
        "tried": list(done.tried),
    }
