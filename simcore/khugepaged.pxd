# Written from khugepaged.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(held=bint)
cdef int scan_part(mm_state *s, int ptep) noexcept nogil
@cython.locals(writable=bint)
cdef int scan_area(mm_state *s, int mm) noexcept nogil
cdef void begin_collapse(mm_state *s, int mm) noexcept nogil
cdef int end_collapse(mm_state *s, int result) noexcept nogil
cdef int step_collapse(mm_state *s) noexcept nogil
@cython.locals(node=bint)
cdef int collapse_scan(mm_state *s, int mm) noexcept nogil
cdef int collapse_copy(mm_state *s, int mm) noexcept nogil
cdef bint nothing_swapped(mm_state *s, int mm) noexcept nogil
cdef bint target_node(mm_state *s, int mm) noexcept nogil
@cython.locals(swapped=bint)
cdef int swap_in_area(mm_state *s, int mm) noexcept nogil
cdef bint swap_in_part(mm_state *s, int ptep) noexcept nogil
cdef void start_read(mm_state *s, int mm, int slot) noexcept nogil
cdef void copy_part(mm_state *s, int actor, int ptep, int pfn) noexcept nogil
