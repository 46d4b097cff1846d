# Written from finish.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef bint settle(mm_state *s) noexcept nogil
cdef int owed_discard(mm_state *s, bint swapped) noexcept nogil
cdef int first_kept(mm_state *s) noexcept nogil
cdef void check_discardable(mm_state *s) noexcept nogil
cdef void read_everything(mm_state *s) noexcept nogil
cdef void fold_state(mm_state *s) noexcept nogil
cdef void finish_trace(mm_state *s) noexcept nogil
