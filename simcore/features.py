"""What a world can leave out: the features of the simulated machine, by name.

The order is the order of the FEATURE_* bits in constants.py; names are only ever added at the end.
"""

FEATURES: dict[str, str] = {
    "fork": "fork(2): pages and swap slots shared between processes, copy on write",
    "mlock": "mlock(2) and munlock(2): VM_LOCKED vmas, the unevictable list",
    "madv_free": "madvise(MADV_FREE): pages given up lazily",
    "madv_dontneed": "madvise(MADV_DONTNEED): pages dropped at once",
    "madv_cold": "madvise(MADV_COLD): pages moved to the inactive list",
    "madv_pageout": "madvise(MADV_PAGEOUT): one page reclaimed now",
    "migration": "migration of a page to another frame: move_pages(2) and compaction",
    "ksm": "kernel samepage merging",
    "memcg": "memory cgroups: limits, charges and reclaim of one group",
    "swapoff": "swapoff(2) and swapon(2)",
    "writeback": "writes to the swap device that end later than the op that started them",
    "io_error": "writes to the swap device that fail",
    "steps": "paths cut where the kernel drops its locks, and a second thread in each process",
    "tmpfs": "the pages of a tmpfs file, mapped shared and private (the world's `file`)",
    "thp": "a 2 MiB area that can be one huge page (the world's `huge`)",
    "gup": "pages held by get_user_pages(): stores through it, and DMA",
    "mprotect": "mprotect(2): write permission taken away and given back",
    "mremap": "mremap(2): a page moved to another address",
    "soft_dirty": "clearing soft-dirty bits through clear_refs",
}
ALL_FEATURES: frozenset[str] = frozenset(FEATURES)


def feature_mask(features: frozenset[str]) -> int:
    """The features as the core's bit mask: bit i is the i-th name of FEATURES."""
    return sum(1 << i for i, name in enumerate(FEATURES) if name in features)
