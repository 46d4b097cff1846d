"""A trace as calls in C: each op a line, and the names of the fragments that these call.

What can be told from the trace alone is decided here: which processes are alive, where no store can be made. What
depends on the kernel's answer is left to the program.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzzer.reproducer.errors import CannotDrive
from simcore.constants import WHOLE_AREA
from simcore.ops import OP_BY_NAME, ArgKind
from simcore.trace import Op, Trace
from simcore.world import World

# By op: the call, with {P}, {p}, {T}, {C} and {i} (the page's number in the file), and the fragments it needs.
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "write": ("store({P}, {p}, {T});", ("store",)),
    "read": ("load({P}, {p});", ("load",)),
    "madv_free": ("madv_free({P}, {p});", ("free",)),
    "madv_dontneed": ("madv_dontneed({P}, {p});", ("dontneed",)),
    "madv_cold": ("advise({P}, {p}, MADV_COLD);", ("advise", "cold")),
    "madv_pageout": ("advise({P}, {p}, MADV_PAGEOUT);", ("pageout",)),
    "fork": ("fork_process({P}, {child});", ("fork",)),
    "exit": ("exit_process({P});", ("exit",)),
    "ksm_scan": ("ksm_scan();", ("ksm_scan",)),
    "mergeable": ("advise({P}, {p}, MADV_MERGEABLE);", ("advise", "ksm")),
    "unmergeable": ("advise({P}, {p}, MADV_UNMERGEABLE);", ("advise", "ksm")),
    "migrate": ("migrate({P}, {p});", ("migrate",)),
    "reclaim": ("reclaim();", ("reclaim",)),
    "swapoff": ("turn_swap_off();", ("swapoff",)),
    "swapon": ("turn_swap_on();", ("swap",)),
    "swapoff_on": ("turn_swap_off(); turn_swap_on();", ("swapoff",)),
    "mlock": ("lock({P}, {p});", ("mlock",)),
    "munlock": ("unlock({P}, {p});", ("munlock",)),
    "memcg_attach": ("attach({P}, {C});", ("groups",)),
    "memcg_reclaim": ("reclaim_group({C});", ("group_reclaim",)),
    "io_done": ("wait_for_io();", ("swap",)),
    "gup_write": ("gup_write({P}, {p}, {T});", ("gup_write",)),
    "mprotect_ro": ("protect({P}, {p}, PROT_READ);", ("protect",)),
    "mprotect_rw": ("protect({P}, {p}, PROT_READ | PROT_WRITE);", ("protect",)),
    "mremap": ("move({P}, {p});", ("move",)),
    "drain": ("drain();", ("drain",)),
    "clear_soft_dirty": ("clear_soft_dirty({P});", ("soft_dirty",)),
    "collapse": ("collapse({P});", ("collapse",)),
    "split": ("split({P}, {p});", ("split",)),
    "punch": ("punch({i});", ("punch",)),
    "truncate": ("truncate_file({i});", ("truncate",)),
    "gup_read": ("gup_read({P}, {p});", ("gup_read",)),
}

WHY_NOT: dict[str, str] = {
    "memcg_limit": "a limit that cannot be kept makes a real kernel kill the process",
    "io_error": "no real swap device fails when it is told to",
    "step": "no program can stop a real kernel between two steps of a path",
    "pin": "no program can hold back a device that writes to its memory",
    "dma": "no program can tell a device when to write to its memory",
    "unpin": "no program can hold back a device that writes to its memory",
}

# Ops by which pages may go to swap.
NEED_SWAP = frozenset({"madv_pageout", "reclaim", "memcg_reclaim"})
# What depends on whether pages are still in a batch, out of its sight.
RECLAIM = frozenset({"reclaim", "memcg_reclaim"})


@dataclass(frozen=True, slots=True)
class Step:
    """One op as C. Without a call, `note` says why there is nothing to do."""

    op: Op
    call: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """A trace's steps, and what must be put together for them."""

    steps: tuple[Step, ...]
    fragments: frozenset[str]


def make_steps(trace: Trace) -> Steps:
    """The steps of a trace. CannotDrive names the first op that no program can make a real kernel do."""
    state = _State(trace.world)
    steps = tuple(_make_step(state, number, op) for number, op in enumerate(trace.ops, start=1))
    fragments = {"cpu", "load", *state.fragments}
    ops = {step.op.name for step in steps if step.call}
    if ops & RECLAIM:
        fragments.add("drain")
    if trace.world.slots and ops & NEED_SWAP:
        fragments.add("swap")
    if not trace.world.slots and ops & NEED_SWAP:
        fragments.add("groups")
    return Steps(steps, frozenset(fragments | _for_world(trace.world, fragments)))


def _for_world(world: World, chosen: Iterable[str]) -> set[str]:
    """The fragments that the world's pages need."""
    fragments = set()
    if _file_pages(world):
        fragments |= {"file", "copied"} if {"store", "gup_write", "mlock", "protect"} & set(chosen) else {"file"}
    if _subpages(world):
        fragments.add("huge")
    if world.mergeable and "ksm" in world.features and {"ksm_scan", "ksm"} & set(chosen):
        fragments.add("ksm")
    return fragments


@dataclass(slots=True)
class _State:
    """What is known of the processes at one point of the trace."""

    world: World
    alive: set[int] = field(default_factory=lambda: {0})
    born: int = 1
    read_only: set[tuple[int, int]] = field(default_factory=set)
    locked: set[tuple[int, int]] = field(default_factory=set)
    moved: set[tuple[int, int]] = field(default_factory=set)
    fragments: set[str] = field(default_factory=set)

    def marks(self) -> tuple[set[tuple[int, int]], ...]:
        """The sets of process and page that fork hands down; a lock it does not."""
        return self.read_only, self.moved

    def pages(self, page: int) -> tuple[int, ...]:
        """The page, or all pages of the area."""
        first = self.world.total_pages - _subpages(self.world)
        return tuple(range(first, self.world.total_pages)) if page == WHOLE_AREA else (page,)


def _make_step(state: _State, number: int, op: Op) -> Step:
    _refuse(state, number, op)
    named: dict[ArgKind, int] = dict(zip(OP_BY_NAME[op.name].args, op.args, strict=True))
    note = _why_nothing(state, op.name, named)
    if note:
        return Step(op, "", note)
    call, fragments = CALLS[op.name]
    values = {
        "P": f"P{named.get('process')}",
        "p": _page_text(named.get("page", 0)),
        "T": named.get("token"),
        "C": named.get("memcg"),
        "i": _file_index(state.world, named.get("page", 0)),
        "child": f"P{state.born}",
    }
    state.fragments |= set(fragments)
    text = call.format(**values) + _copies(state, op.name, named)
    _note_op(state, op.name, named)
    return Step(op, text)


def _refuse(state: _State, number: int, op: Op) -> None:
    why = WHY_NOT.get(op.name)
    if op.begin:
        why = "no program can stop a real kernel in the middle of a path"
    elif op.thread:
        why = "the program's processes have one thread each"
    elif op.name == "mremap" and op.args[1] == WHOLE_AREA and _in_pieces(state, op.args[0]):
        why = "the area is in pieces there, which one mremap() does not move"
    elif WHOLE_AREA in op.args and _is_scattered(state, op.args[0]):
        why = "a page of the area was moved away there, so no call is about all of it"
    if why:
        raise CannotDrive(f"op {number}, `{op}`, cannot be driven on a real kernel: {why}")


def _in_pieces(state: _State, process: int) -> bool:
    """Whether pages of the area differ in what makes a mapping of its own."""
    pages = state.pages(WHOLE_AREA)
    return any(
        0 < sum((process, page) in marked for page in pages) < len(pages) for marked in (state.read_only, state.locked)
    )


def _is_scattered(state: _State, process: int) -> bool:
    pages = state.pages(WHOLE_AREA)
    return 0 < sum((process, page) in state.moved for page in pages) < len(pages)


def _why_nothing(state: _State, name: str, named: Mapping[ArgKind, int]) -> str:
    """Why the op does nothing here; nothing when it does something."""
    process, page = named.get("process"), named.get("page", 0)
    if process is not None and process not in state.alive:
        return f"there is no P{process}"
    if name == "fork" and state.born >= state.world.processes:
        return f"the world has {state.world.processes} processes"
    if name == "write" and (process, page) in state.read_only:
        return "the page is read only there: a store would end the process"
    if name in {"punch", "truncate"} and _file_index(state.world, page) < 0:
        return f"page {page} is none of the file"
    if name in {"collapse", "split"} and page not in (*state.pages(WHOLE_AREA), WHOLE_AREA):
        return f"page {page} is not in the huge area"
    if name == "io_done" and not state.world.slots:
        return "the world has no swap"
    return ""


def _copies(state: _State, name: str, named: Mapping[ArgKind, int]) -> str:
    """Calls that tell the program that a locked, writable, private page of the file is copied at once."""
    if name not in {"mlock", "mprotect_rw"}:
        return ""
    process, page = named["process"], named["page"]
    first = state.world.pages + _file_pages(state.world)
    if not first <= page < first + _file_pages(state.world):
        return ""
    marked = (process, page)
    if name == "mlock" and marked in state.read_only:
        return ""
    if name == "mprotect_rw" and not (marked in state.locked and marked in state.read_only):
        return ""
    return f" copied(P{process}, {page});"


def _note_op(state: _State, name: str, named: Mapping[ArgKind, int]) -> None:
    """Take over what the op changes."""
    process = named.get("process", 0)
    pages = {(process, page) for page in state.pages(named.get("page", 0))}
    if name == "fork":
        for marked in state.marks():
            marked |= {(state.born, page) for who, page in marked if who == process}
        state.alive.add(state.born)
        state.born += 1
    elif name == "exit":
        state.alive.discard(process)
    elif name == "mprotect_ro":
        state.read_only |= pages
    elif name == "mprotect_rw":
        state.read_only -= pages
    elif name == "mlock":
        state.locked |= pages
    elif name == "munlock":
        state.locked -= pages
    elif name == "mremap":
        state.moved ^= pages


def _file_pages(world: World) -> int:
    return world.file if "tmpfs" in world.features else 0


def _subpages(world: World) -> int:
    return world.huge if "thp" in world.features else 0


def _file_index(world: World, page: int) -> int:
    """Which page of the file a page shows; -1 for one that is none of the file."""
    count = _file_pages(world)
    behind = page - world.pages
    return behind % count if count and 0 <= behind < 2 * count else -1


def _page_text(page: int) -> str:
    return "AREA" if page == WHOLE_AREA else str(page)
