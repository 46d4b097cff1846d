# Written from task_mmu.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(pte_write=bint)
cdef void clear_soft_dirty(mm_state *s, int mm) noexcept nogil
