# Written from mremap.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef int move_page_tables(mm_state *s, int ptep) noexcept nogil
