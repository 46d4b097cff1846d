# Written from swap_state.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void add_to_swap_cache(mm_state *s, int pfn, int slot) noexcept nogil
@cython.locals(page_dirty=bint)
cdef bint add_to_swap(mm_state *s, int pfn) noexcept nogil
cdef void delete_from_swap_cache(mm_state *s, int pfn) noexcept nogil
cdef void leave_slot(mm_state *s, int pfn) noexcept nogil
cdef int begin_read_swap_cache(mm_state *s, int slot, int memcg) noexcept nogil
cdef int read_swap_cache(mm_state *s, int slot) noexcept nogil
