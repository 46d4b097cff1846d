"""What a reading shows of a page, bit by bit: the one table of observables, and what of it can be trusted.

A page is one integer, packed as simcore.observe says.
"""

from dataclasses import dataclass
from typing import Literal

Where = Literal["all", "shown", "present", "head", "mapped", "gone"]
"""On which pages an observable means something: all; classes 1 and 2; class 2; of these all but tails; classes 2 and 3;
classes 0 and 3."""

CLASS_MASK = 7
NONE, ZERO_PAGE, PRESENT, SWAP = 0, 1, 2, 3
CLASS_WORDS = ("none", "zero-page", "present", "swap", "other")
TAIL = 1 << 21
# What /proc/kpageflags says of the page itself. Of a huge page, v6.1 shows it on the head, v6.12 on tails too.
HEAD_ONLY = sum(1 << bit for bit in range(3, 19))
# Head and tail of the huge zero page say nothing of the trace.
PRESENT_ONLY = 3 << 20
# All that Observable.applies() looks at.
APPLIES_MASK = CLASS_MASK | TAIL


@dataclass(frozen=True, slots=True)
class Observable:
    """A field of the integer. `trusted`: a difference is a disagreement; otherwise it is only told."""

    name: str
    shift: int
    width: int
    where: Where
    trusted: bool
    doc: str

    @property
    def mask(self) -> int:
        """Its bits in the integer."""
        return ((1 << self.width) - 1) << self.shift

    def value(self, state: int) -> int:
        """What a page's integer says of it."""
        return state >> self.shift & (1 << self.width) - 1

    def applies(self, state: int) -> bool:
        """Whether it means something on a page."""
        kind = state & CLASS_MASK
        if self.where == "head":
            return kind == PRESENT and not state & TAIL
        return kind in _CLASSES[self.where]


_CLASSES: dict[Where, tuple[int, ...]] = {
    "all": (0, 1, 2, 3, 4),
    "shown": (ZERO_PAGE, PRESENT),
    "present": (PRESENT,),
    "mapped": (PRESENT, SWAP),
    "gone": (NONE, SWAP),
}

# In the order in which the first disagreement of an op is chosen.
OBSERVABLES: tuple[Observable, ...] = (
    Observable("class", 0, 3, "all", True, "none, zero page, present, swap entry"),
    Observable("share", 32, 6, "mapped", True, "which page has the same frame or swap entry"),
    Observable("anon", 10, 1, "head", True, "anonymous page"),
    Observable("file", 24, 1, "present", True, "page of a file or shared memory"),
    Observable("mapcount", 28, 4, "present", True, "how often the frame is mapped"),
    Observable("exclusive", 23, 1, "present", True, "mapped once (pagemap)"),
    Observable("anon-exclusive", 11, 1, "head", True, "PG_anon_exclusive"),
    Observable("ksm", 9, 1, "head", True, "merged by KSM; v6.12 reports it wrongly, so it is not compared there"),
    Observable("frame-changed", 26, 1, "present", True, "on another frame than after the op before"),
    Observable("node", 27, 1, "present", True, "NUMA node"),
    Observable("dirty", 3, 1, "head", True, "PG_dirty"),
    Observable("swapbacked", 5, 1, "head", True, "PG_swapbacked: not lazily freed"),
    Observable("swapcache", 4, 1, "head", True, "in the swap cache"),
    Observable("soft-dirty", 22, 1, "all", True, "soft-dirty bit of the pte or its vma"),
    Observable("thp", 19, 1, "shown", True, "part of a huge page"),
    Observable("compound", 20, 2, "present", True, "head or tail of a huge page"),
    Observable("lru", 6, 1, "head", False, "on an LRU list, not in a batch"),
    Observable("active", 7, 1, "head", False, "PG_active"),
    Observable("referenced", 8, 1, "head", False, "PG_referenced"),
    Observable("raw-swapcache", 12, 1, "head", False, "PG_swapcache or PG_owner_priv_1, raw"),
    Observable("unevictable", 13, 1, "head", False, "PG_unevictable"),
    Observable("mlocked", 14, 1, "head", False, "PG_mlocked"),
    Observable("writeback", 15, 1, "head", False, "PG_writeback"),
    Observable("reclaim", 16, 1, "head", False, "PG_reclaim"),
    Observable("locked", 17, 1, "head", False, "PG_locked"),
    Observable("uptodate", 18, 1, "head", False, "PG_uptodate"),
    Observable("resident", 25, 1, "gone", False, "mincore: the page of the slot or of the file is in memory"),
)
OBSERVABLE_BY_NAME: dict[str, Observable] = {each.name: each for each in OBSERVABLES}
KSM_MASK = OBSERVABLE_BY_NAME["ksm"].mask
TRUSTED_MASK = sum(each.mask for each in OBSERVABLES if each.trusted)

SMAPS_NAMES = (
    "Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "LazyFree",
    "Swap", "SwapPss", "Locked", "KSM",
)  # fmt: skip
# Referenced is the pte's young bit or PG_referenced, which reclaim ages as its batches and refault distances have it.
SMAPS_UNTRUSTED = frozenset({"Referenced"})
# Only v6.12 has the field KSM.
SMAPS_KSM = 1 << SMAPS_NAMES.index("KSM")
SMAPS_TRUSTED_MASK = sum(1 << i for i, name in enumerate(SMAPS_NAMES) if name not in SMAPS_UNTRUSTED)


def trusted_mask(ksm_is_wrong: bool) -> int:
    """The bits in which a difference is a disagreement."""
    return TRUSTED_MASK & ~KSM_MASK if ksm_is_wrong else TRUSTED_MASK


def difference(simulated: int, real: int, mask: int) -> int:
    """The bits of a mask in which two pages differ; of a tail of a huge page, only what is told of every tail."""
    differing = (simulated ^ real) & mask
    if differing & HEAD_ONLY and (simulated | real) & TAIL:
        differing &= ~HEAD_ONLY
    if differing & PRESENT_ONLY and ZERO_PAGE in (simulated & CLASS_MASK, real & CLASS_MASK):
        differing &= ~PRESENT_ONLY
    return differing


def smaps_mask(version: tuple[int, ...]) -> int:
    """The fields of smaps in which a difference is a disagreement, by the real kernel's version."""
    return SMAPS_TRUSTED_MASK if version >= (6, 12) else SMAPS_TRUSTED_MASK & ~SMAPS_KSM


# The words for a page: bit and what is said when it is set, or when a present page lacks it.
_FLAG_WORDS: tuple[tuple[int, str], ...] = (
    (20, "head"), (21, "tail"), (3, "dirty"), (4, "swapcache"), (5, "swapbacked"), (9, "ksm"), (10, "anon"),
    (24, "file"), (11, "anon-exclusive"), (23, "exclusive"),
)  # fmt: skip
_MORE_WORDS: tuple[tuple[int, str], ...] = (
    (22, "soft-dirty"), (26, "frame-changed"), (27, "node1"), (6, "lru"), (7, "active"), (8, "referenced"),
    (12, "raw-swapcache"), (13, "unevictable"), (14, "mlocked"), (15, "writeback"), (16, "reclaim"), (17, "locked"),
)  # fmt: skip


def words(state: int, *, ksm: bool = True) -> str:
    """The page in the words by which disagreements are sorted: `present dirty swapbacked anon exclusive`."""
    kind = state & CLASS_MASK
    flags = [word for bit, word in _FLAG_WORDS if state >> bit & 1 and (ksm or bit != 9)]
    if kind == SWAP and state >> 25 & 1:
        flags.append("cached")
    return " ".join([class_word(state), *flags])


def all_words(state: int, *, ksm: bool = True) -> str:
    """All that is known of the page in words: also the bits that are not trusted, mapcount and sharing."""
    more = [word for bit, word in _MORE_WORDS if state >> bit & 1]
    if state & CLASS_MASK == PRESENT:
        more.append(f"mapcount={state >> 28 & 15}")
    if state & CLASS_MASK == NONE and state >> 25 & 1:
        more.append("resident")
    return " ".join([words(state, ksm=ksm), *more, f"share={state >> 32 & 63}"])


def class_word(state: int) -> str:
    """none, zero-page, present, swap or other."""
    return CLASS_WORDS[min(state & CLASS_MASK, 4)]
