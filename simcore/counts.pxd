# Written from counts.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(mapping=bint, swapped=bint)
cdef void count_references(mm_state *s) noexcept nogil
cdef void count_holders(mm_state *s) noexcept nogil
cdef void count_batched(mm_state *s) noexcept nogil
cdef void count_compound(mm_state *s) noexcept nogil
cdef void count_pins(mm_state *s) noexcept nogil
cdef int held_references(mm_state *s, int pfn) noexcept nogil
cdef bint counts_differ(mm_state *s) noexcept nogil
cdef void count_all(mm_state *s) noexcept nogil
cdef void check_counts(mm_state *s) noexcept nogil
cdef void report_counts(mm_state *s) noexcept nogil
@cython.locals(fewer=bint)
cdef void report_page_counts(mm_state *s, int pfn, int mapped, int references) noexcept nogil
@cython.locals(fewer=bint)
cdef void report_slot_count(mm_state *s, int slot, int users) noexcept nogil
