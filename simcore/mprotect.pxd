# Written from mprotect.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void mprotect_ro(mm_state *s, int ptep) noexcept nogil
@cython.locals(exclusive=bint, soft_dirty=bint, shared=bint, pte_dirty=bint)
cdef void mprotect_rw(mm_state *s, int ptep) noexcept nogil
