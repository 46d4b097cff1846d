# Written from page_alloc.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef int alloc_page(mm_state *s, int memcg) noexcept nogil
cdef void free_page(mm_state *s, int pfn) noexcept nogil
cdef void get_page(mm_state *s, int pfn) noexcept nogil
cdef void put_page(mm_state *s, int pfn) noexcept nogil
cdef int cache_references(int flags) noexcept nogil
cdef bint trylock_page(mm_state *s, int pfn, int actor) noexcept nogil
cdef void unlock_page(mm_state *s, int pfn) noexcept nogil
