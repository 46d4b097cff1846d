# Written from memory.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void begin_fault(mm_state *s, int actor, int ptep, int write, int token) noexcept nogil
cdef int end_fault(mm_state *s, int actor, int result) noexcept nogil
cdef int step_fault(mm_state *s, int actor) noexcept nogil
cdef int abandon_fault(mm_state *s, int actor) noexcept nogil
cdef bint access_permitted(int pte, int write) noexcept nogil
cdef void access(mm_state *s, int ptep, int write, int token) noexcept nogil
@cython.locals(empty=bint)
cdef int handle_pte_fault(mm_state *s, int actor, int ptep) noexcept nogil
cdef void anon_vma_prepare(mm_state *s, int ptep) noexcept nogil
cdef void map_new_page(mm_state *s, int ptep, int pfn, int pte_bits) noexcept nogil
cdef int write_bits(mm_state *s, int ptep, bint dirty) noexcept nogil
@cython.locals(vm_write=bint)
cdef int do_anonymous_page(mm_state *s, int ptep, int write) noexcept nogil
cdef void note_write_fault(mm_state *s, int ptep, int pfn) noexcept nogil
@cython.locals(ksm=bint, sole=bint, swapcache=bint, writeback=bint, extra_refs=bint, reuse=bint)
cdef int do_wp_page(mm_state *s, int actor, int ptep) noexcept nogil
@cython.locals(shared_zero=bint, same=bint, old_pte_dirty=bint, old_page_dirty=bint, dirty=bint)
cdef int wp_page_copy(mm_state *s, int ptep) noexcept nogil
cdef int fault_swap_lookup(mm_state *s, int actor, int ptep) noexcept nogil
cdef int fault_swap_read(mm_state *s, int actor) noexcept nogil
cdef int fault_back_out(mm_state *s, int actor) noexcept nogil
cdef int fault_swap_lock(mm_state *s, int actor) noexcept nogil
@cython.locals(pte_same=bint, swapcache=bint)
cdef int fault_swap_install(mm_state *s, int actor) noexcept nogil
@cython.locals(page_dirty=bint, swapcache=bint, ksm=bint, exclusive=bint, reuse=bint)
cdef void install_swapped_page(mm_state *s, int ptep, int pfn, bint copied, bint write) noexcept nogil
@cython.locals(swap_full=bint, vm_locked=bint, mlocked=bint, ksm=bint)
cdef void free_slot_after_swapin(mm_state *s, int ptep, int pfn, bint write) noexcept nogil
@cython.locals(anon=bint, pte_dirty=bint)
cdef void zap_present_pte(mm_state *s, int actor, int ptep, int pte) noexcept nogil
cdef void zap_pte(mm_state *s, int actor, int ptep) noexcept nogil
cdef void copy_one_pte(mm_state *s, int parent, int child) noexcept nogil
@cython.locals(pte_dirty=bint, swapcache=bint)
cdef int copy_present_pte(mm_state *s, int parent, int child, int pte) noexcept nogil
cdef int do_fork(mm_state *s, int mm) noexcept nogil
cdef int do_exit(mm_state *s, int actor, int mm) noexcept nogil
cdef void mm_init(mm_state *s) noexcept nogil
