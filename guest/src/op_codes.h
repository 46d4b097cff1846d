/* Written from simcore/ops.py by `make headers`; edit that instead. */
#ifndef OP_CODES_H
#define OP_CODES_H

enum op_code {
	OP_WRITE = 1,
	OP_READ = 2,
	OP_MADV_FREE = 3,
	OP_MADV_DONTNEED = 4,
	OP_MADV_COLD = 5,
	OP_MADV_PAGEOUT = 6,
	OP_FORK = 7,
	OP_EXIT = 8,
	OP_KSM_SCAN = 9,
	OP_MERGEABLE = 10,
	OP_UNMERGEABLE = 11,
	OP_MIGRATE = 12,
	OP_RECLAIM = 13,
	OP_SWAPOFF = 14,
	OP_SWAPON = 15,
	OP_SWAPOFF_ON = 16,
	OP_MLOCK = 17,
	OP_MUNLOCK = 18,
	OP_MEMCG_ATTACH = 20,
	OP_MEMCG_RECLAIM = 21,
	OP_GUP_WRITE = 25,
	OP_MPROTECT_RO = 29,
	OP_MPROTECT_RW = 30,
	OP_MREMAP = 31,
	OP_DRAIN = 32,
	OP_CLEAR_SOFT_DIRTY = 33,
	OP_COLLAPSE = 34,
	OP_SPLIT = 35,
	OP_PUNCH = 36,
	OP_TRUNCATE = 37,
	OP_GUP_READ = 38,
};

/* Bit n: the op of code n takes a process, or a page. */
#define OP_HAS_PROCESS 0x7fe2161dfeull
#define OP_HAS_PAGE 0x7ce2061c7eull
#define OP_TABLE_DIGEST "2d2bb035ac44ed33"

#endif
