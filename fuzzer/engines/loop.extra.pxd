from simcore._core cimport Machine

cdef class Engine:
    cdef Machine machine
    cdef engine_state g
    cdef engine_state base
