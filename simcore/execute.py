"""One op after the other: what a trace word means, and whose turn it is.

An actor that is on a path finishes it before it does anything else. Where it cannot, because another actor holds a
lock, its op waits: the path stays begun, and goes on when somebody steps it or at the end of the trace.
"""

import cython


def world_init(s: "MmState") -> None:
    """Take what the world's features leave out from its sizes."""
    if not s.features & FEATURE_TMPFS:
        s.nr_file = 0
    if not s.features & FEATURE_THP:
        s.nr_huge = 0
    s.nr_vpn = s.nr_anon + 2 * s.nr_file + s.nr_huge
    s.nr_batched = 0
    for batch in range(NR_BATCHES):
        s.batch_count[batch] = 0
    for mm in range(s.nr_mm_max):
        s.pin_page[mm] = -1
        s.pin_ptep[mm] = -1
    s.following = 0
    s.last_value = 0


def reset(s: "MmState") -> None:
    """Bring the machine to the start of a trace: one process, nothing mapped, everything free."""
    world_init(s)
    lru_init(s)
    swap_init(s)
    mm_init(s)
    shmem_init(s)
    s.nr_free_pages = s.nr_frames
    s.nr_used_pages = 0
    for pfn in range(s.nr_frames):
        s.page_head[pfn] = pfn
        s.free_pages[pfn] = s.nr_frames - 1 - pfn
        s.page_flags[pfn] = PG_BUDDY
        s.page_refcount[pfn] = 0
        s.page_mapcount[pfn] = 0
        s.page_lock[pfn] = 0
        s.page_memcg[pfn] = -1
        s.page_slot[pfn] = -1
    for i in range(s.nr_frames << 2):
        s.rmap[i] = 0
    for memcg in range(s.nr_memcgs):
        s.memcg_limit[memcg] = 0
        s.memcg_usage[memcg] = 0
    for actor in range(MAX_ACTORS):
        s.act_path[actor] = PATH_NONE
    # Of the first process alone: fork writes the others'.
    for ptep in range(1 << VPN_SHIFT):
        s.expect[ptep] = ZEROS
        s.shadow[ptep] = 0
        s.origin[ptep] = 0
        s.shared_seen[ptep] = 0
    s.nr_busy = 0
    s.op_index = 0
    s.stopped = 0
    s.probing = 0
    s.failed = 0
    s.nr_log = 0
    s.counts_changed = 0
    s.outcome = FIRST_OUTCOME


def step_actor(s: "MmState", actor: int) -> int:
    """Advance whatever path the actor is on by one phase."""
    path = s.act_path[actor]
    if path == PATH_FAULT:
        return step_fault(s, actor)
    if path == PATH_RECLAIM:
        return step_reclaim(s, actor)
    if path == PATH_NONE:
        return STEP_DONE
    if path == PATH_KSM:
        return step_ksm(s)
    if path == PATH_COLLAPSE:
        return step_collapse(s)
    return step_migrate(s, actor)


def run_actor(s: "MmState", actor: int) -> int:
    """Run the actor's path to its end, or until it waits; the op's result."""
    for _ in range(MAX_STEPS):
        step = step_actor(s, actor)
        if step == STEP_DONE:
            return s.act_result[actor]
        if step != STEP_MORE or s.stopped:
            return RESULT_BLOCKED
    return RESULT_BLOCKED


def is_idle(s: "MmState", actor: int) -> bool:
    """Let the actor finish a path it is on; whether it is free then."""
    if s.act_path[actor] != PATH_NONE:
        run_actor(s, actor)
    return s.act_path[actor] == PATH_NONE


def access_page(s: "MmState", actor: int, ptep: int, write: int, token: int, begin: bool) -> int:
    """A load or store by a thread; one that needs no fault is over at once."""
    if not begin and write != FOR_GUP_READ and access_permitted(s.pte[ptep], write):
        access(s, ptep, write, token)
        return RESULT_OK
    begin_fault(s, actor, ptep, write, token)
    return RESULT_OK if begin else run_actor(s, actor)


def lock_in_memory(s: "MmState", actor: int, ptep: int) -> int:
    """mlock(2) of one page: mark the vma, fault the page in, mark the page."""
    lru_add_drain(s)
    s.vm_flags[ptep] |= VM_LOCKED
    s.shadow[ptep] &= ~SHADOW_SOLE
    return populate(s, actor, ptep)


def populate(s: "MmState", actor: int, ptep: int) -> int:
    """Fault a locked page in: as for a store where a store would make a private page, else as for a load.

    Source: mm/gup.c populate_vma_page_range().
    """
    private_writable = s.vm_flags[ptep] & (VM_WRITE | VM_SHARED) == VM_WRITE
    result = access_page(s, actor, ptep, FOR_POPULATE if private_writable else FOR_TOUCH, ZEROS, False)
    if result == RESULT_OK:
        mlock_page(s, ptep)
    return result


def page_op(s: "MmState", code: int, actor: int, ptep: int, token: int, begin: bool) -> int:
    """An op of a process on one of its pages."""
    if code == OP_WRITE:
        return access_page(s, actor, ptep, FOR_STORE, token, begin)
    if code == OP_READ:
        return access_page(s, actor, ptep, FOR_READ, ZEROS, begin)
    if code == OP_MADV_FREE:
        return madvise_free(s, actor, ptep)
    if code == OP_MADV_DONTNEED:
        return madvise_dontneed(s, actor, ptep)
    if code == OP_MADV_COLD:
        return madvise_cold(s, actor, ptep)
    if code == OP_MADV_PAGEOUT:
        return madvise_pageout(s, actor, ptep)
    if code == OP_GUP_WRITE:
        return access_page(s, actor, ptep, FOR_GUP, token, begin)
    if code == OP_GUP_READ:
        return access_page(s, actor, ptep, FOR_GUP_READ, ZEROS, begin)
    if code == OP_PIN:
        pinned = s.pin_page[ptep >> VPN_SHIFT] >= 0
        return RESULT_SKIPPED if pinned else access_page(s, actor, ptep, FOR_PIN, ZEROS, begin)
    if code == OP_COLLAPSE or code == OP_SPLIT:
        return huge_op(s, code, actor, ptep, begin)
    if code == OP_PUNCH or code == OP_TRUNCATE:
        return file_op(s, code, actor, ptep)
    return vma_op(s, code, actor, ptep)


def file_op(s: "MmState", code: int, actor: int, ptep: int) -> int:
    """An op on the tmpfs file, through a page that maps it."""
    if not s.vm_flags[ptep] & VM_FILE:
        return RESULT_SKIPPED
    return punch_hole(s, actor, ptep) if code == OP_PUNCH else truncate_file(s, actor, ptep)


def vma_op(s: "MmState", code: int, actor: int, ptep: int) -> int:
    """An op that changes the page's vma: under mmap_lock for writing, so it waits for faults of other threads."""
    if s.mmap_readers[ptep >> VPN_SHIFT] > 0:
        return RESULT_BLOCKED
    # The vma is split at the page, so a huge mapping is too.
    split_area(s, ptep)
    return change_vma(s, code, actor, ptep)


def change_vma(s: "MmState", code: int, actor: int, ptep: int) -> int:
    """Change the vma of one page, or one page of a vma that changes as a whole."""
    if code == OP_MLOCK:
        return lock_in_memory(s, actor, ptep)
    if code == OP_MUNLOCK:
        munlock_vma(s, ptep)
        return RESULT_OK
    if code == OP_MPROTECT_RO:
        mprotect_ro(s, ptep)
        return RESULT_OK
    if code == OP_MPROTECT_RW:
        return make_writable(s, actor, ptep)
    if code == OP_MREMAP:
        return move_page_tables(s, ptep)
    return mergeable_op(s, code, ptep)


def mergeable_op(s: "MmState", code: int, ptep: int) -> int:
    """MADV_MERGEABLE and MADV_UNMERGEABLE; shared mappings are left alone."""
    if s.vm_flags[ptep] & VM_SHARED:
        return RESULT_OK
    if code == OP_MERGEABLE:
        s.vm_flags[ptep] |= VM_MERGEABLE
        return RESULT_OK
    s.vm_flags[ptep] &= ~VM_MERGEABLE
    return break_ksm(s, ptep)


def huge_op(s: "MmState", code: int, actor: int, ptep: int, begin: bool) -> int:
    """An op on the huge area, through any page of it."""
    if not in_area(s, ptep):
        return RESULT_SKIPPED
    if code == OP_SPLIT:
        return split_op(s, actor, ptep)
    if not is_idle(s, KHUGEPAGED):
        return RESULT_BLOCKED
    begin_collapse(s, ptep >> VPN_SHIFT)
    return RESULT_OK if begin else run_actor(s, KHUGEPAGED)


def area_op(s: "MmState", code: int, actor: int, mm: int, begin: bool) -> int:
    """An op on the whole huge area of a process."""
    if s.nr_huge == 0:
        return RESULT_SKIPPED
    if OP_MADV_FREE <= code <= OP_MADV_PAGEOUT:
        return advise_area(s, code, actor, mm)
    first = area_start(s, mm)
    if code == OP_COLLAPSE or code == OP_SPLIT:
        return huge_op(s, code, actor, first, begin)
    if s.mmap_readers[mm] > 0:
        return RESULT_BLOCKED
    if code == OP_MLOCK:
        return lock_area(s, actor, mm)
    if code == OP_MUNLOCK or code == OP_MPROTECT_RO or code == OP_MPROTECT_RW or code == OP_MREMAP:
        for ptep in range(first, first + s.nr_huge):
            change_vma(s, code, actor, ptep)
        return RESULT_OK
    return RESULT_SKIPPED


def lock_area(s: "MmState", actor: int, mm: int) -> int:
    """mlock(2) of the whole area."""
    lru_add_drain(s)
    first = area_start(s, mm)
    for ptep in range(first, first + s.nr_huge):
        s.vm_flags[ptep] |= VM_LOCKED
        s.shadow[ptep] &= ~SHADOW_SOLE
    for ptep in range(first, first + s.nr_huge):
        result = populate(s, actor, ptep)
        if result != RESULT_OK:
            return result
    return RESULT_OK


def make_writable(s: "MmState", actor: int, ptep: int) -> int:
    """mprotect(2) back to writable: a locked private page is copied at once. Source: mm/mprotect.c mprotect_fixup()."""
    was_writable = s.vm_flags[ptep] & VM_WRITE != 0
    mprotect_rw(s, ptep)
    if s.vm_flags[ptep] & VM_LOCKED and not was_writable and not s.vm_flags[ptep] & VM_SHARED:
        return populate(s, actor, ptep)
    return RESULT_OK


def is_process_op(code: int) -> bool:
    """Whether the op's first argument is a process."""
    return OPS_OF_A_PROCESS >> code & 1 != 0


def whole_process_op(s: "MmState", code: int, actor: int, mm: int, token: int) -> int:
    """An op of a process that names no page."""
    if code == OP_FORK:
        return do_fork(s, mm)
    if code == OP_EXIT:
        return do_exit(s, actor, mm)
    if code == OP_DMA:
        return dma_write(s, mm, token)
    if code == OP_UNPIN:
        return gup_unpin(s, mm)
    if code == OP_CLEAR_SOFT_DIRTY:
        clear_soft_dirty(s, mm)
    else:
        lru_add_drain(s)
    return RESULT_OK


def process_op(s: "MmState", code: int, mm: int, thread: int, second: int, token: int, begin: bool) -> int:
    """An op of, or on, a process that is alive."""
    actor = mm * THREADS_PER_MM + thread
    if code == OP_MEMCG_ATTACH:
        if second >= s.nr_memcgs:
            return RESULT_SKIPPED
        s.mm_memcg[mm] = second
        return RESULT_OK
    if code == OP_MIGRATE:
        actor = KCOMPACTD
    if not is_idle(s, actor):
        return RESULT_BLOCKED
    if OPS_WITHOUT_PAGE >> code & 1:
        return whole_process_op(s, code, actor, mm, token)
    if second == WHOLE_AREA:
        return area_op(s, code, actor, mm, begin)
    if second >= s.nr_vpn:
        return RESULT_SKIPPED
    ptep = mm << VPN_SHIFT | second
    if code == OP_MIGRATE:
        begin_migrate(s, actor, ptep)
        return RESULT_OK if begin else run_actor(s, actor)
    return page_op(s, code, actor, ptep, token, begin)


def reclaim_op(s: "MmState", memcg: int, begin: bool) -> int:
    """Memory pressure, on everything (-1) or one cgroup."""
    if not is_idle(s, KSWAPD):
        return RESULT_BLOCKED
    begin_reclaim(s, KSWAPD, memcg, MAX_PAGES)
    return RESULT_OK if begin else run_actor(s, KSWAPD)


def ksm_op(s: "MmState", begin: bool) -> int:
    """A scan by ksmd."""
    if not is_idle(s, KSMD):
        return RESULT_BLOCKED
    begin_ksm(s)
    return RESULT_OK if begin else run_actor(s, KSMD)


def swapoff_op(s: "MmState", code: int) -> int:
    """swapoff, swapon, or both; swapon follows only a swapoff that went well."""
    if code == OP_SWAPON:
        return sys_swapon(s)
    result = sys_swapoff(s)
    if code == OP_SWAPOFF_ON and result == RESULT_OK:
        return sys_swapon(s)
    return result


def io_op(s: "MmState", failed: bool) -> int:
    """End the oldest write to the swap device."""
    if s.nr_writes == 0:
        return RESULT_SKIPPED
    end_swap_write(s, 0, failed)
    return RESULT_OK


def memcg_op(s: "MmState", code: int, memcg: int, pages: int, begin: bool) -> int:
    """An op on a memory cgroup."""
    if memcg >= s.nr_memcgs:
        return RESULT_SKIPPED
    if code == OP_MEMCG_RECLAIM:
        return reclaim_op(s, memcg, begin)
    memcg_set_limit(s, memcg, pages)
    return RESULT_OK


def step_op(s: "MmState", actor: int) -> int:
    """Advance an actor by one phase; EAGAIN while it waits."""
    if actor >= DIRECT_RECLAIM or s.act_path[actor] == PATH_NONE:
        return RESULT_SKIPPED
    step = step_actor(s, actor)
    if step == STEP_DONE:
        return s.act_result[actor]
    return RESULT_OK if step == STEP_MORE else RESULT_EAGAIN


def system_op(s: "MmState", code: int, first: int, second: int, begin: bool) -> int:
    """An op that belongs to no process."""
    if code == OP_RECLAIM:
        return reclaim_op(s, -1, begin)
    if code == OP_STEP:
        return step_op(s, first)
    if code == OP_KSM_SCAN:
        return ksm_op(s, begin)
    if code == OP_MEMCG_LIMIT or code == OP_MEMCG_RECLAIM:
        return memcg_op(s, code, first, second, begin)
    if code == OP_IO_DONE or code == OP_IO_ERROR:
        return io_op(s, code == OP_IO_ERROR)
    return swapoff_op(s, code)


def dispatch(s: "MmState", word: "u32") -> int:
    """Take a trace word apart (the layout is in simcore.ops) and run its op."""
    code = cython.cast(cython.int, word & 255)
    if code == 0 or code > LAST_OP or s.op_needs[code] & ~s.features:
        return RESULT_SKIPPED
    first = cython.cast(cython.int, word >> 8 & 15)
    second = cython.cast(cython.int, word >> 16 & 31)
    token = cython.cast(cython.int, word >> 24 & 255)
    stepping = (s.features & FEATURE_STEPS) != 0
    begin = stepping and (word >> 13 & 1) != 0
    if not is_process_op(code):
        return system_op(s, code, first, second, begin)
    if first >= s.nr_mm or not s.mm_alive[first]:
        return RESULT_SKIPPED
    thread = cython.cast(cython.int, word >> 12 & 1) if stepping else 0
    return process_op(s, code, first, thread, second, token, begin)


def execute_op(s: "MmState", word: "u32") -> int:
    """Run one op, check the counts, and fold what happened into the outcome."""
    result = dispatch(s, word)
    if s.checks & CHECK_COUNTS and not s.stopped:
        check_counts(s)
    s.outcome = mix(s.outcome, result)
    s.op_index += 1
    return result


if not cython.compiled:
    from simcore.bits import mix
    from simcore.constants import (
        CHECK_COUNTS,
        DIRECT_RECLAIM,
        FEATURE_STEPS,
        FEATURE_THP,
        FEATURE_TMPFS,
        FIRST_OUTCOME,
        FOR_GUP,
        FOR_GUP_READ,
        FOR_PIN,
        FOR_POPULATE,
        FOR_READ,
        FOR_STORE,
        FOR_TOUCH,
        KCOMPACTD,
        KHUGEPAGED,
        KSMD,
        KSWAPD,
        MAX_ACTORS,
        MAX_PAGES,
        MAX_STEPS,
        NR_BATCHES,
        PATH_COLLAPSE,
        PATH_FAULT,
        PATH_KSM,
        PATH_NONE,
        PATH_RECLAIM,
        PG_BUDDY,
        RESULT_BLOCKED,
        RESULT_EAGAIN,
        RESULT_OK,
        RESULT_SKIPPED,
        SHADOW_SOLE,
        STEP_DONE,
        STEP_MORE,
        THREADS_PER_MM,
        VM_FILE,
        VM_LOCKED,
        VM_MERGEABLE,
        VM_SHARED,
        VM_WRITE,
        VPN_SHIFT,
        WHOLE_AREA,
        ZEROS,
    )
    from simcore.counts import check_counts
    from simcore.fork import do_exit, do_fork, mm_init
    from simcore.gup import dma_write, gup_unpin
    from simcore.huge_memory import area_start, in_area, split_area, split_op
    from simcore.khugepaged import begin_collapse, step_collapse
    from simcore.ksm import break_ksm
    from simcore.ksmd import begin_ksm, step_ksm
    from simcore.madvise import madvise_cold, madvise_dontneed, madvise_free, madvise_pageout
    from simcore.madvise_area import advise_area
    from simcore.memcontrol import memcg_set_limit
    from simcore.memory import access, access_permitted, begin_fault, step_fault
    from simcore.migrate import begin_migrate, step_migrate
    from simcore.mlock import mlock_page, munlock_vma
    from simcore.mm_types import MmState, u32
    from simcore.mprotect import mprotect_ro, mprotect_rw
    from simcore.mremap import move_page_tables
    from simcore.op_ids import (
        LAST_OP,
        OP_CLEAR_SOFT_DIRTY,
        OP_COLLAPSE,
        OP_DMA,
        OP_EXIT,
        OP_FORK,
        OP_GUP_READ,
        OP_GUP_WRITE,
        OP_IO_DONE,
        OP_IO_ERROR,
        OP_KSM_SCAN,
        OP_MADV_COLD,
        OP_MADV_DONTNEED,
        OP_MADV_FREE,
        OP_MADV_PAGEOUT,
        OP_MEMCG_ATTACH,
        OP_MEMCG_LIMIT,
        OP_MEMCG_RECLAIM,
        OP_MERGEABLE,
        OP_MIGRATE,
        OP_MLOCK,
        OP_MPROTECT_RO,
        OP_MPROTECT_RW,
        OP_MREMAP,
        OP_MUNLOCK,
        OP_PIN,
        OP_PUNCH,
        OP_READ,
        OP_RECLAIM,
        OP_SPLIT,
        OP_STEP,
        OP_SWAPOFF_ON,
        OP_SWAPON,
        OP_TRUNCATE,
        OP_UNPIN,
        OP_WRITE,
        OPS_OF_A_PROCESS,
        OPS_WITHOUT_PAGE,
    )
    from simcore.page_io import end_swap_write
    from simcore.shmem import punch_hole, shmem_init, truncate_file
    from simcore.swap import lru_add_drain, lru_init
    from simcore.swapfile import swap_init, sys_swapoff, sys_swapon
    from simcore.task_mmu import clear_soft_dirty
    from simcore.vmscan import begin_reclaim, step_reclaim
