# Written from swapfile.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef bint swap_available(mm_state *s) noexcept nogil
cdef bint vm_swap_full(mm_state *s) noexcept nogil
cdef int get_swap_slot(mm_state *s, int pfn) noexcept nogil
cdef void free_slot_if_unused(mm_state *s, int slot) noexcept nogil
cdef void swap_duplicate(mm_state *s, int slot) noexcept nogil
cdef void swap_free(mm_state *s, int slot) noexcept nogil
cdef int users_of_page(mm_state *s, int pfn) noexcept nogil
cdef int swap_ptes_of_page(mm_state *s, int pfn) noexcept nogil
@cython.locals(swapcache=bint, writeback=bint, page_dirty=bint)
cdef void reuse_swap_page(mm_state *s, int pfn) noexcept nogil
@cython.locals(writeback=bint, slot_in_use=bint, page_dirty=bint)
cdef bint try_to_free_swap(mm_state *s, int pfn) noexcept nogil
@cython.locals(mapped=bint, swap_full=bint, writeback=bint, swapped=bint, page_dirty=bint)
cdef void free_swap_and_cache(mm_state *s, int slot, int actor) noexcept nogil
@cython.locals(page_dirty=bint, ksm=bint, exclusive=bint)
cdef bint unuse_pte(mm_state *s, int ptep, int pfn, int slot) noexcept nogil
@cython.locals(soft_dirty=bint)
cdef bint is_pte_of_slot(mm_state *s, int pte, int slot) noexcept nogil
cdef bint unuse_mms(mm_state *s, int pfn, int slot) noexcept nogil
@cython.locals(slot_in_use=bint, page_dirty=bint)
cdef void leave_swap_device(mm_state *s, int pfn) noexcept nogil
cdef bint slot_is_unused(mm_state *s, int slot) noexcept nogil
@cython.locals(has_memory=bint)
cdef int try_to_unuse_slot(mm_state *s, int slot) noexcept nogil
cdef int sys_swapoff(mm_state *s) noexcept nogil
cdef int sys_swapon(mm_state *s) noexcept nogil
cdef void swap_init(mm_state *s) noexcept nogil
