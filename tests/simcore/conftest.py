"""The simulator on a bench: run ops in their text form, look at ptes, pages and slots, and end the trace."""

from collections.abc import Callable

import pytest

from simcore import constants as c
from simcore.core import new_machine
from simcore.describe import pte_name
from simcore.kernel import Kernel, with_rows
from simcore.kernel_files import find_kernel
from simcore.rules import RULE_BY_NAME, offset, row_bits
from simcore.run import Violation, prepare, violations_of
from simcore.snapshot import PageState, SlotState, Snapshot, contents_behind, take_snapshot
from simcore.trace import Op, Trace, parse_trace
from simcore.trace_op import encode_op
from simcore.world import World

RESULTS = ("ok", "skipped", "blocked", "EINVAL", "ENOMEM", "EAGAIN", "EFAULT", "ENOENT", "SIGBUS", "EBUSY")
FLAGS = {
    "PD": c.PG_DIRTY,
    "SC": c.PG_SWAPCACHE,
    "SB": c.PG_SWAPBACKED,
    "KSM": c.PG_KSM,
    "active": c.PG_ACTIVE,
    "writeback": c.PG_WRITEBACK,
    "LRU": c.PG_LRU,
    "ref": c.PG_REFERENCED,
    "head": c.PG_HEAD,
    "tail": c.PG_TAIL,
    "X": c.PG_ANON_EXCLUSIVE,
    "file": c.PG_FILE,
    "mlocked": c.PG_MLOCKED,
}


def parse_ops(text: str, world: World) -> tuple[Op, ...]:
    """The ops of a text with `;` or a new line between them."""
    lines = "\n".join(text.split(";"))
    return parse_trace(f"mmfuzz trace 1\nkernel any\nworld {world}\n{lines}\n").ops


class Play:
    """One machine with a trace under way. Ops are text as in a trace, with `;` for a new line."""

    def __init__(self, kernel: str | Kernel, world: str, compiled: bool | None) -> None:
        self.kernel = find_kernel(kernel) if isinstance(kernel, str) else kernel
        self.world = World.parse(world)
        self.machine = prepare(new_machine(compiled), Trace("any", self.world), self.kernel, log=True)
        self.ops: tuple[Op, ...] = ()
        self.log: list[int] = []

    def do(self, text: str) -> list[str]:
        """Run ops; their results in words."""
        ops = parse_ops(text, self.world)
        self.ops += ops
        results = []
        for op in ops:
            results.append(RESULTS[self.machine.op(encode_op(op))])
            self.log += self.machine.take_log()
        return results

    def results(self, text: str) -> str:
        """Run ops; the result of the last one."""
        return self.do(text)[-1]

    def slot_of(self, number: int) -> SlotState:
        """A swap slot."""
        return self.snapshot().slots[number]

    def end(self) -> list[str]:
        """End the trace; the names of the oracles that spoke."""
        self.machine.finish()
        return [violation.oracle for violation in self.violations()]

    def violations(self) -> tuple[Violation, ...]:
        """What the oracles said so far."""
        return violations_of(self.machine)

    @property
    def trace(self) -> Trace:
        """What was run so far."""
        return Trace(self.kernel.name, self.world, self.ops)

    def snapshot(self) -> Snapshot:
        """The machine now."""
        return take_snapshot(self.machine)

    def state(self) -> tuple[Snapshot, object]:
        """Everything that can be seen of the machine now, and who is on which path."""
        return take_snapshot(self.machine), self.machine.actors()

    def exclusive(self, process: int = 0, page: int = 0) -> bool:
        """Whether the pte is a swap pte that says AnonExclusive, or maps a page that is."""
        pte = self.snapshot().ptes[process, page]
        if pte & c.PTE_KIND_MASK == c.PTE_PRESENT:
            return self.page(process, page).flags & c.PG_ANON_EXCLUSIVE != 0
        return pte & c.PTE_EXCLUSIVE != 0

    def huge(self, process: int = 0, page: int = 0) -> bool:
        """Whether the pte is part of a huge mapping."""
        return self.snapshot().ptes[process, page] & c.PTE_HUGE != 0

    def pte(self, process: int = 0, page: int = 0) -> str:
        """The pte as `PWYD s`, `swap s`, `none` or `zero PrY-`: without the number of its frame or slot."""
        words = pte_name(self.snapshot().ptes[process, page]).split()
        if words[0] == "swap":
            return " ".join(["swap", *words[3:]])
        if words[0] == "migration":
            return f"migration {words[2]}"
        if words[-2:] == ["zero", "page"]:
            return f"zero {words[0]}"
        return " ".join(word for word in words if word != "frame" and not word.isdigit())

    def frame(self, process: int = 0, page: int = 0) -> int:
        """The number of the frame that the pte maps, or whose swap cache page it names; -1 if none."""
        snapshot = self.snapshot()
        pte = snapshot.ptes[process, page]
        number = pte >> c.PTE_PAYLOAD_SHIFT
        kind = pte & c.PTE_KIND_MASK
        if kind == c.PTE_SWAP:
            return snapshot.slots[number].page
        return -1 if kind == c.PTE_NONE or pte & c.PTE_ZERO_PAGE else number

    def page(self, process: int = 0, page: int = 0) -> PageState:
        """The frame behind the pte."""
        return self.snapshot().pages[self.frame(process, page)]

    def has(self, flags: str, process: int = 0, page: int = 0) -> str:
        """Of flags like `PD !SC`, how they are: equal to what was asked when all are so."""
        found = self.page(process, page).flags
        names = [word.lstrip("!") for word in flags.split()]
        return " ".join(name if found & FLAGS[name] else f"!{name}" for name in names)

    def slot(self, process: int = 0, page: int = 0) -> int:
        """The slot that the pte names; -1 if it is no swap pte."""
        pte = self.snapshot().ptes[process, page]
        return pte >> c.PTE_PAYLOAD_SHIFT if pte & c.PTE_KIND_MASK == c.PTE_SWAP else -1

    def value(self, process: int = 0, page: int = 0) -> int:
        """The token that a load would see now."""
        return contents_behind(self.snapshot(), (process, page))

    def answers(self, rule: str) -> list[bool]:
        """Every answer that the kernel's rule gave so far."""
        first = offset(RULE_BY_NAME[rule])
        rows = range(first, first + RULE_BY_NAME[rule].row_count)
        return [bool(self.kernel.rows[row]) for row in self.log if row in rows]

    def writes(self) -> int:
        """How often reclaim sent a page to swap."""
        return sum(self.answers("reclaim_writes_page"))


PlayMaker = Callable[..., Play]
SMALL_WORLD = "processes=2 pages=2 frames=12 slots=8 mergeable=2 without=writeback,io_error,steps"


@pytest.fixture
def play(compiled: bool) -> PlayMaker:
    """Start a trace: play(ops, kernel=..., world=...) runs the ops and gives the Play."""

    def start(ops: str = "", *, kernel: str | Kernel = "linux-4.5", world: str = SMALL_WORLD) -> Play:
        started = Play(kernel, world, compiled)
        if ops:
            started.do(ops)
        return started

    return start


KernelMaker = Callable[..., Kernel]


@pytest.fixture
def turned() -> KernelMaker:
    """Make a kernel with a rule the other way: turned(name, rule, bit=True) turns the rows with those bits."""

    def make(name: str, rule: str, **bits: bool) -> Kernel:
        kernel = find_kernel(name)
        declared = RULE_BY_NAME[rule]
        rows = [row for row in range(declared.row_count) if bits.items() <= row_bits(declared, row).items()]
        first = offset(declared)
        return with_rows(kernel, {first + row: not kernel.rows[first + row] for row in rows})

    return make
