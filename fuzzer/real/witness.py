"""Judge what a real kernel's loads showed, by the simulator's own oracles of user memory.

The simulator does not run here: of each op only what it returned on the real kernel is taken, and what the program may
expect of its memory from then on. Where a call failed half way, everything that it may have done is allowed.
"""

from collections.abc import Sequence
from typing import Any

from simcore.constants import (
    GARBAGE,
    MAX_PTES,
    SHADOW_FREED,
    VM_FILE,
    VM_LOCKED,
    VM_SHARED,
    VM_WRITE,
    VPN_SHIFT,
    WHOLE_AREA,
)
from simcore.core import NEEDS, new_machine
from simcore.ops import OP_BY_NAME
from simcore.run import Violation, violations_of
from simcore.trace_op import Op
from simcore.user_memory import (
    user_copied,
    user_dropped,
    user_forked,
    user_freed,
    user_loaded,
    user_punched,
    user_stored,
)
from simcore.world import World

Result = tuple[int, int, int, int]
"""errno (minus a signal's number where one ended the op), value, number of the new process, reached."""


class Witness:
    """Knows the expectations of one trace after another in one world. Uncompiled: a few thousand ops a second."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._machine = new_machine(compiled=False)
        self._machine.set_world(world.encode(), NEEDS)
        self._state: Any = self._machine.s

    def judge(
        self, ops: Sequence[Op], results: Sequence[Result], final: Sequence[Sequence[int] | None]
    ) -> Violation | None:
        """The first violation of a trace: by a load in it, or by what is read last in all pages; None if none.

        `results` may be shorter than `ops`: what came after is not judged. `final` is empty where nothing was read.
        """
        self._machine.start(0)
        # What nobody has stored in this trace is of nobody: it may be left from another one.
        self._state.token_owner[:] = [-1] * len(self._state.token_owner)
        for at, (op, result) in enumerate(zip(ops, results, strict=False)):
            self._state.op_index = at
            self._take(op, result)
            if self._state.stopped:
                break
        else:
            self._state.op_index = len(ops)
            self._read_all(final)
        found = violations_of(self._machine)
        return found[0] if found else None

    def _read_all(self, final: Sequence[Sequence[int] | None]) -> None:
        for process, row in enumerate(final):
            for page, value in enumerate(row or ()):
                if not self._state.stopped:
                    user_loaded(self._state, process << VPN_SHIFT | page, value)

    def _take(self, op: Op, result: Result) -> None:
        given = dict(zip(OP_BY_NAME[op.name].args, op.args, strict=True))
        process, page = given.get("process", 0), given.get("page")
        if page is None:
            self._take_process(op.name, process, result)
        else:
            for each in self._pages(page):
                ptep = process << VPN_SHIFT | each
                self._take_page(op.name, ptep, given.get("token", 0), result, whole=page == WHOLE_AREA)

    def _pages(self, page: int) -> Sequence[int]:
        if page != WHOLE_AREA:
            return (page,)
        total = self._world.total_pages
        return range(total - self._world.huge, total)

    def _take_process(self, name: str, process: int, result: Result) -> None:
        s = self._state
        errno, _, child, _ = result
        if errno or name != "fork":
            return
        s.mm_born[child] = s.op_index
        for page in range(self._world.total_pages):
            parent, born = process << VPN_SHIFT | page, child << VPN_SHIFT | page
            s.vm_flags[born] = s.vm_flags[parent] & ~VM_LOCKED
            user_forked(s, parent, born)

    def _take_page(self, name: str, ptep: int, token: int, result: Result, *, whole: bool) -> None:
        s = self._state
        errno, value, _, _ = result
        if name in ("read", "gup_read"):
            # A load that a signal ended shows bytes that nobody stored.
            if errno == 0 or errno < 0:
                user_loaded(s, ptep, value if errno == 0 else GARBAGE)
            return
        if errno:
            if whole:
                self._take_failed(name, ptep)
            return
        if name in ("write", "gup_write"):
            user_copied(s, ptep)
            user_stored(s, ptep, token)
        elif name == "madv_free":
            user_freed(s, ptep, False)
        elif name == "madv_dontneed":
            user_dropped(s, ptep)
        elif name in ("punch", "truncate"):
            self._take_file(name, ptep)
        else:
            self._take_vma(name, ptep)

    def _take_failed(self, name: str, ptep: int) -> None:
        """Advice on a whole area ends at the first page that refuses it, with those before it done."""
        if name in ("madv_free", "madv_dontneed"):
            self._state.shadow[ptep] |= SHADOW_FREED

    def _take_vma(self, name: str, ptep: int) -> None:
        s = self._state
        if name == "mlock":
            s.vm_flags[ptep] |= VM_LOCKED
        elif name == "munlock":
            s.vm_flags[ptep] &= ~VM_LOCKED
        elif name == "mprotect_ro":
            s.vm_flags[ptep] &= ~VM_WRITE
        elif name == "mprotect_rw":
            s.vm_flags[ptep] |= VM_WRITE
        # A locked page that can be written is a private one at once.
        if name in ("mlock", "mprotect_rw") and s.vm_flags[ptep] & (VM_LOCKED | VM_WRITE) == VM_LOCKED | VM_WRITE:
            user_copied(s, ptep)

    def _take_file(self, name: str, ptep: int) -> None:
        """The file's page reads as zeros; cutting the file takes away private copies behind its end, too."""
        s = self._state
        world = self._world
        first = ((ptep & (1 << VPN_SHIFT) - 1) - world.pages) % world.file
        for index in range(first, world.file if name == "truncate" else first + 1):
            user_punched(s, index)
            for process in range(world.processes if name == "truncate" else 0):
                private = process << VPN_SHIFT | world.pages + world.file + index
                if private < MAX_PTES and s.vm_flags[private] & (VM_FILE | VM_SHARED) == VM_FILE:
                    user_dropped(s, private)
