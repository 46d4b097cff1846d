# Written from migrate.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef void begin_migrate(mm_state *s, int actor, int ptep) noexcept nogil
cdef int end_migrate(mm_state *s, int actor, int result) noexcept nogil
cdef int step_migrate(mm_state *s, int actor) noexcept nogil
@cython.locals(empty=bint, anonymous=bint, absent_is_fault=bint)
cdef int migrate_isolate(mm_state *s, int actor) noexcept nogil
@cython.locals(partly=bint, done=bint)
cdef int migrate_huge(mm_state *s, int actor, int head) noexcept nogil
cdef bint maps_every_part(mm_state *s, int head) noexcept nogil
cdef void move_huge_page(mm_state *s, int head, int new) noexcept nogil
cdef void move_part(mm_state *s, int old, int new) noexcept nogil
@cython.locals(entry_dirty=bint, entry_young=bint, page_dirty=bint, entry_write=bint, swapcache=bint)
cdef void move_mapping(mm_state *s, int ptep, int head, int new) noexcept nogil
cdef int give_up(mm_state *s, int actor, int result) noexcept nogil
cdef int migrate_lock(mm_state *s, int actor) noexcept nogil
cdef int migrate_unmap(mm_state *s, int actor) noexcept nogil
cdef int migrate_move(mm_state *s, int actor) noexcept nogil
@cython.locals(page_dirty=bint)
cdef void move_page(mm_state *s, int old, int new) noexcept nogil
@cython.locals(entry_dirty=bint, entry_write=bint, entry_young=bint, page_dirty=bint, swapcache=bint)
cdef void remove_migration_pte(mm_state *s, int ptep, int old, int new) noexcept nogil
@cython.locals(moved=bint)
cdef int migrate_restore(mm_state *s, int actor) noexcept nogil
