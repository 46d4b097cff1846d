"""Write permission taken away and given back: mm/mprotect.c."""

import cython


def mprotect_ro(s: "MmState", ptep: int) -> None:
    """mprotect(PROT_READ) of one page. Source: mm/mprotect.c change_pte_range(); pte_modify() keeps D, Y and SD."""
    s.vm_flags[ptep] &= ~VM_WRITE
    pte = s.pte[ptep]
    if pte_kind(pte) == PTE_PRESENT or pte_kind(pte) == PTE_MIGRATION:
        set_pte(s, ptep, pte & ~PTE_WRITE)


def mprotect_rw(s: "MmState", ptep: int) -> None:
    """mprotect(PROT_READ | PROT_WRITE): most ptes become writable only at the next store."""
    s.vm_flags[ptep] |= VM_WRITE
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return
    exclusive = (s.page_flags[pte_payload(pte)] & PG_ANON_EXCLUSIVE) != 0
    soft_dirty = pte & PTE_SOFT_DIRTY != 0 or s.vm_flags[ptep] & VM_SOFTDIRTY != 0
    shared = (s.vm_flags[ptep] & VM_SHARED) != 0
    pte_dirty = (pte & PTE_DIRTY) != 0
    if rule4(s, R_MPROTECT_GRANTS_WRITE, exclusive, soft_dirty, shared, pte_dirty):
        set_pte(s, ptep, pte | PTE_WRITE)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule4, set_pte
    from simcore.constants import (
        PG_ANON_EXCLUSIVE,
        PTE_DIRTY,
        PTE_MIGRATION,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_WRITE,
        PTE_ZERO_PAGE,
        VM_SHARED,
        VM_SOFTDIRTY,
        VM_WRITE,
    )
    from simcore.mm_types import MmState
    from simcore.rule_ids import R_MPROTECT_GRANTS_WRITE
