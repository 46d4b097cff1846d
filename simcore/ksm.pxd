# Written from ksm.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int mergeable_page(mm_state *s, int ptep) noexcept nogil
cdef int stable_page_of(mm_state *s, int content) noexcept nogil
cdef int unstable_partner(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(pte_write=bint, pte_dirty=bint, exclusive=bint, swapcache=bint, page_dirty=bint)
cdef bint write_protect_page(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(page_dirty=bint, swapcache=bint)
cdef void make_stable(mm_state *s, int ptep, int pfn) noexcept nogil
cdef void note_merged(mm_state *s, int ptep) noexcept nogil
@cython.locals(pte_dirty=bint)
cdef void replace_page(mm_state *s, int ptep, int pfn, int kpage) noexcept nogil
cdef int break_ksm(mm_state *s, int ptep) noexcept nogil
@cython.locals(ksm=bint, anon=bint, same_root=bint)
cdef int ksm_might_need_to_copy(mm_state *s, int pfn, int ptep) noexcept nogil
