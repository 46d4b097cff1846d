"""The comment at the top of a reproducer: for a reader who has nothing else."""

import textwrap
from collections.abc import Iterable, Iterator

from fuzzer.reproducer.fragment import Fragment
from fuzzer.reproducer.story import SEEN_IN_VALUES, Story
from simcore.trace import Trace, format_trace

WIDTH = 110


def head_comment(trace: Trace, story: Story, chosen: tuple[Fragment, ...]) -> str:
    """The comment: what is lost, the trace, its cause, how to build and run the program, its needs and exit codes."""
    names = frozenset(fragment.name for fragment in chosen)
    swap = "swap" in names
    paragraphs = [
        _paragraph(_what(trace, story)),
        "The trace, as mmfuzz has it (op, process, page, token):",
        _indented(format_trace(trace).splitlines()[1:]),
        *([_paragraph("The cause, in the simulator:"), _indented(story.cause)] if story.cause else []),
        *map(_paragraph, _remarks(trace, names)),
        "Build it, and run it as root on a machine that may be disturbed and does nothing else:",
        _indented(["gcc -O2 -Wall -o repro repro.c", f"./repro [-v] [-n ROUNDS]{' [-s SWAP-DEVICE]' if swap else ''}"]),
        "It needs root, and:",
        _indented(
            [each for each in dict.fromkeys(fragment.requires for fragment in chosen) if each] or ["nothing else"]
        ),
        "Exit codes:",
        _indented(_exit_codes(story)),
    ]
    lines = "\n\n".join(paragraphs).splitlines()
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in lines), " */"])


def _what(trace: Trace, story: Story) -> str:
    lost = story.lost or "in the simulator nothing is lost"
    text = f"{story.source}, found by mmfuzz in its simulator of {trace.kernel}: {lost}."
    if story.cls and story.cls not in SEEN_IN_VALUES:
        text += f" That is a failure of the class {story.cls}, which the values that this program looks at do not show."
    return text


def _remarks(trace: Trace, names: frozenset[str]) -> Iterator[str]:
    """Where the real machine cannot be what the simulated one was, and what becomes of it."""
    yield (
        f"The simulated machine had {trace.world.frames} page frames. This one has more, so what came of an allocation"
        " that had to reclaim first does not come here."
    )
    if names & {"settings", "swap", "groups"}:
        yield "The machine's settings, swap and cgroups are at the end, by Ctrl-C too, what they were before."
    if "swap" in names:
        yield (
            "After each op the program waits until the swap device has no I/O in flight; io_done, which lets one write"
            " end in the simulator, is only such a wait."
        )


def _exit_codes(story: Story) -> list[str]:
    hang = " (or a round did not end: for this failure that is it)" if story.cls == "liveness" else ""
    not_over = "" if hang else ", or a round did not end"
    return [
        "0  every value was right in all rounds",
        f"1  a value was wrong: round, op, process, page, expected and seen are printed{hang}",
        f"2  it could not be run here: what is missing is printed{not_over}",
    ]


def _paragraph(text: str) -> str:
    return "\n".join(textwrap.wrap(_plain(text), WIDTH))


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"\t{_plain(line)}" for line in lines)


def _plain(text: str) -> str:
    """The text as a C comment can hold it."""
    seen = text.replace("*/", "* /").replace("/*", "/ *").encode("ascii", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in seen).split(" "))
