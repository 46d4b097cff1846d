# Written from machine.py and machine.extra.pxd by `make headers`.

from simcore.mm_types cimport mm_state

cdef class Machine:
    cdef mm_state s
