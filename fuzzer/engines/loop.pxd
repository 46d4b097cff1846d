# Written from loop.py and loop.extra.pxd by `make headers`.

from libc.stdint cimport int64_t
cimport cython
from fuzzer.engine_types cimport engine_state
from simcore.bits cimport mix
from simcore.constants cimport MAX_ORACLES
from simcore.execute cimport execute_op, reset
from simcore.finish cimport finish_trace
from simcore.mm_types cimport mm_state

from simcore._core cimport Machine

cdef class Engine:
    cdef Machine machine
    cdef engine_state g
    cdef engine_state base

cdef void whole_world(engine_state *g, mm_state *s) noexcept nogil
cdef void draw_options(engine_state *g, engine_state *base, mm_state *s) noexcept nogil
cdef void run_sequence(engine_state *g, mm_state *s) noexcept nogil
@cython.locals(wanted=bint)
cdef bint count_failures(engine_state *g, mm_state *s) noexcept nogil
cdef bint run_sequences(engine_state *g, engine_state *base, mm_state *s, int64_t ops) noexcept nogil
