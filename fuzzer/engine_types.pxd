# Written from engine_types.py by `make headers`.

from libc.stdint cimport int16_t, int64_t, uint32_t, uint64_t, uint8_t
from fuzzer.engine_constants cimport FAILURE_KEYS, MAX_LENGTH, MAX_OPS, OP_TABLE_SIZE

cdef struct engine_state:
    uint64_t seed
    int swarm
    int length_max
    int samples_per_key
    int checks
    int16_t weights[MAX_OPS]
    uint8_t takes[MAX_OPS]
    int max_processes
    int max_pages
    int max_frames
    int max_slots
    int max_memcgs
    int max_mergeable
    int max_file
    int max_huge
    int advised
    int max_batch
    int sync_io
    int features
    uint64_t random
    uint8_t op_table[OP_TABLE_SIZE]
    int last_first
    int last_second
    int next_token
    uint32_t words[MAX_LENGTH]
    int nr_words
    int64_t failures[FAILURE_KEYS]
    int64_t sequence
    int64_t ops
    uint64_t digest
