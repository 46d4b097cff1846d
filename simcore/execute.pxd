# Written from execute.py by `make headers`.

from libc.stdint cimport uint32_t
cimport cython
from simcore.mm_types cimport mm_state

cdef void world_init(mm_state *s) noexcept nogil
cdef void reset(mm_state *s) noexcept nogil
cdef int step_actor(mm_state *s, int actor) noexcept nogil
cdef int run_actor(mm_state *s, int actor) noexcept nogil
cdef bint is_idle(mm_state *s, int actor) noexcept nogil
cdef int access_page(mm_state *s, int actor, int ptep, int write, int token, bint begin) noexcept nogil
cdef int lock_in_memory(mm_state *s, int actor, int ptep) noexcept nogil
@cython.locals(private_writable=bint)
cdef int populate(mm_state *s, int actor, int ptep) noexcept nogil
@cython.locals(pinned=bint)
cdef int page_op(mm_state *s, int code, int actor, int ptep, int token, bint begin) noexcept nogil
cdef int file_op(mm_state *s, int code, int actor, int ptep) noexcept nogil
cdef int vma_op(mm_state *s, int code, int actor, int ptep) noexcept nogil
cdef int change_vma(mm_state *s, int code, int actor, int ptep) noexcept nogil
cdef int mergeable_op(mm_state *s, int code, int ptep) noexcept nogil
cdef int huge_op(mm_state *s, int code, int actor, int ptep, bint begin) noexcept nogil
cdef int area_op(mm_state *s, int code, int actor, int mm, bint begin) noexcept nogil
cdef int lock_area(mm_state *s, int actor, int mm) noexcept nogil
@cython.locals(was_writable=bint)
cdef int make_writable(mm_state *s, int actor, int ptep) noexcept nogil
cdef bint is_process_op(int code) noexcept nogil
cdef int whole_process_op(mm_state *s, int code, int actor, int mm, int token) noexcept nogil
cdef int process_op(mm_state *s, int code, int mm, int thread, int second, int token, bint begin) noexcept nogil
cdef int reclaim_op(mm_state *s, int memcg, bint begin) noexcept nogil
cdef int ksm_op(mm_state *s, bint begin) noexcept nogil
cdef int swapoff_op(mm_state *s, int code) noexcept nogil
cdef int io_op(mm_state *s, bint failed) noexcept nogil
cdef int memcg_op(mm_state *s, int code, int memcg, int pages, bint begin) noexcept nogil
cdef int step_op(mm_state *s, int actor) noexcept nogil
cdef int system_op(mm_state *s, int code, int first, int second, bint begin) noexcept nogil
@cython.locals(stepping=bint, begin=bint)
cdef int dispatch(mm_state *s, uint32_t word) noexcept nogil
cdef int execute_op(mm_state *s, uint32_t word) noexcept nogil
