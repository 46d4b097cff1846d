# Written from report.py by `make headers`.

from simcore.mm_types cimport mm_state

cdef void report(mm_state *s, int oracle, int ptep, int expected, int seen) noexcept nogil
cdef void kernel_bug(mm_state *s, int number) noexcept nogil
