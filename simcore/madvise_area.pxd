# Written from madvise_area.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int whole_page(mm_state *s, int mm) noexcept nogil
cdef bint maps_alone(mm_state *s, int first, int head) noexcept nogil
cdef bint area_is_locked(mm_state *s, int mm) noexcept nogil
cdef int advise_area(mm_state *s, int code, int actor, int mm) noexcept nogil
cdef bint stops_advice(mm_state *s, int ptep) noexcept nogil
cdef bint knows_advice(mm_state *s, int code) noexcept nogil
cdef void advise_page(mm_state *s, int code, int actor, int ptep) noexcept nogil
@cython.locals(swap_available_=bint)
cdef int advise_whole(mm_state *s, int code, int actor, int mm) noexcept nogil
cdef void drop_area(mm_state *s, int actor, int mm) noexcept nogil
cdef void note_area_freed(mm_state *s, int mm) noexcept nogil
@cython.locals(swapcache=bint, page_dirty=bint, shared=bint, active=bint)
cdef void madvise_free_huge(mm_state *s, int actor, int mm, int head) noexcept nogil
cdef void cold_huge(mm_state *s, int code, int mm, int head) noexcept nogil
