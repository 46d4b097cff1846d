# Written from swarm.py by `make headers`.

from fuzzer.engine_types cimport engine_state
from simcore.constants cimport FEATURE_BITS
from simcore.mm_types cimport mm_state
from simcore.op_ids cimport OP_WRITE

cdef int shrunk(engine_state *g, int least, int most) noexcept nogil
cdef int draw_features(engine_state *g) noexcept nogil
cdef void draw_world(engine_state *g, mm_state *s) noexcept nogil
cdef void draw_weights(engine_state *g, engine_state *base) noexcept nogil
