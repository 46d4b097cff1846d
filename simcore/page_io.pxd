# Written from page_io.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(synchronous=bint, sole=bint)
cdef void swap_readpage(mm_state *s, int pfn) noexcept nogil
cdef int user_of_slot(mm_state *s, int slot) noexcept nogil
cdef void check_needless_write(mm_state *s, int pfn, int slot) noexcept nogil
cdef void swap_write_start(mm_state *s, int pfn) noexcept nogil
cdef void write_slot(mm_state *s, int pfn) noexcept nogil
cdef void spoil_slots(mm_state *s, int pfn) noexcept nogil
cdef void swap_write_end(mm_state *s, int pfn, bint failed) noexcept nogil
@cython.locals(skips=bint)
cdef bint swap_writepage(mm_state *s, int pfn) noexcept nogil
cdef void swap_write_now(mm_state *s, int pfn) noexcept nogil
cdef void end_swap_write(mm_state *s, int place, bint failed) noexcept nogil
cdef void end_swap_write_of(mm_state *s, int pfn) noexcept nogil
cdef void end_all_swap_writes(mm_state *s) noexcept nogil
