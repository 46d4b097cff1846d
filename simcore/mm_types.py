"""The state of the simulated machine: one flat struct of fixed maxima.

Uncompiled it is this class, with lists for arrays. Compiled it is a C struct of the same fields, written into
mm_types.pxd from the annotations: `Annotated[list[int], C type, length]`. There is no pointer and no Python
object in it, so a snapshot is one copy.
"""

from typing import Annotated, get_args, get_type_hints

from simcore.constants import (
    MAX_ACTORS,
    MAX_BATCHED,
    MAX_FILE,
    MAX_HOMES,
    MAX_LINKS,
    MAX_LOG,
    MAX_LRU_SIZES,
    MAX_MEMCG,
    MAX_MM,
    MAX_OP_CODES,
    MAX_ORACLES,
    MAX_PAGES,
    MAX_PAGES_AND_SLOTS,
    MAX_PARTS,
    MAX_PTES,
    MAX_RMAP,
    MAX_ROWS,
    MAX_SLOTS,
    MAX_TOKENS,
    NR_BATCHES,
)

# For annotations: integers with a C type of their own.
u32 = int
i64 = int
u64 = int


class MmState:
    """Everything a trace can change, and the kernel's truth tables.

    Indices: ptep = process << VPN_SHIFT | page; pfn a frame; slot a swap slot; actor as in simcore.ops.
    -1 stands for no frame, slot, cgroup or page.
    """

    # --- the world
    nr_mm_max: Annotated[int, "int"]
    nr_vpn: Annotated[int, "int"]
    nr_frames: Annotated[int, "int"]
    nr_slots: Annotated[int, "int"]
    nr_memcgs: Annotated[int, "int"]
    nr_mergeable: Annotated[int, "int"]
    nr_anon: Annotated[int, "int"]
    nr_file: Annotated[int, "int"]
    nr_huge: Annotated[int, "int"]
    advised: Annotated[int, "int"]
    batch_size: Annotated[int, "int"]
    sync_io: Annotated[int, "int"]
    features: Annotated[int, "int"]
    checks: Annotated[int, "int"]
    op_needs: Annotated[list[int], "int32_t", MAX_OP_CODES]

    # --- processes
    nr_mm: Annotated[int, "int"]
    mm_alive: Annotated[list[int], "uint8_t", MAX_MM]
    mm_born: Annotated[list[int], "int32_t", MAX_MM]
    mm_memcg: Annotated[list[int], "int8_t", MAX_MM]
    area_dense: Annotated[list[int], "uint8_t", MAX_MM]
    pmd: Annotated[list[int], "uint8_t", MAX_MM]
    mmap_readers: Annotated[list[int], "int8_t", MAX_MM]
    pte: Annotated[list[int], "int32_t", MAX_PTES]
    vm_flags: Annotated[list[int], "uint8_t", MAX_PTES]
    anon_root: Annotated[list[int], "int16_t", MAX_PTES]
    ksm_checksum: Annotated[list[int], "int16_t", MAX_PTES]
    ksm_in_tree: Annotated[list[int], "uint8_t", MAX_PTES]

    # --- page frames
    nr_free_pages: Annotated[int, "int"]
    nr_used_pages: Annotated[int, "int"]
    free_pages: Annotated[list[int], "int16_t", MAX_PAGES]
    page_flags: Annotated[list[int], "int32_t", MAX_PAGES]
    page_mapcount: Annotated[list[int], "int16_t", MAX_PAGES]
    page_refcount: Annotated[list[int], "int16_t", MAX_PAGES]
    page_content: Annotated[list[int], "uint8_t", MAX_PAGES]
    page_slot: Annotated[list[int], "int16_t", MAX_PAGES]
    page_lock: Annotated[list[int], "int8_t", MAX_PAGES]
    page_memcg: Annotated[list[int], "int8_t", MAX_PAGES]
    page_root: Annotated[list[int], "int16_t", MAX_PAGES]
    page_head: Annotated[list[int], "int16_t", MAX_PAGES]
    comp_page: Annotated[list[int], "int16_t", MAX_PARTS]
    page_index: Annotated[list[int], "int8_t", MAX_PAGES]
    page_pins: Annotated[list[int], "int16_t", MAX_PAGES]
    rmap: Annotated[list[int], "int32_t", MAX_RMAP]
    lru_next: Annotated[list[int], "int16_t", MAX_LINKS]
    lru_prev: Annotated[list[int], "int16_t", MAX_LINKS]
    lru_size: Annotated[list[int], "int16_t", MAX_LRU_SIZES]
    nr_batched: Annotated[int, "int"]
    batch_count: Annotated[list[int], "int8_t", NR_BATCHES]
    batch_page: Annotated[list[int], "int16_t", MAX_BATCHED]

    # --- direct I/O under way, one a process: the frame held, or -1, and the page it was started on, or -1
    pin_page: Annotated[list[int], "int16_t", MAX_MM]
    pin_ptep: Annotated[list[int], "int16_t", MAX_MM]

    # --- the tmpfs file: for each page its frame or -1, its swap slot or -1
    shmem_page: Annotated[list[int], "int16_t", MAX_FILE]
    shmem_slot: Annotated[list[int], "int16_t", MAX_FILE]
    shmem_size: Annotated[int, "int"]

    # --- swap device
    swap_on: Annotated[int, "int"]
    nr_free_slots: Annotated[int, "int"]
    nr_used_slots: Annotated[int, "int"]
    free_slots: Annotated[list[int], "int16_t", MAX_SLOTS]
    slot_count: Annotated[list[int], "int16_t", MAX_SLOTS]
    slot_page: Annotated[list[int], "int16_t", MAX_SLOTS]
    slot_content: Annotated[list[int], "uint8_t", MAX_SLOTS]
    slot_written: Annotated[list[int], "uint8_t", MAX_SLOTS]
    slot_claimed: Annotated[list[int], "uint8_t", MAX_SLOTS]
    nr_writes: Annotated[int, "int"]
    write_queue: Annotated[list[int], "int16_t", MAX_PAGES]

    # --- memory cgroups
    memcg_limit: Annotated[list[int], "int16_t", MAX_MEMCG]
    memcg_usage: Annotated[list[int], "int16_t", MAX_MEMCG]

    # --- actors: what path each is on and what it holds
    nr_busy: Annotated[int, "int"]
    act_path: Annotated[list[int], "uint8_t", MAX_ACTORS]
    act_phase: Annotated[list[int], "uint8_t", MAX_ACTORS]
    act_flags: Annotated[list[int], "int32_t", MAX_ACTORS]
    act_ptep: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_write: Annotated[list[int], "int8_t", MAX_ACTORS]
    act_token: Annotated[list[int], "uint8_t", MAX_ACTORS]
    act_pte: Annotated[list[int], "int32_t", MAX_ACTORS]
    act_pfn: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_parts: Annotated[list[int], "uint8_t", MAX_ACTORS]
    act_new: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_slot: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_memcg: Annotated[list[int], "int8_t", MAX_ACTORS]
    act_list: Annotated[list[int], "int8_t", MAX_ACTORS]
    act_todo: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_round: Annotated[list[int], "int8_t", MAX_ACTORS]
    act_target: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_freed: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_tries: Annotated[list[int], "int16_t", MAX_ACTORS]
    act_result: Annotated[list[int], "int16_t", MAX_ACTORS]

    # --- what the program may expect of its memory, and what became of that
    expect: Annotated[list[int], "uint8_t", MAX_HOMES]
    shadow: Annotated[list[int], "uint8_t", MAX_HOMES]
    origin: Annotated[list[int], "uint8_t", MAX_HOMES]
    token_owner: Annotated[list[int], "int16_t", MAX_TOKENS]
    token_time: Annotated[list[int], "int32_t", MAX_TOKENS]
    shared_seen: Annotated[list[int], "uint8_t", MAX_HOMES]
    op_index: Annotated[int, "int"]
    stopped: Annotated[int, "int"]
    probing: Annotated[int, "int"]
    failed: Annotated[int, "int32_t"]
    fail_at: Annotated[list[int], "int32_t", MAX_ORACLES]
    fail_ptep: Annotated[list[int], "int16_t", MAX_ORACLES]
    fail_origin: Annotated[list[int], "uint8_t", MAX_ORACLES]
    fail_expected: Annotated[list[int], "int16_t", MAX_ORACLES]
    fail_seen: Annotated[list[int], "int16_t", MAX_ORACLES]
    outcome: Annotated[int, "uint64_t"]
    last_value: Annotated[int, "int"]

    # --- a reading's branch that reclaim follows, and the frames that were shown last
    following: Annotated[int, "int"]
    follow: Annotated[list[int], "uint8_t", MAX_PTES]
    pagemap_by_head: Annotated[int, "int"]
    shown_pfn: Annotated[list[int], "int16_t", MAX_PTES]

    # --- for the count identities: whether any count or mapping changed, and scratch of one check
    counts_changed: Annotated[int, "int"]
    seen_users: Annotated[list[int], "int16_t", MAX_PAGES_AND_SLOTS]
    seen_holders: Annotated[list[int], "int16_t", MAX_PAGES]

    # --- the kernel's truth tables, the rows used, and the log of rows in the order of use
    rows: Annotated[list[int], "uint8_t", MAX_ROWS]
    covered: Annotated[list[int], "uint8_t", MAX_ROWS]
    log: Annotated[list[int], "int16_t", MAX_LOG]
    nr_log: Annotated[int, "int"]

    def __init__(self) -> None:
        for name, length in _FIELDS:
            setattr(self, name, [0] * length if length else 0)


def _fields() -> tuple[tuple[str, int], ...]:
    hints = get_type_hints(MmState, include_extras=True)
    return tuple((name, get_args(hint)[2] if len(get_args(hint)) > 2 else 0) for name, hint in hints.items())


_FIELDS = _fields()
