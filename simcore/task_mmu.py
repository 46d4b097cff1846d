"""Soft-dirty tracking: fs/proc/task_mmu.c."""

import cython


def clear_soft_dirty(s: "MmState", mm: int) -> None:
    """Write 4 to the process's clear_refs: no page counts as soft-dirty until its next store.

    Source: fs/proc/task_mmu.c clear_refs_write(), clear_soft_dirty().
    """
    first = mm << VPN_SHIFT
    for ptep in range(first, first + s.nr_vpn):
        s.vm_flags[ptep] &= ~VM_SOFTDIRTY
        pte = s.pte[ptep]
        if pte_kind(pte) == PTE_NONE:
            continue
        pte_write = (pte & PTE_WRITE) != 0
        pte &= ~PTE_SOFT_DIRTY
        if pte_kind(pte) == PTE_PRESENT and rule1(s, R_CLEAR_REFS_PROTECTS_PTE, pte_write):
            pte &= ~PTE_WRITE
        set_pte(s, ptep, pte)


if not cython.compiled:
    from simcore.bits import pte_kind, rule1, set_pte
    from simcore.constants import PTE_NONE, PTE_PRESENT, PTE_SOFT_DIRTY, PTE_WRITE, VM_SOFTDIRTY, VPN_SHIFT
    from simcore.mm_types import MmState
    from simcore.rule_ids import R_CLEAR_REFS_PROTECTS_PTE
