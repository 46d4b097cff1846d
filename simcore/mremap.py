"""A page moved to another address: mm/mremap.c."""

import cython


def move_page_tables(s: "MmState", ptep: int) -> int:
    """mremap(2) of one page to the address it has not: merged pages are copied, and the pte moves.

    The page keeps its number here. Source: mm/mremap.c move_vma(), move_ptes().
    """
    result = break_ksm(s, ptep) if s.vm_flags[ptep] & VM_MERGEABLE else RESULT_OK
    if result != RESULT_OK:
        return result
    lru_add_drain(s)
    s.ksm_checksum[ptep] = -1
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_NONE and rule0(s, R_MREMAP_SETS_SOFT_DIRTY):
        set_pte(s, ptep, pte | PTE_SOFT_DIRTY)
    return RESULT_OK


if not cython.compiled:
    from simcore.bits import pte_kind, rule0, set_pte
    from simcore.constants import PTE_NONE, PTE_SOFT_DIRTY, RESULT_OK, VM_MERGEABLE
    from simcore.ksm import break_ksm
    from simcore.mm_types import MmState
    from simcore.rule_ids import R_MREMAP_SETS_SOFT_DIRTY
    from simcore.swap import lru_add_drain
