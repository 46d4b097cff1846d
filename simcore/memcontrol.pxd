# Written from memcontrol.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef bint memcg_over_limit(mm_state *s, int memcg, int more) noexcept nogil
cdef bint memcg_try_charge(mm_state *s, int memcg) noexcept nogil
cdef void memcg_uncharge(mm_state *s, int memcg) noexcept nogil
cdef void memcg_set_limit(mm_state *s, int memcg, int pages) noexcept nogil
