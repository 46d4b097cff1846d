"""The tmpfs file and its mappings: mm/shmem.c, and the file faults of mm/memory.c.

Every process maps the file twice: shared, and private. A page of the file is in the page cache (PG_FILE, which holds
one reference), or in a swap slot, or nowhere and reads as zeros.
"""

import cython


def file_index(s: "MmState", ptep: int) -> int:
    """The page of the file that a file mapping shows."""
    place = (ptep & 31) - s.nr_anon
    return place - s.nr_file if place >= s.nr_file else place


def shmem_init(s: "MmState") -> None:
    """A file that is one hole."""
    s.shmem_size = s.nr_file
    for index in range(s.nr_file):
        s.shmem_page[index] = -1
        s.shmem_slot[index] = -1
        s.expect[MAX_PTES + index] = ZEROS
        s.shadow[MAX_PTES + index] = 0
        s.origin[MAX_PTES + index] = 0
        s.shared_seen[MAX_PTES + index] = 0


def add_to_page_cache(s: "MmState", pfn: int, index: int) -> None:
    """Enter the page in the file; the cache holds it."""
    s.page_flags[pfn] |= PG_FILE
    s.page_index[pfn] = index
    s.shmem_page[index] = pfn
    s.counts_changed = 1
    s.page_refcount[pfn] += 1


def delete_from_page_cache(s: "MmState", pfn: int) -> None:
    """Take the page out of the file."""
    s.page_flags[pfn] &= ~PG_FILE
    s.shmem_page[s.page_index[pfn]] = -1
    s.page_index[pfn] = -1
    put_page(s, pfn)


def shmem_get_page(s: "MmState", actor: int, ptep: int) -> int:
    """The page of the file behind a mapping, found, brought back or made; -1 no memory, -2 locked by a path.

    Source: mm/shmem.c shmem_getpage_gfp().
    """
    index = file_index(s, ptep)
    pfn = s.shmem_page[index]
    if pfn >= 0:
        return -2 if s.page_lock[pfn] else pfn
    if s.shmem_slot[index] >= 0:
        return shmem_swapin_page(s, actor, ptep, index)
    pfn = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if pfn < 0:
        return -1
    if s.shmem_page[index] >= 0 or s.shmem_slot[index] >= 0:
        put_page(s, pfn)
        return -2
    add_to_page_cache(s, pfn, index)
    lru_cache_add(s, pfn)
    put_page(s, pfn)
    return pfn


def shmem_swapin_page(s: "MmState", actor: int, ptep: int, index: int) -> int:
    """Bring a page of the file back from its slot, through the swap cache; it leaves the swap cache at once.

    Source: mm/shmem.c shmem_swapin_page().
    """
    slot = s.shmem_slot[index]
    memcg = s.mm_memcg[ptep >> VPN_SHIFT] if ptep >= 0 else -1
    pfn = begin_read_swap_cache(s, slot, memcg)
    if pfn < 0:
        return -1
    if s.shmem_slot[index] != slot or not trylock_page(s, pfn, actor):
        put_page(s, pfn)
        return -2
    if not s.page_flags[pfn] & PG_UPTODATE:
        swap_readpage(s, pfn)
    end_swap_write_of(s, pfn)
    s.shmem_slot[index] = -1
    add_to_page_cache(s, pfn, index)
    swap_free(s, slot)
    delete_from_swap_cache(s, pfn)
    if rule0(s, R_SHMEM_SWAPIN_SETS_PAGE_DIRTY):
        s.page_flags[pfn] |= PG_DIRTY
    s.page_flags[pfn] |= PG_STORED
    unlock_page(s, pfn)
    put_page(s, pfn)
    return pfn


def do_fault(s: "MmState", actor: int, ptep: int, write: int) -> int:
    """A fault on an empty pte of a file mapping. Source: mm/memory.c do_fault()."""
    if file_index(s, ptep) >= s.shmem_size:
        return RESULT_SIGBUS
    pfn = shmem_get_page(s, actor, ptep)
    if pfn < 0:
        return RESULT_ENOMEM if pfn == -1 else RESULT_BLOCKED
    if write < FOR_STORE or s.vm_flags[ptep] & VM_SHARED:
        map_file_page(s, ptep, pfn, write >= FOR_STORE)
        return RESULT_OK
    return do_cow_fault(s, ptep, pfn)


def map_file_page(s: "MmState", ptep: int, pfn: int, write: bool) -> None:
    """Map a page of the file; a shared writable mapping needs no fault for its stores, unless soft-dirty is tracked.

    Source: mm/memory.c finish_fault(), vma_wants_writenotify().
    """
    vm_flags = s.vm_flags[ptep]
    pte = PTE_PRESENT | PTE_YOUNG | pfn << PTE_PAYLOAD_SHIFT
    if write:
        pte |= write_bits(s, ptep, True)
    elif vm_flags & VM_SHARED and vm_flags & VM_WRITE and vm_flags & VM_SOFTDIRTY:
        pte |= PTE_WRITE
    set_pte(s, ptep, pte)
    s.origin[ptep] = ORIGIN_FILE
    page_add_rmap(s, pfn, ptep)
    if write:
        dirty_shared_page(s, pfn)


def dirty_shared_page(s: "MmState", pfn: int) -> None:
    """A store was announced by a fault. Source: mm/memory.c fault_dirty_shared_page()."""
    s.page_flags[pfn] |= PG_STORED
    if rule0(s, R_SHARED_FAULT_DIRTIES_PAGE):
        s.page_flags[pfn] |= PG_DIRTY


def do_cow_fault(s: "MmState", ptep: int, pfn: int) -> int:
    """A store to a private mapping that shows the file: a page of its own. Source: mm/memory.c do_cow_fault()."""
    get_page(s, pfn)
    copy = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if copy >= 0:
        s.page_content[copy] = s.page_content[pfn]
        user_copied(s, ptep)
        map_new_page(s, ptep, copy, write_bits(s, ptep, True))
        s.origin[ptep] = ORIGIN_COW
    put_page(s, pfn)
    return RESULT_OK if copy >= 0 else RESULT_ENOMEM


def wp_file_page(s: "MmState", ptep: int, pfn: int) -> int:
    """A store to a write-protected page of the file: in place if shared, else to a copy.

    Source: mm/memory.c wp_page_shared(), do_wp_page().
    """
    if not s.vm_flags[ptep] & VM_SHARED:
        return wp_page_copy(s, ptep, False)
    wp_page_reuse(s, ptep, pfn)
    dirty_shared_page(s, pfn)
    return RESULT_OK


def shmem_writepage(s: "MmState", pfn: int) -> bool:
    """Move an unmapped, locked page of the file to the swap cache and a slot; False when there is no slot.

    Source: mm/shmem.c shmem_writepage().
    """
    index = s.page_index[pfn]
    slot = get_swap_slot(s, pfn)
    if slot < 0:
        return False
    s.slot_page[slot] = -1
    add_to_swap_cache(s, pfn, slot)
    s.shmem_slot[index] = slot
    swap_duplicate(s, slot)
    delete_from_page_cache(s, pfn)
    return True


def shmem_unuse(s: "MmState", slot: int) -> bool:
    """swapoff: bring back the page of the file that is in the slot; False when there is no memory."""
    for index in range(s.nr_file):
        if s.shmem_slot[index] == slot:
            return shmem_swapin_page(s, DIRECT_RECLAIM, -1, index) >= 0
    return True


def drop_file_page(s: "MmState", actor: int, index: int, copies: bool) -> None:
    """Take a page of the file away from the file and all who map it; `copies`: private copies of it too."""
    forget_file_pins(s, index)
    for mm in range(s.nr_mm):
        shared = mm << VPN_SHIFT | s.nr_anon + index
        drop_mapping(s, actor, shared, copies)
        drop_mapping(s, actor, shared + s.nr_file, copies)
    slot = s.shmem_slot[index]
    if slot >= 0:
        s.shmem_slot[index] = -1
        free_swap_and_cache(s, slot, actor)
    pfn = s.shmem_page[index]
    if pfn >= 0:
        s.page_flags[pfn] &= ~PG_DIRTY
        delete_from_page_cache(s, pfn)
    user_punched(s, index)


def drop_mapping(s: "MmState", actor: int, ptep: int, copies: bool) -> None:
    """Unmap the file's page, or also a private copy, from one pte."""
    pte = s.pte[ptep]
    kind = pte_kind(pte)
    if kind == PTE_NONE:
        return
    own = kind == PTE_SWAP or s.page_flags[pte_payload(pte)] & PG_ANON != 0
    if own and not copies:
        return
    zap_pte(s, actor, ptep)
    s.shadow[ptep] &= ~SHADOW_OWN
    forget_pin(s, ptep)


def punch_hole(s: "MmState", actor: int, ptep: int) -> int:
    """fallocate(FALLOC_FL_PUNCH_HOLE) of one page. Source: mm/shmem.c shmem_fallocate()."""
    index = file_index(s, ptep)
    if file_page_locked(s, index):
        return RESULT_BLOCKED
    # Unmapping the range begins with it, in mm/memory.c zap_page_range_single().
    lru_add_drain(s)
    drop_file_page(s, actor, index, rule0(s, R_PUNCH_UNMAPS_COPIES))
    return RESULT_OK


def truncate_file(s: "MmState", actor: int, ptep: int) -> int:
    """ftruncate(2) to the pages before this one, and back to the full size.

    Source: mm/truncate.c truncate_pagecache(): even private copies beyond the end go.
    """
    first = file_index(s, ptep)
    for index in range(first, s.nr_file):
        if file_page_locked(s, index):
            return RESULT_BLOCKED
    lru_add_drain(s)
    for index in range(first, s.nr_file):
        drop_file_page(s, actor, index, rule0(s, R_TRUNCATE_UNMAPS_COPIES))
    return RESULT_OK


def file_page_locked(s: "MmState", index: int) -> bool:
    """Whether a path has the page of the file locked."""
    pfn = s.shmem_page[index]
    return pfn >= 0 and s.page_lock[pfn] != 0


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, set_pte
    from simcore.constants import (
        DIRECT_RECLAIM,
        FOR_STORE,
        MAX_PTES,
        ORIGIN_COW,
        ORIGIN_FILE,
        PG_ANON,
        PG_DIRTY,
        PG_FILE,
        PG_STORED,
        PG_UPTODATE,
        PTE_NONE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_WRITE,
        PTE_YOUNG,
        RESULT_BLOCKED,
        RESULT_ENOMEM,
        RESULT_OK,
        RESULT_SIGBUS,
        SHADOW_OWN,
        VM_SHARED,
        VM_SOFTDIRTY,
        VM_WRITE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.gup import forget_file_pins, forget_pin
    from simcore.memory import map_new_page, wp_page_copy, wp_page_reuse, write_bits, zap_pte
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page, get_page, put_page, trylock_page, unlock_page
    from simcore.page_io import end_swap_write_of, swap_readpage
    from simcore.rmap import page_add_rmap
    from simcore.rule_ids import (
        R_PUNCH_UNMAPS_COPIES,
        R_SHARED_FAULT_DIRTIES_PAGE,
        R_SHMEM_SWAPIN_SETS_PAGE_DIRTY,
        R_TRUNCATE_UNMAPS_COPIES,
    )
    from simcore.swap import lru_add_drain, lru_cache_add
    from simcore.swap_state import add_to_swap_cache, begin_read_swap_cache, delete_from_swap_cache
    from simcore.swapfile import free_swap_and_cache, get_swap_slot, swap_duplicate, swap_free
    from simcore.user_memory import user_copied, user_punched
