# Written from draw.py by `make headers`.

from libc.stdint cimport int64_t, uint32_t, uint64_t
cimport cython
from fuzzer.engine_types cimport engine_state
from simcore.bits cimport mix
from simcore.constants cimport DIRECT_RECLAIM, FEATURE_KSM, FEATURE_STEPS, FIRST_SHARED_TOKEN, LAST_SHARED_TOKEN, LAST_TOKEN, PATH_NONE, WHOLE_AREA
from simcore.mm_types cimport mm_state
from simcore.op_ids cimport OP_FORK, OP_IO_DONE, OP_IO_ERROR, OP_MEMCG_ATTACH, OP_MEMCG_LIMIT, OP_MEMCG_RECLAIM, OP_READ, OP_STEP, OP_SWAPOFF, OP_SWAPOFF_ON, OP_SWAPON

cdef uint64_t next_random(engine_state *g) noexcept nogil
cdef void seed_random(engine_state *g, int64_t sequence) noexcept nogil
@cython.locals(byte=int)
cdef int below(uint64_t bits, int limit) noexcept nogil
cdef void fill_op_table(engine_state *g, int features, mm_state *s) noexcept nogil
cdef bint can_do(mm_state *s, int code) noexcept nogil
cdef int draw_code(engine_state *g, mm_state *s) noexcept nogil
cdef int busy_actor(mm_state *s, int start) noexcept nogil
@cython.locals(shared=bint)
cdef int draw_token(engine_state *g, mm_state *s, uint64_t bits) noexcept nogil
@cython.locals(other=bint)
cdef void draw_page(engine_state *g, mm_state *s, uint64_t bits) noexcept nogil
@cython.locals(word=uint32_t)
cdef uint32_t pack_op(int code, int first, int second, int token, bint thread, bint begin) noexcept nogil
@cython.locals(stepping=bint, thread=bint, begin=bint)
cdef uint32_t draw_op(engine_state *g, mm_state *s) noexcept nogil
