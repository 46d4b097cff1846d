# Written from swap.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int lru_list(mm_state *s, int pfn) noexcept nogil
cdef void lru_init(mm_state *s) noexcept nogil
cdef void lru_add_after(mm_state *s, int pfn, int before) noexcept nogil
cdef void lru_add(mm_state *s, int pfn) noexcept nogil
cdef void lru_add_tail(mm_state *s, int pfn) noexcept nogil
cdef void lru_del(mm_state *s, int pfn) noexcept nogil
cdef int lru_tail(mm_state *s, int number) noexcept nogil
@cython.locals(on_list=bint)
cdef void move_lru(mm_state *s, int pfn, int clear, int set_flags) noexcept nogil
cdef void batch_move(mm_state *s, int batch, int pfn) noexcept nogil
@cython.locals(swapbacked=bint, swapcache=bint)
cdef void lru_lazyfree(mm_state *s, int pfn) noexcept nogil
cdef void drain_batch(mm_state *s, int batch) noexcept nogil
cdef void lru_add_drain(mm_state *s) noexcept nogil
@cython.locals(huge=bint)
cdef void batch_add(mm_state *s, int batch, int pfn) noexcept nogil
@cython.locals(found=int)
cdef bint waits_in_batch(mm_state *s, int batch, int pfn) noexcept nogil
cdef void lru_cache_add(mm_state *s, int pfn) noexcept nogil
cdef void deactivate_page(mm_state *s, int pfn) noexcept nogil
cdef void activate_page(mm_state *s, int pfn) noexcept nogil
cdef void rotate_reclaimable_page(mm_state *s, int pfn) noexcept nogil
cdef void mark_page_accessed(mm_state *s, int pfn) noexcept nogil
