"""Huge pages: mm/huge_memory.c. One 2 MiB area a process, scaled to the world's `huge` subpages.

A huge page is a head and tails. The head has the flags, the lock and the references; each part has a mapcount and
an AnonExclusive of its own. A huge mapping (a pmd) is the ptes of all parts with PTE_HUGE, which always have equal
flags. Whether the area has a page table at all is kept for each process: only where it has none can a fault map a
huge page.
"""

import cython


def area_start(s: "MmState", mm: int) -> int:
    """The ptep of the area's first page in a process."""
    return mm << VPN_SHIFT | s.nr_anon + 2 * s.nr_file


def in_area(s: "MmState", ptep: int) -> bool:
    """Whether the page is part of the huge area."""
    return s.vm_flags[ptep] & VM_HUGE_AREA != 0


def part_of(s: "MmState", head: int, number: int) -> int:
    """The frame of a part of a huge page; part 0 is the head."""
    return s.comp_page[head * MAX_HUGE + number]


def is_huge(s: "MmState", head: int) -> bool:
    """Whether the frame is the head of a huge page."""
    return s.page_flags[head] & PG_HEAD != 0


def alloc_huge_page(s: "MmState", memcg: int) -> int:
    """A fresh huge page of zeros with one holder, charged to the cgroup; the head's frame, or -1."""
    head = -1
    count = 0
    while count < s.nr_huge:
        pfn = alloc_page(s, memcg)
        if pfn < 0:
            break
        if count == 0:
            head = pfn
        s.comp_page[head * MAX_HUGE + count] = pfn
        count += 1
    if count == s.nr_huge:
        prep_compound_page(s, head)
        return head
    for number in range(count):
        put_page(s, part_of(s, head, number))
    return -1


def prep_compound_page(s: "MmState", head: int) -> None:
    """Make one huge page of the frames that comp_page names. Source: mm/page_alloc.c prep_compound_page()."""
    s.page_flags[head] |= PG_HEAD
    for number in range(1, s.nr_huge):
        tail = part_of(s, head, number)
        s.page_flags[tail] |= PG_TAIL
        s.page_head[tail] = head
        s.page_refcount[tail] = 0


def free_compound_page(s: "MmState", head: int) -> None:
    """Give all frames of a huge page back."""
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        s.page_head[pfn] = pfn
        free_page(s, pfn)
        if s.stopped:
            return


def set_area_ptes(s: "MmState", mm: int, bits: int, head: int) -> None:
    """Map the whole area by one pmd: of a huge page or, with PTE_ZERO_PAGE in the bits, of the huge zero page."""
    first = area_start(s, mm)
    s.pmd[mm] = PMD_HUGE
    for number in range(s.nr_huge):
        payload = 0 if bits & PTE_ZERO_PAGE else part_of(s, head, number) << PTE_PAYLOAD_SHIFT
        set_pte(s, first + number, PTE_PRESENT | PTE_HUGE | bits | payload)


def change_pmd(s: "MmState", ptep: int, clear: int, add: int) -> None:
    """Change flags of a huge mapping, in the ptes of all its parts."""
    first = area_start(s, ptep >> VPN_SHIFT)
    for part in range(first, first + s.nr_huge):
        s.pte[part] = s.pte[part] & ~clear | add


def link_huge_page(s: "MmState", mm: int, head: int) -> None:
    """Count one more huge mapping: one in each part's mapcount, one reference."""
    first = area_start(s, mm)
    s.counts_changed = 1
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        rmap_link(s, pfn, first + number)
        s.page_mapcount[pfn] += 1
    s.page_refcount[head] += 1


def unlink_huge_page(s: "MmState", mm: int, head: int) -> None:
    """Count one huge mapping less, and drop its reference; the caller has changed the ptes."""
    first = area_start(s, mm)
    s.counts_changed = 1
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        rmap_unlink(s, pfn, first + number)
        s.page_mapcount[pfn] -= 1
    if total_mapcount(s, head) == 0 and s.page_flags[head] & PG_MLOCKED:
        clear_page_mlock(s, head)
    put_page(s, head)


def total_mapcount(s: "MmState", head: int) -> int:
    """How often the page, or any part of it, is mapped; a huge mapping counts once for each part."""
    if not is_huge(s, head):
        return s.page_mapcount[head]
    total = 0
    for number in range(s.nr_huge):
        total += s.page_mapcount[part_of(s, head, number)]
    return total


def most_users_of_part(s: "MmState", head: int) -> int:
    """The greatest number of users that any part has. Source: page_trans_huge_mapcount(), v4.6."""
    most = 0
    for number in range(s.nr_huge):
        most = max(most, users_of_page(s, part_of(s, head, number)))
    return most


def huge_mappings(s: "MmState", head: int) -> int:
    """How many processes map the page by a pmd."""
    count = 0
    for mm in range(s.nr_mm):
        pte = s.pte[area_start(s, mm)]
        if s.pmd[mm] == PMD_HUGE and pte & PTE_ZERO_PAGE == 0 and pte_payload(pte) == head:
            count += 1
    return count


def mapping_references(s: "MmState", head: int) -> int:
    """The references that mappings hold: one for each pmd, one for each pte."""
    if not is_huge(s, head):
        return s.page_mapcount[head]
    return total_mapcount(s, head) - huge_mappings(s, head) * (s.nr_huge - 1)


def has_extra_refs(s: "MmState", pfn: int) -> bool:
    """Whether anybody besides the page's mappings and the caches holds it."""
    head = s.page_head[pfn]
    caches = cache_references(s.page_flags[head])
    if is_huge(s, head):
        caches *= s.nr_huge
    return s.page_refcount[head] != mapping_references(s, head) + caches


def map_huge_page(s: "MmState", mm: int, head: int, bits: int) -> None:
    """Map a fresh huge page, which nobody else has, and send it to its list."""
    first = area_start(s, mm)
    anon_vma_prepare(s, first)
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        s.page_flags[pfn] |= PG_ANON
        s.page_root[pfn] = s.anon_root[first]
        if rule0(s, R_FRESH_PAGE_EXCLUSIVE):
            s.page_flags[pfn] |= PG_ANON_EXCLUSIVE
        s.origin[first + number] = ORIGIN_HUGE
    set_area_ptes(s, mm, PTE_YOUNG | bits, head)
    link_huge_page(s, mm, head)
    if s.vm_flags[first] & VM_LOCKED:
        s.page_flags[head] |= PG_MLOCKED | PG_UNEVICTABLE
    elif rule0(s, R_FRESH_PAGE_ACTIVE):
        s.page_flags[head] |= PG_ACTIVE
    if s.page_flags[head] & PG_UNEVICTABLE:
        lru_add(s, head)
    else:
        lru_cache_add(s, head)
    put_page(s, head)


def may_fault_huge(s: "MmState", ptep: int) -> bool:
    """Whether a fault here may map a huge page: an advised area without a page table, in one vma."""
    mm = ptep >> VPN_SHIFT
    return in_area(s, ptep) and s.vm_flags[ptep] & VM_HUGEPAGE != 0 and s.pmd[mm] == PMD_NONE and is_one_vma(s, mm)


def is_one_vma(s: "MmState", mm: int) -> bool:
    """Whether the area is one vma still: its pages have equal flags. Source: transhuge_vma_suitable(), v5.8."""
    first = area_start(s, mm)
    differ = 0
    for ptep in range(first, first + s.nr_huge):
        differ |= s.vm_flags[ptep] ^ s.vm_flags[first]
    return differ == 0


def do_huge_pmd_anonymous_page(s: "MmState", ptep: int, write: int) -> bool:
    """A first touch of the area: the huge zero page for a read, a huge page for a write; False to fall back."""
    mm = ptep >> VPN_SHIFT
    anon_vma_prepare(s, area_start(s, mm))
    if write < FOR_STORE:
        touched_area(s, mm)
        set_area_ptes(s, mm, PTE_ZERO_PAGE | PTE_YOUNG, 0)
        return True
    head = alloc_huge_page(s, s.mm_memcg[mm])
    if head < 0:
        return False
    if s.pmd[mm] != PMD_NONE:
        put_page(s, head)
        return True
    touched_area(s, mm)
    map_huge_page(s, mm, head, write_bits(s, ptep, True))
    return True


def touched_area(s: "MmState", mm: int) -> None:
    """For the oracles: a fault found nothing in the whole area."""
    first = area_start(s, mm)
    for ptep in range(first, first + s.nr_huge):
        user_touched_empty(s, ptep)


def do_huge_pmd_wp_page(s: "MmState", actor: int, ptep: int, write: int) -> int:
    """A store to a write-protected huge mapping: reuse the page, or go on with its parts.

    Source: mm/huge_memory.c do_huge_pmd_wp_page().
    """
    pte = s.pte[ptep]
    if pte & PTE_ZERO_PAGE:
        split_huge_pmd(s, ptep >> VPN_SHIFT)
        return RESULT_OK
    head = s.page_head[pte_payload(pte)]
    locks = not s.page_flags[head] & PG_ANON_EXCLUSIVE
    if locks and not trylock_page(s, head, actor):
        return RESULT_BLOCKED
    reuse = may_reuse(s, head)
    if locks:
        unlock_page(s, head)
    if not reuse:
        split_huge_pmd(s, ptep >> VPN_SHIFT)
        return RESULT_OK
    for number in range(s.nr_huge):
        if rule0(s, R_WP_SETS_EXCLUSIVE):
            s.page_flags[part_of(s, head, number)] |= PG_ANON_EXCLUSIVE
        s.shadow[area_start(s, ptep >> VPN_SHIFT) + number] &= ~SHADOW_SOLE
    if write >= FOR_STORE:
        change_pmd(s, ptep, 0, PTE_YOUNG | write_bits(s, ptep, True))
    return RESULT_OK


def split_huge_pmd(s: "MmState", mm: int) -> None:
    """Replace a huge mapping by ptes; the page stays as it is. Source: __split_huge_pmd_locked()."""
    if s.pmd[mm] != PMD_HUGE:
        return
    first = area_start(s, mm)
    pmd = s.pte[first]
    s.pmd[mm] = PMD_TABLE
    if pmd & PTE_ZERO_PAGE:
        for ptep in range(first, first + s.nr_huge):
            set_pte(s, ptep, PTE_PRESENT | PTE_ZERO_PAGE | PTE_YOUNG)
        return
    s.area_dense[mm] = 1
    head = pte_payload(pmd)
    pmd_dirty = (pmd & PTE_DIRTY) != 0
    keep = PTE_PRESENT | PTE_WRITE | PTE_YOUNG | ~PTE_FLAGS_MASK
    if rule0(s, R_PMD_SPLIT_KEEPS_SOFT_DIRTY):
        keep |= PTE_SOFT_DIRTY
    add = PTE_DIRTY | PTE_SOFT_DIRTY if rule1(s, R_PMD_SPLIT_PTE_DIRTY, pmd_dirty) else 0
    for ptep in range(first, first + s.nr_huge):
        set_pte(s, ptep, s.pte[ptep] & keep | add)
    if rule1(s, R_PMD_SPLIT_DIRTIES_PAGE, pmd_dirty):
        s.page_flags[head] |= PG_DIRTY
    s.page_refcount[head] += s.nr_huge - 1
    if rule0(s, R_PMD_SPLIT_SPLITS_PAGE):
        split_huge_page(s, head, 0)


def is_far(number: int) -> bool:
    """Whether the area's pages before this subpage fill any batch: the first four subpages are neighbours."""
    return number >= NR_NEIGHBOURS


def split_area(s: "MmState", ptep: int) -> None:
    """Split a huge mapping before something is done to one page of it."""
    if s.pte[ptep] & PTE_HUGE:
        split_huge_pmd(s, ptep >> VPN_SHIFT)


def split_huge_page(s: "MmState", head: int, held: int) -> bool:
    """Make small pages of a huge one, for all who map it; False if anybody else holds it and that forbids it.

    `held` are the caller's references to it. In the kernel its ptes are migration entries meanwhile.
    Source: mm/huge_memory.c split_huge_page_to_list().
    """
    flags = s.page_flags[head]
    caches = s.nr_huge if flags & PG_SWAPCACHE else 0
    holders = s.page_refcount[head] - mapping_references(s, head) - caches
    others = holders - held
    if others != 0 and rule0(s, R_SPLIT_FAILS_WHEN_HELD):
        return False
    pmd_dirty = unmap_page(s, head)
    tails_join_list = s.page_flags[head] & PG_LRU != 0 or others > 0
    s.page_flags[head] &= ~PG_HEAD
    s.counts_changed = 1
    for number in range(s.nr_huge):
        split_tail(s, head, part_of(s, head, number), number, tails_join_list)
    s.page_refcount[head] += holders
    if others > 0:
        move_pins_to_parts(s, head)
    for number in range(s.nr_huge):
        remap_part(s, part_of(s, head, number), pmd_dirty)
    drop_unmapped_parts(s, head)
    return True


def lock_and_split(s: "MmState", actor: int, head: int) -> bool:
    """Split a huge page that nobody has locked; whether that went well."""
    if not trylock_page(s, head, actor):
        return False
    get_page(s, head)
    done = split_huge_page(s, head, 1)
    unlock_page(s, head)
    put_page(s, head)
    return done


def move_pins_to_parts(s: "MmState", head: int) -> None:
    """Direct I/O holds the part that it was given, no more the head of what was a huge page."""
    for mm in range(s.nr_mm):
        pfn = s.pin_page[mm]
        for number in range(1, s.nr_huge):
            if part_of(s, head, number) == pfn:
                s.page_refcount[head] -= 1
                s.page_refcount[pfn] += 1
                if s.page_pins[head] > 0:
                    s.page_pins[head] -= 1
                    s.page_pins[pfn] += 1


def unmap_page(s: "MmState", head: int) -> int:
    """Split every huge mapping, and gather in the page what ptes know of stores; a bit for each process whose pmd
    was dirty. Source: unmap_page(), try_to_migrate_one().
    """
    dirty = 0
    for mm in range(s.nr_mm):
        pte = s.pte[area_start(s, mm)]
        if s.pmd[mm] == PMD_HUGE and not pte & PTE_ZERO_PAGE and pte_payload(pte) == head:
            if pte & PTE_DIRTY:
                dirty |= 1 << mm
            gather_dirty(s, head, pte)
            split_mapping(s, mm, head)
    ptep = next_mapping(s, head, -1)
    while ptep >= 0:
        gather_dirty(s, head, s.pte[ptep])
        ptep = next_mapping(s, head, ptep)
    return dirty


def gather_dirty(s: "MmState", head: int, pte: int) -> None:
    """Note in the page what a pte, or a pmd, of it knows of stores."""
    entry_dirty = (pte & PTE_DIRTY) != 0
    if rule1(s, R_SPLIT_GATHERS_DIRTY, entry_dirty):
        s.page_flags[head] |= PG_DIRTY


def split_mapping(s: "MmState", mm: int, head: int) -> None:
    """The pmd of one process becomes ptes with all its bits but the dirty one."""
    first = area_start(s, mm)
    s.pmd[mm] = PMD_TABLE
    s.area_dense[mm] = 1
    for ptep in range(first, first + s.nr_huge):
        set_pte(s, ptep, s.pte[ptep] & ~(PTE_HUGE | PTE_DIRTY))
    s.page_refcount[head] += s.nr_huge - 1


def split_tail(s: "MmState", head: int, pfn: int, number: int, on_lru: bool) -> None:
    """One part becomes a page of its own, with the head's flags. Source: __split_huge_page_tail()."""
    cached = s.page_flags[head] & PG_SWAPCACHE
    s.page_refcount[pfn] = s.page_mapcount[pfn] + (cached != 0)
    s.page_head[pfn] = pfn
    if number == 0:
        return
    inherited = PG_DIRTY | PG_SWAPBACKED | PG_SWAPCACHE | PG_ACTIVE | PG_REFERENCED | PG_UPTODATE | PG_UNEVICTABLE
    kept = s.page_flags[pfn] & (PG_ANON | PG_ANON_EXCLUSIVE | PG_STORED)
    s.page_flags[pfn] = kept | s.page_flags[head] & (inherited | PG_MLOCKED | PG_NODE1)
    if rule0(s, R_SPLIT_DIRTIES_TAILS):
        s.page_flags[pfn] |= PG_DIRTY
    s.page_memcg[pfn] = s.page_memcg[head]
    if on_lru:
        lru_add_tail(s, pfn)


def remap_part(s: "MmState", pfn: int, pmd_dirty: int) -> None:
    """Turn what were migration entries back into ptes. Source: remap_page(), remove_migration_pte()."""
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    zeros = s.page_content[pfn] == ZEROS
    mlocked = (s.page_flags[pfn] & PG_MLOCKED) != 0
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    ptep = next_mapping(s, pfn, -1)
    while ptep >= 0:
        following = next_mapping(s, pfn, ptep)
        locked = mlocked or s.vm_flags[ptep] & VM_LOCKED != 0
        if rule3(s, R_SPLIT_MAPS_ZERO_PAGE, zeros, locked, swapcache):
            set_pte(s, ptep, PTE_PRESENT | PTE_ZERO_PAGE | PTE_YOUNG | s.pte[ptep] & PTE_SOFT_DIRTY)
            rmap_unlink(s, pfn, ptep)
            s.page_mapcount[pfn] -= 1
            put_page_of_split(s, pfn)
            s.area_dense[ptep >> VPN_SHIFT] = 0
        else:
            entry_dirty = s.pte[ptep] & PTE_DIRTY != 0 or pmd_dirty >> (ptep >> VPN_SHIFT) & 1 != 0
            remap_pte(s, ptep, entry_dirty, page_dirty)
        ptep = following


def put_page_of_split(s: "MmState", pfn: int) -> None:
    """Drop a mapping's reference; the page itself is freed with the other parts that nobody maps."""
    s.page_refcount[pfn] -= 1


def remap_pte(s: "MmState", ptep: int, entry_dirty: bool, page_dirty: bool) -> None:
    """The pte of a part after the split."""
    old = s.pte[ptep]
    pte = old & ~(PTE_DIRTY | PTE_YOUNG | PTE_SOFT_DIRTY)
    entry_young = (old & PTE_YOUNG) != 0
    if rule1(s, R_SPLIT_KEEPS_YOUNG, entry_young):
        pte |= PTE_YOUNG
    if rule0(s, R_SPLIT_KEEPS_SOFT_DIRTY):
        pte |= old & PTE_SOFT_DIRTY
    if rule2(s, R_SPLIT_PTE_DIRTY, entry_dirty, page_dirty):
        pte |= PTE_DIRTY
        if rule0(s, R_MIGRATION_DIRTY_SETS_SOFT_DIRTY):
            pte |= PTE_SOFT_DIRTY
    set_pte(s, ptep, pte)


def drop_unmapped_parts(s: "MmState", head: int) -> None:
    """Free the parts that nobody maps or holds."""
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        if s.page_refcount[pfn] == 0:
            free_page(s, pfn)


def zap_huge_pmd(s: "MmState", mm: int) -> None:
    """Unmap the whole area; the page table goes too. Source: mm/huge_memory.c zap_huge_pmd()."""
    first = area_start(s, mm)
    pmd = s.pte[first]
    s.pmd[mm] = PMD_NONE
    s.area_dense[mm] = 0
    for ptep in range(first, first + s.nr_huge):
        set_pte(s, ptep, PTE_NONE)
    if pmd & PTE_ZERO_PAGE:
        return
    head = pte_payload(pmd)
    get_page(s, head)
    unlink_huge_page(s, mm, head)
    if s.vm_flags[first] & VM_LOCKED:
        munlock_page(s, head)
    put_page(s, head)


def copy_huge_pmd(s: "MmState", parent: int, child: int) -> None:
    """Share a huge mapping with a child, write-protected in both. Source: mm/huge_memory.c copy_huge_pmd()."""
    first = area_start(s, parent)
    pmd = s.pte[first]
    if pmd & PTE_ZERO_PAGE:
        set_area_ptes(s, child, pmd & PTE_BITS_MASK | PTE_ZERO_PAGE, 0)
        return
    head = pte_payload(pmd)
    change_pmd(s, first, PTE_WRITE, 0)
    for number in range(s.nr_huge):
        if rule0(s, R_FORK_CLEARS_EXCLUSIVE):
            s.page_flags[part_of(s, head, number)] &= ~PG_ANON_EXCLUSIVE
    set_area_ptes(s, child, pmd & PTE_BITS_MASK & ~(PTE_WRITE | PTE_YOUNG | PTE_HUGE), head)
    link_huge_page(s, child, head)


def split_op(s: "MmState", actor: int, ptep: int) -> int:
    """Split every huge page that the area maps (debugfs split_huge_pages). Source: split_huge_pages_pid()."""
    first = area_start(s, ptep >> VPN_SHIFT)
    for part in range(first, first + s.nr_huge):
        pte = s.pte[part]
        if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE:
            continue
        head = s.page_head[pte_payload(pte)]
        if is_huge(s, head):
            lock_and_split(s, actor, head)
    return RESULT_OK


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule3, set_pte
    from simcore.constants import (
        FOR_STORE,
        MAX_HUGE,
        NR_NEIGHBOURS,
        ORIGIN_HUGE,
        PG_ACTIVE,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_HEAD,
        PG_LRU,
        PG_MLOCKED,
        PG_NODE1,
        PG_REFERENCED,
        PG_STORED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_TAIL,
        PG_UNEVICTABLE,
        PG_UPTODATE,
        PMD_HUGE,
        PMD_NONE,
        PMD_TABLE,
        PTE_BITS_MASK,
        PTE_DIRTY,
        PTE_FLAGS_MASK,
        PTE_HUGE,
        PTE_NONE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_WRITE,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_BLOCKED,
        RESULT_OK,
        SHADOW_SOLE,
        VM_HUGE_AREA,
        VM_HUGEPAGE,
        VM_LOCKED,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.memory import anon_vma_prepare, may_reuse, write_bits
    from simcore.mlock import clear_page_mlock, munlock_page
    from simcore.mm_types import MmState
    from simcore.page_alloc import (
        alloc_page,
        cache_references,
        free_page,
        get_page,
        put_page,
        trylock_page,
        unlock_page,
    )
    from simcore.rmap import next_mapping, rmap_link, rmap_unlink
    from simcore.rule_ids import (
        R_FORK_CLEARS_EXCLUSIVE,
        R_FRESH_PAGE_ACTIVE,
        R_FRESH_PAGE_EXCLUSIVE,
        R_MIGRATION_DIRTY_SETS_SOFT_DIRTY,
        R_PMD_SPLIT_DIRTIES_PAGE,
        R_PMD_SPLIT_KEEPS_SOFT_DIRTY,
        R_PMD_SPLIT_PTE_DIRTY,
        R_PMD_SPLIT_SPLITS_PAGE,
        R_SPLIT_DIRTIES_TAILS,
        R_SPLIT_FAILS_WHEN_HELD,
        R_SPLIT_GATHERS_DIRTY,
        R_SPLIT_KEEPS_SOFT_DIRTY,
        R_SPLIT_KEEPS_YOUNG,
        R_SPLIT_MAPS_ZERO_PAGE,
        R_SPLIT_PTE_DIRTY,
        R_WP_SETS_EXCLUSIVE,
    )
    from simcore.swap import lru_add, lru_add_tail, lru_cache_add
    from simcore.swapfile import users_of_page
    from simcore.user_memory import user_touched_empty
