# Written from bits.py and bits.extra.pxd by `make headers`.

from libc.stdint cimport uint64_t
from simcore.mm_types cimport mm_state

cdef extern from *:
    int __builtin_ctz(unsigned int mask) noexcept nogil

cdef int lowest_bit(int mask) noexcept nogil
cdef uint64_t mix(uint64_t value, int more) noexcept nogil
cdef int pte_kind(int pte) noexcept nogil
cdef int pte_payload(int pte) noexcept nogil
cdef void set_pte(mm_state *s, int ptep, int pte) noexcept nogil
cdef bint rule_row(mm_state *s, int row) noexcept nogil
cdef bint rule0(mm_state *s, int rule) noexcept nogil
cdef bint rule1(mm_state *s, int rule, bint b0) noexcept nogil
cdef bint rule2(mm_state *s, int rule, bint b0, bint b1) noexcept nogil
cdef bint rule3(mm_state *s, int rule, bint b0, bint b1, bint b2) noexcept nogil
cdef bint rule4(mm_state *s, int rule, bint b0, bint b1, bint b2, bint b3) noexcept nogil
cdef bint rule5(mm_state *s, int rule, bint b0, bint b1, bint b2, bint b3, bint b4) noexcept nogil
cdef bint rule6(mm_state *s, int rule, bint b0, bint b1, bint b2, bint b3, bint b4, bint b5) noexcept nogil
