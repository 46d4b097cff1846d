# Written from madvise.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int madvise_dontneed(mm_state *s, int actor, int ptep) noexcept nogil
@cython.locals(present=bint, swapped=bint)
cdef void drop_page(mm_state *s, int actor, int ptep) noexcept nogil
cdef int madvise_free(mm_state *s, int actor, int ptep) noexcept nogil
@cython.locals(swap_available_=bint, ends=bint, sole=bint)
cdef void madvise_free_page(mm_state *s, int actor, int ptep) noexcept nogil
cdef bint free_ends_with_split(mm_state *s, int ptep) noexcept nogil
@cython.locals(shared=bint)
cdef bint split_for_advice(mm_state *s, int actor, int ptep, bint of_head) noexcept nogil
@cython.locals(busy=bint)
cdef bint is_sole_plain_page(mm_state *s, int pfn) noexcept nogil
@cython.locals(swapcache=bint, page_dirty=bint, ksm=bint, done=bint, pte_dirty=bint, pte_young=bint, active=bint)
cdef void madvise_free_present(mm_state *s, int actor, int ptep, int pfn) noexcept nogil
@cython.locals(shared=bint)
cdef bint madvise_free_locked(mm_state *s, int pfn, bint swapcache, bint page_dirty, bint ksm) noexcept nogil
@cython.locals(swapbacked=bint, swapcache=bint)
cdef void mark_page_lazyfree(mm_state *s, int pfn) noexcept nogil
@cython.locals(shared=bint)
cdef int cold_page(mm_state *s, int actor, int ptep) noexcept nogil
cdef void advise_cold(mm_state *s, int actor, int ptep, bint pageout) noexcept nogil
cdef int madvise_cold(mm_state *s, int actor, int ptep) noexcept nogil
cdef int madvise_pageout(mm_state *s, int actor, int ptep) noexcept nogil
