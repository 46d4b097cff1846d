# Written from gup.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void gup_store(mm_state *s, int ptep, int pfn, int token) noexcept nogil
cdef void gup_load(mm_state *s, int ptep) noexcept nogil
@cython.locals(pte_dirty=bint, page_dirty=bint)
cdef void gup_touch(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(pte_dirty=bint, page_dirty=bint)
cdef void gup_pin(mm_state *s, int ptep, int pfn) noexcept nogil
cdef int dma_write(mm_state *s, int mm, int token) noexcept nogil
cdef int gup_unpin(mm_state *s, int mm) noexcept nogil
cdef void forget_pin(mm_state *s, int ptep) noexcept nogil
cdef void forget_file_pins(mm_state *s, int index) noexcept nogil
