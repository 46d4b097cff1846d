# Written from swapin.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(synchronous=bint, sole=bint)
cdef int fault_swap_lookup(mm_state *s, int actor, int ptep) noexcept nogil
cdef int fault_sync_lookup(mm_state *s, int actor, int ptep) noexcept nogil
cdef int fault_sync_read(mm_state *s, int actor) noexcept nogil
@cython.locals(write=bint, pte_same=bint, swapcache=bint)
cdef int fault_sync_install(mm_state *s, int actor) noexcept nogil
cdef int fault_swap_read(mm_state *s, int actor) noexcept nogil
cdef int fault_back_out(mm_state *s, int actor) noexcept nogil
@cython.locals(on_lru=bint, write=bint, ksm=bint, swapcache=bint, swapbacked=bint)
cdef int fault_swap_lock(mm_state *s, int actor) noexcept nogil
@cython.locals(pte_same=bint, swapcache=bint)
cdef int fault_swap_install(mm_state *s, int actor) noexcept nogil
@cython.locals(frees_first=bint)
cdef void map_cached_page(mm_state *s, int ptep, int pfn, bint copied, int slot, bint write) noexcept nogil
@cython.locals(page_dirty=bint, swapcache=bint, ksm=bint, exclusive=bint, sole=bint, extra_refs=bint, reuse=bint, soft_dirty=bint)
cdef void install_swapped_page(mm_state *s, int ptep, int pfn, bint write, bint counted, bint fresh) noexcept nogil
@cython.locals(swap_full=bint, vm_locked=bint, mlocked=bint, ksm=bint, swapcache=bint, extra_refs=bint)
cdef void free_slot_at_swapin(mm_state *s, int ptep, int pfn, bint write) noexcept nogil
