# Written from op_ids.py by `make headers`.

from libc.stdint cimport int64_t

cdef enum:
    OP_WRITE = 1
    OP_READ = 2
    OP_MADV_FREE = 3
    OP_MADV_DONTNEED = 4
    OP_MADV_COLD = 5
    OP_MADV_PAGEOUT = 6
    OP_FORK = 7
    OP_EXIT = 8
    OP_KSM_SCAN = 9
    OP_MERGEABLE = 10
    OP_UNMERGEABLE = 11
    OP_MIGRATE = 12
    OP_RECLAIM = 13
    OP_SWAPOFF = 14
    OP_SWAPON = 15
    OP_SWAPOFF_ON = 16
    OP_MLOCK = 17
    OP_MUNLOCK = 18
    OP_MEMCG_LIMIT = 19
    OP_MEMCG_ATTACH = 20
    OP_MEMCG_RECLAIM = 21
    OP_IO_DONE = 22
    OP_IO_ERROR = 23
    OP_STEP = 24
    OP_GUP_WRITE = 25
    OP_PIN = 26
    OP_DMA = 27
    OP_UNPIN = 28
    OP_MPROTECT_RO = 29
    OP_MPROTECT_RW = 30
    OP_MREMAP = 31
    OP_DRAIN = 32
    OP_CLEAR_SOFT_DIRTY = 33
    OP_COLLAPSE = 34
    OP_SPLIT = 35
    OP_PUNCH = 36
    OP_TRUNCATE = 37
    OP_GUP_READ = 38
    LAST_OP = 38

cdef extern from *:
    """
    #define OPS_OF_A_PROCESS ((int64_t)549723708926ull)
    #define OPS_WITHOUT_PAGE ((int64_t)13288604032ull)
    """
    const int64_t OPS_OF_A_PROCESS
    const int64_t OPS_WITHOUT_PAGE
