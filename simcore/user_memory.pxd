# Written from user_memory.py by `make headers`.

cimport cython
from simcore.mm_types cimport mm_state

cdef int home(mm_state *s, int ptep) noexcept nogil
cdef void user_copied(mm_state *s, int ptep) noexcept nogil
cdef void user_stored(mm_state *s, int ptep, int token) noexcept nogil
cdef void user_freed(mm_state *s, int ptep, bint sole) noexcept nogil
cdef void user_dropped(mm_state *s, int ptep) noexcept nogil
cdef void user_punched(mm_state *s, int index) noexcept nogil
cdef void user_forked(mm_state *s, int parent, int child) noexcept nogil
cdef void user_loaded(mm_state *s, int ptep, int value) noexcept nogil
cdef void user_touched_empty(mm_state *s, int ptep) noexcept nogil
@cython.locals(dropped=bint)
cdef int wrong_load(mm_state *s, int ptep, int value) noexcept nogil
cdef bint shows_file_again(mm_state *s, int ptep, int value) noexcept nogil
cdef bint stored_before_fork(mm_state *s, int ptep, int owner, int value) noexcept nogil
cdef int owner_of_value(mm_state *s, int ptep, int value) noexcept nogil
