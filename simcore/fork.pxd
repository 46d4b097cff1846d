# Written from fork.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef bint copy_one_pte(mm_state *s, int parent, int child) noexcept nogil
@cython.locals(exclusive=bint, pinned=bint)
cdef bint copy_present_page(mm_state *s, int parent, int child) noexcept nogil
cdef bint copy_pinned_page(mm_state *s, int parent, int child) noexcept nogil
@cython.locals(pte_dirty=bint, swapcache=bint)
cdef int copy_present_pte(mm_state *s, int parent, int child, int pte) noexcept nogil
cdef int do_fork(mm_state *s, int mm) noexcept nogil
cdef void copy_area(mm_state *s, int mm, int child) noexcept nogil
@cython.locals(exclusive=bint, pinned=bint)
cdef bint pmd_is_pinned(mm_state *s, int ptep) noexcept nogil
cdef bint copy_vma(mm_state *s, int parent, int child) noexcept nogil
cdef void undo_fork(mm_state *s, int child, int copied) noexcept nogil
cdef int do_exit(mm_state *s, int actor, int mm) noexcept nogil
cdef int vma_kind(mm_state *s, int vpn) noexcept nogil
cdef void mm_init(mm_state *s) noexcept nogil
