cdef class Machine:
    cdef mm_state s
