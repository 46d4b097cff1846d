# Written from op_ids.py by `make headers`.

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
    OPS_OF_A_PROCESS = 1449470
