# Written from ksmd.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void begin_ksm(mm_state *s) noexcept nogil
cdef void begin_scan(mm_state *s) noexcept nogil
cdef int end_ksm(mm_state *s) noexcept nogil
cdef int step_ksm(mm_state *s) noexcept nogil
cdef int ksm_next(mm_state *s) noexcept nogil
cdef int next_mergeable(mm_state *s, int after) noexcept nogil
cdef bint cmp_and_merge_page(mm_state *s, int ptep) noexcept nogil
cdef bint hold_for_merge(mm_state *s, int ptep, int pfn) noexcept nogil
cdef void let_go(mm_state *s) noexcept nogil
@cython.locals(done=bint)
cdef void ksm_make_stable(mm_state *s) noexcept nogil
cdef bint begin_merge(mm_state *s, int ptep, int kpage, int first) noexcept nogil
cdef void end_merge(mm_state *s, bint done) noexcept nogil
cdef void ksm_protect(mm_state *s) noexcept nogil
cdef bint maps_page(mm_state *s, int ptep) noexcept nogil
cdef void ksm_compare(mm_state *s) noexcept nogil
@cython.locals(pte_same=bint)
cdef void ksm_replace(mm_state *s) noexcept nogil
