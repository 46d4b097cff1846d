"""The C file of a trace, put together."""

from collections.abc import Iterable

from fuzzer.reproducer.c_base import BASE
from fuzzer.reproducer.c_groups import GROUPS, RECLAIMING
from fuzzer.reproducer.c_kernel import FILE, OUTSIDE
from fuzzer.reproducer.c_main import DEFINES, HEAD, MAIN, OP
from fuzzer.reproducer.c_memory import MEMORY
from fuzzer.reproducer.c_processes import CALL, DRAIN, LAYOUT, PROCESSES
from fuzzer.reproducer.c_swap import SWAP, SWAPOFF
from fuzzer.reproducer.fragment import Fragment, choose_fragments, resolve_conditions
from fuzzer.reproducer.head_comment import head_comment
from fuzzer.reproducer.steps import Step, make_steps
from fuzzer.reproducer.story import Story
from simcore.constants import NR_NEIGHBOURS
from simcore.trace import Trace
from simcore.world import World

# Each stands behind those it uses.
FRAGMENTS: tuple[Fragment, ...] = (
    *BASE,
    LAYOUT,
    DRAIN,
    FILE,
    SWAP,
    SWAPOFF,
    PROCESSES,
    CALL,
    GROUPS,
    *RECLAIMING,
    *MEMORY,
    *OUTSIDE,
)
SECONDS_OF_A_ROUND = 60
PAGES_OF_THE_AREA = 512


def make_source(trace: Trace, story: Story) -> str:
    """One C file that runs the trace on the kernel it is run on, round after round, and says whether a value was lost.

    CannotDrive for a trace with an op that no program can make a real kernel do.
    """
    planned = make_steps(trace)
    chosen = choose_fragments(planned.fragments, FRAGMENTS)
    names = _names(chosen, trace.world)
    parts = [
        head_comment(trace, story, chosen),
        HEAD,
        *(resolve_conditions(fragment.text, names) for fragment in chosen if fragment.text),
        resolve_conditions(OP, names) if planned.steps else "",
        _trace_function(planned.steps),
        MAIN,
    ]
    text = "\n\n".join(part.strip("\n") for part in parts if part)
    values = _statements(chosen) | _for_swap("swap" in names) | {
        "NUMBERS": _numbers(trace.world, names),
        "AREA": _area(trace.world, names),
        "SETTINGS": _settings(chosen),
        "SECONDS": str(SECONDS_OF_A_ROUND),
        "HANG_CODE": "1" if story.cls == "liveness" else "2",
    }  # fmt: skip
    for name, value in values.items():
        text = _fill(text, name, value)
    return _fill(text, "DEFINES", _defines(text)) + "\n"


def subpages(count: int) -> tuple[int, ...]:
    """Which pages of the area its subpages are: four neighbours at its start, then others far from each other."""
    near = min(count, NR_NEIGHBOURS)
    far = count - near
    last = PAGES_OF_THE_AREA - 1
    return (*range(near), *(min(PAGES_OF_THE_AREA * i // far, last) for i in range(1, far + 1)))


def _names(chosen: Iterable[Fragment], world: World) -> frozenset[str]:
    """The names that lines of fragments may depend on: those of the fragments, and what is so in this world."""
    names = {fragment.name for fragment in chosen}
    if not world.slots:
        names.add("no_slots")
    if "drain" in names:
        names.add("drain_unbatched" if world.batch == 1 else "drain_batched")
    return frozenset(names)


def _fill(text: str, name: str, value: str) -> str:
    """The text with the value in the name's place; a line that would be empty is left out."""
    if not value:
        text = text.replace(f"@{name}@\n", "")
    return text.replace(f"@{name}@", value)


def _numbers(world: World, names: frozenset[str]) -> str:
    """The sizes of the world, as members of an enum."""
    lines = [
        f"{', '.join(f'P{number}' for number in range(world.processes))}, PROCESSES,",
        f"ANON = {world.pages}, /* pages 0 to {world.pages - 1}: private, anonymous */",
    ]
    if "ksm" in names:
        lines.append(f"MERGEABLE = {world.mergeable}, /* the first of them, MADV_MERGEABLE from the start */")
    if "file" in names:
        lines.append(
            f"FILE_PAGES = {world.file}, /* then these of a memfd, mapped shared, and again, mapped private */"
        )
    lines.append(f"PAGES = {world.total_pages},")
    if "huge" in names:
        lines.append(f"FIRST_SUBPAGE = {world.total_pages - world.huge}, /* from here on: pages of an area of 2 MiB */")
        lines.append("AREA = PAGES, /* all of it */")
        lines.append(f"HUGE = {2 << 20},")
        lines.append(f"ADVISED = {world.advised}, /* 1: the area is MADV_HUGEPAGE from the start */")
    if "groups" in names:
        lines.append(f"GROUPS = {world.memcgs},")
    if "swap" in names:
        lines.append(f"ZRAM_WANTED = {world.swap == 'zram':d}, SWAP_IS_TURNED_OFF = {'swapoff' in names:d},")
    return "\n".join(f"\t{line}" for line in lines)


def _area(world: World, names: frozenset[str]) -> str:
    if "huge" not in names:
        return ""
    return f"\nstatic const int subpage[] = {{ {', '.join(map(str, subpages(world.huge)))} }};"


def _settings(chosen: Iterable[Fragment]) -> str:
    settings = dict(setting for fragment in chosen for setting in fragment.settings)
    return "\n".join(f'\t{{ "{path}", "{value}" }},' for path, value in settings.items())


def _statements(chosen: tuple[Fragment, ...]) -> dict[str, str]:
    """What main() calls, and when; what was set up first is undone last."""
    calls = {
        "SET_UP": [*(fragment.check for fragment in chosen), *(fragment.set_up for fragment in chosen)],
        "BEGIN": [fragment.begin for fragment in chosen],
        "END": [fragment.end for fragment in chosen],
        "UNDO": [fragment.undo for fragment in reversed(chosen)],
    }
    return {name: "\n".join(f"\t{call}" for call in each if call) for name, each in calls.items()}


def _for_swap(swap: bool) -> dict[str, str]:
    """The option that only a program with swap has."""
    return {
        "OPTIONS": "n:s:v" if swap else "n:v",
        "SWAP_OPTION": "\t\t} else if (option == 's') {\n\t\t\tswap_given = optarg;" if swap else "",
        "SWAP_USAGE": " [-s SWAP-DEVICE]" if swap else "",
    }


def _trace_function(steps: tuple[Step, ...]) -> str:
    """The function trace(): an op a line."""
    heads = [f'op({number}, "{step.op}");' for number, step in enumerate(steps, start=1)]
    width = max(map(len, heads), default=0)
    lines = [
        f"\t{head.ljust(width)} {step.call or f'/* {step.note} */'}" for head, step in zip(heads, steps, strict=True)
    ]
    return "\n".join(["static void trace(void)", "{", *lines, "}"])


def _defines(text: str) -> str:
    """The kernel's numbers that are used, for headers without them."""
    lines = [f"#ifndef {name}\n#define {name} {value}\n#endif" for name, value in DEFINES if name in text]
    return "\n".join(lines)
