cdef class Machine:
    cdef mm_state s
    cdef mm_state spare
