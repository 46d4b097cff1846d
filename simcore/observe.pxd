# Written from observe.py by `make headers`.

from libc.stdint cimport uint64_t
cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(state=uint64_t, cached=bint)
cdef uint64_t page_state(mm_state *s, int ptep) noexcept nogil
cdef int shown_class(int pte) noexcept nogil
cdef int shown_soft_dirty(mm_state *s, int ptep) noexcept nogil
cdef int shown_zero_huge(int pte) noexcept nogil
cdef int file_resident(mm_state *s, int ptep) noexcept nogil
@cython.locals(anon=bint, state=uint64_t, moved=bint, count=uint64_t)
cdef uint64_t frame_state(mm_state *s, int ptep, int pfn) noexcept nogil
cdef bint shown_exclusive(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(shown=uint64_t)
cdef uint64_t shown_flags(int flags) noexcept nogil
@cython.locals(index=uint64_t)
cdef uint64_t with_share(uint64_t state, mm_state *s, int ptep, bint shared) noexcept nogil
cdef int first_sharer(mm_state *s, int ptep) noexcept nogil
@cython.locals(present=bint)
cdef void remember_frames(mm_state *s) noexcept nogil
cdef int smaps_state(mm_state *s, int ptep) noexcept nogil
@cython.locals(anon=bint, dirty=bint, private=bint, shown=int)
cdef int smaps_of_frame(mm_state *s, int ptep, int pfn) noexcept nogil
