# Written from huge_memory.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int area_start(mm_state *s, int mm) noexcept nogil
cdef bint in_area(mm_state *s, int ptep) noexcept nogil
cdef int part_of(mm_state *s, int head, int number) noexcept nogil
cdef bint is_huge(mm_state *s, int head) noexcept nogil
cdef int alloc_huge_page(mm_state *s, int memcg) noexcept nogil
cdef void prep_compound_page(mm_state *s, int head) noexcept nogil
cdef void free_compound_page(mm_state *s, int head) noexcept nogil
cdef void set_area_ptes(mm_state *s, int mm, int bits, int head) noexcept nogil
cdef void change_pmd(mm_state *s, int ptep, int clear, int add) noexcept nogil
cdef void link_huge_page(mm_state *s, int mm, int head) noexcept nogil
cdef void unlink_huge_page(mm_state *s, int mm, int head) noexcept nogil
cdef int total_mapcount(mm_state *s, int head) noexcept nogil
cdef int most_users_of_part(mm_state *s, int head) noexcept nogil
cdef int huge_mappings(mm_state *s, int head) noexcept nogil
cdef int mapping_references(mm_state *s, int head) noexcept nogil
cdef bint has_extra_refs(mm_state *s, int pfn) noexcept nogil
cdef void map_huge_page(mm_state *s, int mm, int head, int bits) noexcept nogil
cdef bint may_fault_huge(mm_state *s, int ptep) noexcept nogil
cdef bint is_one_vma(mm_state *s, int mm) noexcept nogil
cdef bint do_huge_pmd_anonymous_page(mm_state *s, int ptep, int write) noexcept nogil
cdef void touched_area(mm_state *s, int mm) noexcept nogil
@cython.locals(locks=bint, reuse=bint)
cdef int do_huge_pmd_wp_page(mm_state *s, int actor, int ptep, int write) noexcept nogil
@cython.locals(pmd_dirty=bint)
cdef void split_huge_pmd(mm_state *s, int mm) noexcept nogil
cdef bint is_far(int number) noexcept nogil
cdef void split_area(mm_state *s, int ptep) noexcept nogil
@cython.locals(tails_join_list=bint)
cdef bint split_huge_page(mm_state *s, int head, int held) noexcept nogil
@cython.locals(done=bint)
cdef bint lock_and_split(mm_state *s, int actor, int head) noexcept nogil
cdef void move_pins_to_parts(mm_state *s, int head) noexcept nogil
cdef int unmap_page(mm_state *s, int head) noexcept nogil
@cython.locals(entry_dirty=bint)
cdef void gather_dirty(mm_state *s, int head, int pte) noexcept nogil
cdef void split_mapping(mm_state *s, int mm, int head) noexcept nogil
cdef void split_tail(mm_state *s, int head, int pfn, int number, bint on_lru) noexcept nogil
@cython.locals(page_dirty=bint, zeros=bint, mlocked=bint, swapcache=bint, locked=bint, entry_dirty=bint)
cdef void remap_part(mm_state *s, int pfn, int pmd_dirty) noexcept nogil
cdef void put_page_of_split(mm_state *s, int pfn) noexcept nogil
@cython.locals(entry_young=bint)
cdef void remap_pte(mm_state *s, int ptep, bint entry_dirty, bint page_dirty) noexcept nogil
cdef void drop_unmapped_parts(mm_state *s, int head) noexcept nogil
cdef void zap_huge_pmd(mm_state *s, int mm) noexcept nogil
cdef void copy_huge_pmd(mm_state *s, int parent, int child) noexcept nogil
cdef int split_op(mm_state *s, int actor, int ptep) noexcept nogil
