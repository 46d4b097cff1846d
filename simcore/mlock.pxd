# Written from mlock.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef void mlock_page(mm_state *s, int ptep) noexcept nogil
cdef void hold_in_mlock_batch(mm_state *s, int pfn) noexcept nogil
cdef void clear_page_mlock(mm_state *s, int pfn) noexcept nogil
cdef void munlock_page(mm_state *s, int pfn) noexcept nogil
cdef void munlock_vma(mm_state *s, int ptep) noexcept nogil
