cdef extern from *:
    int __builtin_ctz(unsigned int mask) noexcept nogil
