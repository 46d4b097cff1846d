"""What a command runs: a trace from a file, from stdin or from the database, and the kernel to run it on."""

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import UsageMistake
from fuzzer.cause import default_reference
from simcore.errors import TraceError
from simcore.kernel import Kernel
from simcore.kernel_files import canary_kernels, kernel_names, shipped_kernels
from simcore.trace import Trace, parse_trace, read_trace

if TYPE_CHECKING:
    from db.values import StoredFailure

STDIN = "-"
_STORED_ID = re.compile(r"(fail|trc)-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Input:
    """A trace, the kernel to run it on, and the one to compare that with; the stored failure it belongs to, if any.

    The trace names the kernel, whatever it named where it came from.
    """

    trace: Trace
    kernel: Kernel
    reference: Kernel | None
    source: str
    failure: "StoredFailure | None" = None


def find_input(spec: str, kernel: Kernel | None, database: str, *, original: bool = False) -> Input:
    """The trace that a file, `-`, or the id of a stored failure or trace stands for, and its kernel.

    `kernel` goes before the kernel that was stored or named. `original` takes a failure's trace as it was drawn.
    """
    if spec != STDIN and not Path(spec).exists() and _STORED_ID.fullmatch(spec):
        return _stored_input(spec, kernel, database, original=original)
    if original:
        raise UsageMistake(f"{spec} is a file: only a stored failure (fail-...) has an original trace")
    trace = read_input_trace(spec)
    source = "the trace on stdin" if spec == STDIN else spec
    return _input(trace, kernel or find_named_kernel(trace, source), source)


def read_input_trace(spec: str) -> Trace:
    """The trace in a file, or on stdin for `-`. TraceError names source, line and column."""
    if spec == STDIN:
        try:
            return parse_trace(sys.stdin.buffer.read().decode(), "<stdin>")
        except UnicodeDecodeError as error:
            raise TraceError("not a trace: not even text in UTF-8", source="<stdin>") from error
    if not Path(spec).exists():
        raise UsageMistake(
            f"there is no file {spec!r}; give a trace's file, - for stdin, or an id such as fail-0123456789"
        )
    return read_trace(Path(spec))


def find_named_kernel(trace: Trace, source: str) -> Kernel:
    """The shipped kernel that a trace names.

    A name is never taken for a file: a trace may come from anybody, and a kernel's file is a program.
    """
    for kernel in (*shipped_kernels(), *canary_kernels()):
        if kernel.name == trace.kernel:
            return kernel
    raise UsageMistake(
        f"{source} is for the kernel {trace.kernel}, which is not a shipped one; say with --kernel what to run"
        f" it on: a file, or one of {', '.join(kernel_names())}"
    )


def _stored_input(spec: str, kernel: Kernel | None, database: str, *, original: bool) -> Input:
    """A failure's or a single trace of the database."""
    from cli.database import open_to_read
    from db.queries import get_failure, get_kernel, get_trace

    with open_to_read(database) as opened, opened.read() as session:
        if spec.startswith("trc-"):
            trace = get_trace(session, spec).trace()
            return _input(trace, kernel or find_named_kernel(trace, spec), spec)
        failure = get_failure(session, spec)
        trace = (failure.original if original else failure.minimized).trace()
        if kernel is not None:
            return _input(trace, kernel, failure.id, failure)
        found_on = get_kernel(session, failure.kernel_digest)
        reference = get_kernel(session, failure.reference_digest) if failure.reference_digest else None
        return replace(_input(trace, found_on, failure.id, failure), reference=reference)


def _input(trace: Trace, kernel: Kernel, source: str, failure: "StoredFailure | None" = None) -> Input:
    return Input(replace(trace, kernel=kernel.name), kernel, default_reference(kernel), source, failure)
