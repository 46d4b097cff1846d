# Written from follow.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef bint follow_drains(mm_state *s) noexcept nogil
cdef bint file_slot_cached(mm_state *s, int ptep) noexcept nogil
@cython.locals(taken=bint, given_up=bint)
cdef bint shows_scan(mm_state *s, int pte, int choice) noexcept nogil
cdef int follow_choice(mm_state *s, int pfn) noexcept nogil
cdef bint shows_slot(mm_state *s, int ptep, int slot) noexcept nogil
