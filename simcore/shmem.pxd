# Written from shmem.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int file_index(mm_state *s, int ptep) noexcept nogil
cdef void shmem_init(mm_state *s) noexcept nogil
cdef void add_to_page_cache(mm_state *s, int pfn, int index) noexcept nogil
cdef void delete_from_page_cache(mm_state *s, int pfn) noexcept nogil
cdef int shmem_get_page(mm_state *s, int actor, int ptep) noexcept nogil
cdef int shmem_swapin_page(mm_state *s, int actor, int ptep, int index) noexcept nogil
cdef int do_fault(mm_state *s, int actor, int ptep, int write) noexcept nogil
cdef void map_file_page(mm_state *s, int ptep, int pfn, bint write) noexcept nogil
cdef void dirty_shared_page(mm_state *s, int pfn) noexcept nogil
cdef int do_cow_fault(mm_state *s, int ptep, int pfn) noexcept nogil
cdef int wp_file_page(mm_state *s, int ptep, int pfn) noexcept nogil
cdef bint shmem_writepage(mm_state *s, int pfn) noexcept nogil
cdef bint shmem_unuse(mm_state *s, int slot) noexcept nogil
cdef void drop_file_page(mm_state *s, int actor, int index, bint copies) noexcept nogil
@cython.locals(own=bint)
cdef void drop_mapping(mm_state *s, int actor, int ptep, bint copies) noexcept nogil
cdef int punch_hole(mm_state *s, int actor, int ptep) noexcept nogil
cdef int truncate_file(mm_state *s, int actor, int ptep) noexcept nogil
cdef bint file_page_locked(mm_state *s, int index) noexcept nogil
