# Written from vmscan.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

@cython.locals(moved=bint)
cdef bint shrink_active_list(mm_state *s, int number, int memcg) noexcept nogil
@cython.locals(asked=bint)
cdef bint any_list(mm_state *s, int memcg) noexcept nogil
cdef void begin_round(mm_state *s, int actor) noexcept nogil
cdef void begin_reclaim(mm_state *s, int actor, int memcg, int target) noexcept nogil
cdef int end_reclaim(mm_state *s, int actor) noexcept nogil
cdef int step_reclaim(mm_state *s, int actor) noexcept nogil
cdef int scan_list(mm_state *s, int actor) noexcept nogil
cdef bint next_list(mm_state *s, int actor) noexcept nogil
cdef int reclaim_next(mm_state *s, int actor) noexcept nogil
cdef void isolate(mm_state *s, int actor, int pfn) noexcept nogil
cdef void putback(mm_state *s, int actor, int set_flags) noexcept nogil
cdef void keep_locked(mm_state *s, int actor) noexcept nogil
@cython.locals(swap_full=bint)
cdef void activate_locked(mm_state *s, int actor) noexcept nogil
cdef void cull_mlocked(mm_state *s, int actor) noexcept nogil
cdef void reclaim_check(mm_state *s, int actor) noexcept nogil
cdef void keep_writeback(mm_state *s, int actor) noexcept nogil
@cython.locals(stays=bint)
cdef bint follows_reading(mm_state *s, int actor) noexcept nogil
@cython.locals(pte_young=bint, page_referenced_=bint, swapbacked=bint)
cdef bint check_references(mm_state *s, int actor, int used) noexcept nogil
@cython.locals(anon=bint, pte_dirty=bint, page_dirty=bint, swapcache=bint, swapbacked=bint, memcg=bint)
cdef void decide_freeable(mm_state *s, int actor, int used) noexcept nogil
@cython.locals(added_to_swap=bint, page_dirty=bint)
cdef bint give_slot(mm_state *s, int actor) noexcept nogil
@cython.locals(synchronous=bint, pmd_mapped=bint, partly_mapped=bint)
cdef bint split_for_swap(mm_state *s, int actor) noexcept nogil
cdef void reclaim_unmap(mm_state *s, int actor) noexcept nogil
@cython.locals(page_dirty=bint)
cdef bint skips_pageout(mm_state *s, int actor) noexcept nogil
cdef int reclaim_references(mm_state *s, int pfn) noexcept nogil
@cython.locals(page_dirty=bint, swapcache=bint, in_file=bint, writes=bint)
cdef void reclaim_pageout(mm_state *s, int actor) noexcept nogil
@cython.locals(swapcache=bint, in_file=bint, page_dirty=bint)
cdef void reclaim_remove(mm_state *s, int actor) noexcept nogil
cdef void run_reclaim(mm_state *s, int actor) noexcept nogil
cdef int try_to_free_pages(mm_state *s, int memcg, int target) noexcept nogil
cdef void reclaim_pages(mm_state *s, int pfn) noexcept nogil
cdef void finish_page(mm_state *s, int actor) noexcept nogil
cdef void begin_reclaim_of(mm_state *s, int actor, int pfn) noexcept nogil
