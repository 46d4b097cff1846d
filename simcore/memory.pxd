# Written from memory.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void begin_fault(mm_state *s, int actor, int ptep, int write, int token) noexcept nogil
cdef int end_fault(mm_state *s, int actor, int result) noexcept nogil
cdef int step_fault(mm_state *s, int actor) noexcept nogil
cdef int abandon_fault(mm_state *s, int actor) noexcept nogil
cdef bint access_permitted(int pte, int write) noexcept nogil
cdef void access(mm_state *s, int ptep, int write, int token) noexcept nogil
cdef void touch_pmd(mm_state *s, int ptep, int write) noexcept nogil
cdef int handle_pte_fault(mm_state *s, int actor, int ptep) noexcept nogil
cdef int handle_empty_pte(mm_state *s, int actor, int ptep, int write) noexcept nogil
cdef void anon_vma_prepare(mm_state *s, int ptep) noexcept nogil
cdef void map_new_page(mm_state *s, int ptep, int pfn, int pte_bits) noexcept nogil
cdef int write_bits(mm_state *s, int ptep, bint dirty) noexcept nogil
@cython.locals(vm_write=bint)
cdef int do_anonymous_page(mm_state *s, int ptep, int write) noexcept nogil
cdef void note_write_fault(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(unshare=bint, locks=bint, reuse=bint)
cdef int do_wp_page(mm_state *s, int actor, int ptep, int write) noexcept nogil
@cython.locals(anon=bint, exclusive=bint)
cdef bint must_unshare(mm_state *s, int ptep, int write) noexcept nogil
@cython.locals(ksm=bint, exclusive=bint, on_lru=bint, sole=bint, extra_refs=bint, swapcache=bint, pmd_mapped=bint, writeback=bint)
cdef bint may_reuse(mm_state *s, int pfn) noexcept nogil
cdef void wp_page_reuse(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(shared_zero=bint)
cdef int wp_page_copy(mm_state *s, int ptep, bint unshare) noexcept nogil
@cython.locals(old_pte_dirty=bint, old_page_dirty=bint, dirty=bint, mapped=bint)
cdef void map_copy(mm_state *s, int ptep, int pfn, int old, bint unshare) noexcept nogil
@cython.locals(anon=bint, pte_dirty=bint)
cdef void zap_present_pte(mm_state *s, int actor, int ptep, int pte) noexcept nogil
cdef void zap_pte(mm_state *s, int actor, int ptep) noexcept nogil
