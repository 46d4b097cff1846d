# Written from rmap.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void rmap_link(mm_state *s, int pfn, int ptep) noexcept nogil
cdef void rmap_unlink(mm_state *s, int pfn, int ptep) noexcept nogil
cdef void page_add_rmap(mm_state *s, int pfn, int ptep) noexcept nogil
cdef void page_add_anon_rmap(mm_state *s, int pfn, int ptep) noexcept nogil
cdef void page_remove_rmap(mm_state *s, int pfn) noexcept nogil
cdef int links_of_page(mm_state *s, int pfn, int mm) noexcept nogil
cdef int next_linked(mm_state *s, int pfn, int after) noexcept nogil
cdef int next_mapping(mm_state *s, int pfn, int after) noexcept nogil
@cython.locals(see_all=bint)
cdef int page_referenced(mm_state *s, int pfn, int memcg) noexcept nogil
cdef int swap_pte(mm_state *s, int pte) noexcept nogil
cdef int migration_pte(int pte) noexcept nogil
@cython.locals(swapcache=bint)
cdef int unmap_for_migration(mm_state *s, int pfn, int ptep, int pte) noexcept nogil
cdef int unmap_to_swap(mm_state *s, int pfn, int ptep, int pte) noexcept nogil
cdef void discard_pte(mm_state *s, int ptep) noexcept nogil
@cython.locals(pte_dirty=bint, page_dirty=bint, swapcache=bint)
cdef void move_dirty_bit(mm_state *s, int pfn, int pte, bint migration) noexcept nogil
@cython.locals(freeable=bint, lazyfree=bint, pte_dirty=bint, page_dirty=bint, swapbacked=bint, swapcache=bint, extra_refs=bint)
cdef bint may_discard(mm_state *s, int pfn, int pte, int flags) noexcept nogil
@cython.locals(page_dirty=bint)
cdef void restore_swapbacked(mm_state *s, int pfn) noexcept nogil
@cython.locals(migration=bint, pte_young=bint, ignore_young=bint, exclusive=bint, pinned=bint, freeable=bint, lazyfree=bint)
cdef int try_to_unmap_one(mm_state *s, int pfn, int ptep, int flags) noexcept nogil
