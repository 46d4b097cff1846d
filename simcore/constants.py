"""The sizes of the simulated machine and the bits of its words.

Plain integers only: the header generator turns each into a C enum member of the same name, so that a
constant costs nothing in the compiled core.
"""

# Fixed maxima. A world uses a part of them; nothing is ever allocated while a trace runs.
MAX_MM = 4
VPN_SHIFT = 5
MAX_VPN = 24
MAX_PTES = MAX_MM << VPN_SHIFT
MAX_PAGES = 128
MAX_SLOTS = 128
MAX_MEMCG = 2
MAX_TOKENS = 256
# Pages of the tmpfs file, and subpages of the huge area.
MAX_FILE = 4
MAX_HUGE = 8
# Subpages stand for pages of a 2 MiB area: the first ones for neighbours, the others far from each other.
NR_NEIGHBOURS = 4
# What a program expects is kept for each page of a process, and for each page of the file.
MAX_PARTS = MAX_PAGES * MAX_HUGE
MAX_HOMES = MAX_PTES + MAX_FILE
MAX_RMAP = MAX_PAGES * MAX_MM
MAX_PAGES_AND_SLOTS = MAX_PAGES + MAX_SLOTS
MAX_ORACLES = 32
MAX_LOG = 1024
MAX_ROWS = 1024

# A page table entry is one word: kind, flags, and a page frame number or swap slot in the upper half.
PTE_NONE = 0
PTE_PRESENT = 1
PTE_SWAP = 2
PTE_MIGRATION = 3
PTE_KIND_MASK = 7
PTE_DIRTY = 1 << 3
PTE_YOUNG = 1 << 4
PTE_WRITE = 1 << 5
PTE_SOFT_DIRTY = 1 << 6
PTE_ZERO_PAGE = 1 << 7
PTE_EXCLUSIVE = 1 << 8
# The pte stands for its part of a huge mapping (a pmd); all parts have equal flags.
PTE_HUGE = 1 << 9
PTE_PAYLOAD_SHIFT = 16
PTE_FLAGS_MASK = (1 << 16) - 1
# The flags alone, without the kind: changing these changes no count.
PTE_BITS_MASK = PTE_FLAGS_MASK & ~PTE_KIND_MASK & ~PTE_ZERO_PAGE

# Page flags, named as in include/linux/page-flags.h.
PG_UPTODATE = 1 << 0
PG_DIRTY = 1 << 1
PG_SWAPCACHE_BIT = 2
PG_SWAPCACHE = 1 << PG_SWAPCACHE_BIT
PG_SWAPBACKED = 1 << 3
PG_LRU = 1 << 4
PG_ACTIVE = 1 << 5
PG_REFERENCED = 1 << 6
PG_UNEVICTABLE = 1 << 7
PG_MLOCKED = 1 << 8
PG_WRITEBACK = 1 << 9
PG_RECLAIM = 1 << 10
PG_ANON = 1 << 11
PG_KSM = 1 << 12
PG_BUDDY = 1 << 13
# Bookkeeping of the needless-write oracle: a store reached the page since it was last equal to its slot.
PG_STORED = 1 << 14
PG_ANON_EXCLUSIVE = 1 << 15
# The frame is on NUMA node 1.
PG_NODE1 = 1 << 16
# The page is in the page cache of the tmpfs file.
PG_FILE_BIT = 17
PG_FILE = 1 << PG_FILE_BIT
PG_HEAD = 1 << 18
PG_TAIL = 1 << 19

# LRU lists of one memory cgroup.
LRU_INACTIVE_ANON = 0
LRU_ACTIVE_ANON = 1
LRU_INACTIVE_FILE = 2
LRU_ACTIVE_FILE = 3
LRU_UNEVICTABLE = 4
NR_LRU_LISTS = 5
# Inactive lists of one cgroup that reclaim looks at: file (lazily freed pages sit there), then anon.
LISTS_PER_MEMCG = 2
# List heads live behind the pages in the same link arrays, so that adding and removing needs no branch.
LRU_HEADS = MAX_PAGES
MAX_LINKS = MAX_PAGES + MAX_MEMCG * NR_LRU_LISTS
MAX_LRU_SIZES = MAX_MEMCG * NR_LRU_LISTS

# Per-CPU batches of pages on their way to or between the lists, in the order lru_add_drain() empties them.
BATCH_ADD = 0
BATCH_ROTATE = 1
BATCH_DEACTIVATE = 2
BATCH_LAZYFREE = 3
BATCH_ACTIVATE = 4
BATCH_MLOCK = 5
NR_BATCHES = 6
MAX_BATCH = 31
MAX_BATCHED = NR_BATCHES * MAX_BATCH

# vma flags; every page of a process is a vma of its own.
VM_LOCKED = 1 << 0
VM_MERGEABLE = 1 << 1
VM_WRITE = 1 << 2
# Every page of the vma counts as soft-dirty: it was not cleared since the vma was made.
VM_SOFTDIRTY = 1 << 3
VM_SHARED = 1 << 4
# A mapping of the tmpfs file, shared or private.
VM_FILE = 1 << 5
VM_HUGEPAGE = 1 << 6
# Part of the 2 MiB area.
VM_HUGE_AREA = 1 << 7
# What a process has for its huge area: no page table, one, or a huge mapping.
PMD_NONE = 0
PMD_TABLE = 1
PMD_HUGE = 2
# The page number that stands for the whole area.
WHOLE_AREA = 31

# Contents. 0 is a page of zeros; each store brings a token of its own.
ZEROS = 0
FIRST_SHARED_TOKEN = 101
LAST_SHARED_TOKEN = 103
LAST_TOKEN = 250
# What a slot of a disk shows before anything was written to it.
GARBAGE = 255

# Actors: two threads of each process, then the kernel's own threads.
THREADS_PER_MM = 2
KSWAPD = 8
KCOMPACTD = 9
KSMD = 10
KHUGEPAGED = 11
# Reclaim entered from an allocation or a memory cgroup's limit, inside another actor's step.
DIRECT_RECLAIM = 12
# Faults that a collapse makes by itself.
COLLAPSE_FAULT = 13
MAX_ACTORS = 14

# What a step of a path reports.
STEP_DONE = 0
STEP_MORE = 1
STEP_BLOCKED = 2

# Paths an actor can be on.
PATH_NONE = 0
PATH_FAULT = 1
PATH_RECLAIM = 2
PATH_MIGRATE = 3
PATH_KSM = 4
PATH_COLLAPSE = 5

# Phases of a KSM scan.
KSM_NEXT = 0
KSM_STABLE = 1
KSM_PROTECT = 2
KSM_COMPARE = 3
KSM_REPLACE = 4

# Phases of a collapse.
COLLAPSE_SCAN = 0
COLLAPSE_SWAPIN = 1
COLLAPSE_COPY = 2

# Phases of a fault.
FAULT_SWAP_READ = 1
FAULT_SWAP_LOCK = 2
FAULT_SWAP_INSTALL = 3
FAULT_ACCESS = 4
FAULT_SYNC_READ = 5
FAULT_SYNC_INSTALL = 6

# Phases of reclaim.
RECLAIM_NEXT = 0
RECLAIM_CHECK = 1
RECLAIM_UNMAP = 2
RECLAIM_PAGEOUT = 3
RECLAIM_REMOVE = 4

# Phases of migration.
MIGRATE_ISOLATE = 0
MIGRATE_LOCK = 1
MIGRATE_UNMAP = 2
MIGRATE_MOVE = 3
MIGRATE_RESTORE = 4

# What a fault is for. From FOR_STORE on it is one for writing. FOR_TOUCH and FOR_POPULATE load and store nothing
# (mlock); FOR_GUP_READ loads and FOR_GUP stores through get_user_pages(), FOR_PIN only holds the page for a device to
# store to.
FOR_READ = 0
FOR_TOUCH = 1
FOR_GUP_READ = 2
FOR_STORE = 3
FOR_POPULATE = 4
FOR_GUP = 5
FOR_PIN = 6

# What reclaim must do with a page when the branch of a reading is followed.
FOLLOW_ANY = 0
FOLLOW_KEEP = 1
FOLLOW_TAKE = 2
FOLLOW_CACHE = 3
# The page stays, SwapBacked: one that was given up was met and found dirty.
FOLLOW_KEEP_SWAPBACKED = 4
# Whether a reading is followed, and whether it shows that the batches were drained.
FOLLOWING = 1
FOLLOWING_DRAINS = 2

# Reads of one slot after which swapoff is taken to go round in circles.
MAX_UNUSE_TRIES = 16
# How often a fault may come back without getting on before it counts as one that never completes.
MAX_REFAULTS = 64
# Passes over the lists of one `reclaim`, like the priorities of one do_try_to_free_pages().
MAX_RECLAIM_ROUNDS = 4
# Pages that reclaim on behalf of one allocation wants; the kernel's SWAP_CLUSTER_MAX, scaled to small worlds.
DIRECT_RECLAIM_TARGET = 2
# Phases one plain op may take before it counts as one that never ends.
MAX_STEPS = 4096
# Full scans of one `ksm_scan`; two are needed before a checksum counts as stable.
KSM_FULL_SCANS = 4

# Flags of a reclaim in progress.
RECLAIM_IGNORE_YOUNG = 1 << 0
RECLAIM_FREEABLE = 1 << 1
RECLAIM_LAZYFREE = 1 << 2
RECLAIM_DISCARDED = 1 << 3
RECLAIM_PROGRESS = 1 << 5
RECLAIM_ONE_PAGE = 1 << 6
UNMAP_FOR_MIGRATION = 1 << 7

# What try_to_unmap_one() reports.
SWAP_SUCCESS = 0
SWAP_FAIL = 1
SWAP_MLOCK = 2
SWAP_DISCARDED = 3

# World features, as bits (the order of simcore.features.FEATURES).
FEATURE_FORK = 1 << 0
FEATURE_MLOCK = 1 << 1
FEATURE_MADV_FREE = 1 << 2
FEATURE_MADV_DONTNEED = 1 << 3
FEATURE_MADV_COLD = 1 << 4
FEATURE_MADV_PAGEOUT = 1 << 5
FEATURE_MIGRATION = 1 << 6
FEATURE_KSM = 1 << 7
FEATURE_MEMCG = 1 << 8
FEATURE_SWAPOFF = 1 << 9
FEATURE_WRITEBACK = 1 << 10
FEATURE_IO_ERROR = 1 << 11
FEATURE_STEPS = 1 << 12
FEATURE_TMPFS = 1 << 13
FEATURE_THP = 1 << 14
FEATURE_GUP = 1 << 15
FEATURE_MPROTECT = 1 << 16
FEATURE_MREMAP = 1 << 17
FEATURE_SOFT_DIRTY = 1 << 18
FEATURE_BITS = 19

# How a pte came to map the page it maps: what the oracles call the kind of a failure's page.
ORIGIN_NONE = 0
ORIGIN_FAULT = 1
ORIGIN_COW = 2
ORIGIN_SWAPIN = 3
ORIGIN_SWAPOFF = 4
ORIGIN_MIGRATION = 5
ORIGIN_KSM = 6
ORIGIN_FILE = 7
ORIGIN_HUGE = 8

# What the program was promised about a page: the oracles' shadow of user memory.
SHADOW_FREED = 1 << 0
SHADOW_SOLE = 1 << 1
SHADOW_DROPPED = 1 << 2
SHADOW_READ_ZERO = 1 << 3
# A private mapping of the file holds contents of its own.
SHADOW_OWN = 1 << 4

# Codes of ops are below this.
MAX_OP_CODES = 64

# Results of an op.
RESULT_OK = 0
RESULT_SKIPPED = 1
RESULT_BLOCKED = 2
RESULT_EINVAL = 3
RESULT_ENOMEM = 4
RESULT_EAGAIN = 5
RESULT_EFAULT = 6
RESULT_ENOENT = 7
RESULT_SIGBUS = 8
RESULT_EBUSY = 9
# Inside migration: the huge page was split, and a small page is to be moved now.
RESULT_AGAIN_SMALL = 10

# What a run does besides judging the values read.
CHECK_COUNTS = 1 << 0
CHECK_COST = 1 << 1
LOG_ROWS = 1 << 2

# Kernel assertions the core can hit, named in simcore.oracles.kernel_assertion.
BUG_UNMAP_FREEABLE_SWAPCACHE = 1
BUG_FREE_MAPPED = 2
BUG_FREE_SWAPCACHE = 3
BUG_SWAP_FREE_UNUSED = 4
BUG_SWAP_DUP_UNUSED = 5
BUG_SWAPCACHE_TWICE = 6
BUG_DELETE_NOT_SWAPCACHE = 7
BUG_DELETE_WRITEBACK = 8
BUG_RMAP_UNDERFLOW = 9
BUG_REFCOUNT_UNDERFLOW = 10
BUG_LRU_TWICE = 11
BUG_WRITE_NO_SLOT = 12
# Where the hash of what happened starts (the low half of FNV-1a's offset).
FIRST_OUTCOME = 0x4222325
