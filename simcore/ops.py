"""The one table of operations: what each is called, takes, needs, and what can run it.

The generator, the trace parser, the documentation and the targets all read this table. Ops name what a user
sees (a process, a page), never a frame, so that a trace keeps its meaning when ops are deleted from it.

An op travels as one 32-bit word: bits 0-7 the code, 8-11 the first argument (process, cgroup or actor),
12 the thread, 13 `begin`, 16-20 the second argument (page, cgroup or count), 24-31 the token.
"""

from dataclasses import dataclass
from typing import Literal

from simcore.constants import KCOMPACTD, KHUGEPAGED, KSMD, KSWAPD

ArgKind = Literal["process", "page", "token", "memcg", "count", "actor"]


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One operation: its code in a trace word, its name, arguments, needs and meaning.

    `path` says that the op has more than one phase and may be begun and stepped; `actor` names who runs it:
    a thread of its process, or a kernel thread. `guest` says that userspace can drive it on a real kernel.
    `weight` is its share among all ops when sequences are drawn. `area`: its page can be the whole huge area.
    """

    code: int
    name: str
    args: tuple[ArgKind, ...]
    needs: frozenset[str]
    doc: str
    path: bool = False
    actor: Literal["thread", "kswapd", "kcompactd", "ksmd", "khugepaged", "none"] = "thread"
    guest: bool = True
    weight: int = 4
    area: bool = False


def _op(
    code: int,
    name: str,
    args: str,
    needs: str,
    doc: str,
    *,
    path: bool = False,
    actor: Literal["thread", "kswapd", "kcompactd", "ksmd", "khugepaged", "none"] = "thread",
    guest: bool = True,
    weight: int = 4,
    area: bool = False,
) -> OpSpec:
    kinds: dict[str, ArgKind] = {
        "P": "process", "p": "page", "T": "token", "C": "memcg", "n": "count", "A": "actor",
    }  # fmt: skip
    taken = tuple(kinds[a] for a in args)
    return OpSpec(code, name, taken, frozenset(needs.split()), doc, path, actor, guest, weight, area)


OPS: tuple[OpSpec, ...] = (
    _op(1, "write", "PpT", "", "The process stores token T to page p.", path=True, weight=20),
    _op(2, "read", "Pp", "", "The process loads page p.", path=True, weight=10),
    _op(3, "madv_free", "Pp", "madv_free", "madvise(MADV_FREE) of page p.", weight=8, area=True),
    _op(4, "madv_dontneed", "Pp", "madv_dontneed", "madvise(MADV_DONTNEED) of page p.", weight=3, area=True),
    _op(5, "madv_cold", "Pp", "madv_cold", "madvise(MADV_COLD) of page p.", weight=2, area=True),
    _op(6, "madv_pageout", "Pp", "madv_pageout", "madvise(MADV_PAGEOUT) of page p.", weight=6, area=True),
    _op(7, "fork", "P", "fork", "The process forks; the child takes the lowest number never used.",
        weight=3),
    _op(8, "exit", "P", "fork", "The process exits; its number is not used again.", weight=1),
    _op(9, "ksm_scan", "", "ksm", "ksmd makes four full scans: pages of equal content are merged.",
        path=True, actor="ksmd", weight=4),
    _op(10, "mergeable", "Pp", "ksm", "madvise(MADV_MERGEABLE) of page p.", weight=1),
    _op(11, "unmergeable", "Pp", "ksm", "madvise(MADV_UNMERGEABLE) of page p: a merged page is copied.",
        weight=1),
    _op(12, "migrate", "Pp", "migration", "The frame of page p moves, for all who map it (move_pages).",
        path=True, actor="kcompactd", weight=6),
    _op(13, "reclaim", "", "", "Memory pressure: every page that may be reclaimed is aged and reclaimed.",
        path=True, actor="kswapd", weight=10),
    _op(14, "swapoff", "", "swapoff", "swapoff(2): everything swapped out is brought back.", actor="none",
        weight=2),
    _op(15, "swapon", "", "swapoff", "swapon(2) of the same device.", actor="none", weight=2),
    _op(16, "swapoff_on", "", "swapoff", "swapoff(2), then swapon(2).", actor="none", weight=2),
    _op(17, "mlock", "Pp", "mlock", "mlock(2) of page p: faulted in and kept.", weight=2, area=True),
    _op(18, "munlock", "Pp", "mlock", "munlock(2) of page p.", weight=2, area=True),
    _op(19, "memcg_limit", "Cn", "memcg", "memory.max of cgroup C becomes n pages; 0 takes the limit away.",
        actor="none", guest=False, weight=1),
    _op(20, "memcg_attach", "PC", "memcg", "The process moves to cgroup C; what it is charged for stays.",
        actor="none", weight=2),
    _op(21, "memcg_reclaim", "C", "memcg", "Reclaim of cgroup C alone (memory.reclaim).",
        path=True, actor="kswapd", weight=3),
    _op(22, "io_done", "", "writeback", "The oldest write to the swap device ends well.", actor="none",
        guest=False, weight=4),
    _op(23, "io_error", "", "io_error", "The oldest write to the swap device fails.", actor="none",
        guest=False, weight=2),
    _op(24, "step", "A", "steps", "The actor's path advances by one phase; a blocked step does nothing.",
        actor="none", guest=False, weight=20),
    _op(25, "gup_write", "PpT", "gup", "The process stores token T to page p through get_user_pages()"
        " (process_vm_writev).", weight=5),
    _op(26, "pin", "Pp", "gup", "Direct I/O into page p begins: the page is held for the device to write to.",
        guest=False, weight=3),
    _op(27, "dma", "PT", "gup", "The device stores token T into the page that the process's I/O holds.",
        actor="none", guest=False, weight=4),
    _op(28, "unpin", "P", "gup", "The process's direct I/O ends: the page is marked dirty and let go of.",
        actor="none", guest=False, weight=3),
    _op(29, "mprotect_ro", "Pp", "mprotect", "mprotect(2) of page p to read only.", weight=1, area=True),
    _op(30, "mprotect_rw", "Pp", "mprotect", "mprotect(2) of page p back to readable and writable.", weight=1,
        area=True),
    _op(31, "mremap", "Pp", "mremap", "mremap(2) of page p to another address.", weight=1, area=True),
    _op(32, "drain", "P", "", "The process's CPU empties its LRU batches (lru_add_drain()).", weight=4),
    _op(33, "clear_soft_dirty", "P", "soft_dirty", "Clears every soft-dirty bit of the process (clear_refs).",
        weight=1),
    _op(34, "collapse", "Pp", "thp", "madvise(MADV_COLLAPSE) of the area that page p is in.", path=True,
        actor="khugepaged", weight=3, area=True),
    _op(35, "split", "Pp", "thp", "The huge page that page p is part of is split into small pages.",
        weight=3, area=True),
    _op(36, "punch", "Pp", "tmpfs", "fallocate(2) punches a hole where page p's page of the file is.", weight=2),
    _op(37, "truncate", "Pp", "tmpfs", "ftruncate(2) of the file to end before page p's page of it, and back.",
        weight=1),
    _op(38, "gup_read", "Pp", "gup", "The process loads page p through get_user_pages() (process_vm_readv).",
        weight=2),
)  # fmt: skip

OP_BY_NAME: dict[str, OpSpec] = {op.name: op for op in OPS}
OP_BY_CODE: dict[int, OpSpec] = {op.code: op for op in OPS}

KERNEL_ACTORS: dict[str, int] = {"kswapd": KSWAPD, "kcompactd": KCOMPACTD, "ksmd": KSMD, "khugepaged": KHUGEPAGED}


def actor_name(actor: int) -> str:
    """The actor's name in a trace: P0, P0@1 (second thread), kswapd, ..."""
    for name, number in KERNEL_ACTORS.items():
        if number == actor:
            return name
    return f"P{actor // 2}@1" if actor % 2 else f"P{actor // 2}"


def actor_numbers(processes: int) -> dict[str, int]:
    """Every actor a trace of so many processes may name, with its number."""
    threads = {actor_name(n): n for n in range(2 * processes)}
    return threads | KERNEL_ACTORS
