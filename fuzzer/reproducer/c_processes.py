"""C for the processes of a trace: their pages, where they wait for what to do, and how they are told."""

from fuzzer.reproducer.fragment import Fragment

DRAIN = Fragment(
    "drain",
    r"""
static void *never_touched;

/*
 * Empty the CPU's batches of pages on their way to and between the LRU lists, and do no more: that is what MADV_COLD of
 * nothing does. A page in a batch is out of reclaim's sight.
 */
static void drain(void)
{
	madvise(never_touched, page_size, MADV_COLD);
}

static void prepare_drain(void)
{
	never_touched = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (never_touched == MAP_FAILED)
		cannot("mmap: %s", strerror(errno));
}
""",
    uses=("cold", "layout"),
    set_up="prepare_drain();",
)

LAYOUT = Fragment(
    "layout",
    r"""
static long page_size;

/*
 * What a page must hold: the last store, or zeros. Given up with MADV_FREE it may be zeros until the next store, but
 * once zeros were read the old contents may not come back.
 */
struct page {
	uint64_t value;
	int given_up;
	int own; /* a private mapping of the file has a page of its own */ /*?file*/
};

static struct process {
	int alive;
	struct page page[PAGES];
	int moved[PAGES + 1]; /* whether each page is at the other one of its two addresses */
} process[PROCESSES];

static struct page file[FILE_PAGES]; /*?file*/
static int file_fd = -1; /*?file*/

/* Each page is a mapping of its own, with unmapped pages around it, so that no two are merged. */
static long address(int who, int page)
{
	long at = 0x100000000000L + page * 4 * page_size, other = at + 2 * page_size;

	if (page >= FIRST_SUBPAGE) { /*?huge*/
		at = 0x110000000000L + (page == AREA ? 0 : subpage[page - FIRST_SUBPAGE] * page_size); /*?huge*/
		other = at + 2 * HUGE; /*?huge*/
	} /*?huge*/
	return process[who].moved[page] ? other : at;
}

static long length(int page)
{
	return page == AREA ? HUGE : page_size; /*?huge*/
	(void)page; /*?!huge*/
	return page_size; /*?!huge*/
}

static int map_page(int page, int flags, int fd, long offset)
{
	void *at = (void *)address(P0, page);

	return mmap(at, length(page), PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, offset) == at ? 0 : -errno;
}

/* Map the pages; done by P0. */
static long map_pages(void)
{
	int error = 0;

	for (int page = 0; page < ANON && !error; page++)
		error = map_page(page, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int page = 0; page < MERGEABLE && !error; page++) /*?ksm*/
		error = madvise((void *)address(P0, page), page_size, MADV_MERGEABLE) ? -errno : 0; /*?ksm*/
	for (int i = 0; i < FILE_PAGES && !error; i++) { /*?file*/
		error = map_page(ANON + i, MAP_SHARED, file_fd, i * page_size); /*?file*/
		if (!error) /*?file*/
			error = map_page(ANON + FILE_PAGES + i, MAP_PRIVATE, file_fd, i * page_size); /*?file*/
	} /*?file*/
	if (!error) /*?huge*/
		error = map_page(AREA, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /*?huge*/
	if (!error && ADVISED) /*?huge*/
		error = madvise((void *)address(P0, AREA), HUGE, MADV_HUGEPAGE) ? -errno : 0; /*?huge*/
	return error;
}
""",
    uses=("cannot",),
    check="page_size = sysconf(_SC_PAGESIZE);",
)

PROCESSES = Fragment(
    "processes",
    r"""
/*
 * Each process waits at a box in shared memory for what to do: a system call, a load, a store, a fork. Its stack is
 * there too, so that of what it has of its own hardly more than the trace's pages is written to, and comes in reclaim's
 * way.
 */
struct box {
	uint32_t turn; /* 1: the process's, 0: ours */
	pid_t pid;
	long what, args[5], result;
	uint64_t data[2]; /*?gup*/
	struct iovec here, there; /*?gup*/
	char stack[32768] __attribute__((aligned(64)));
};

enum { LOAD = -1, STORE = -2, FORK = -3, MAP = -4 };

static struct box *box;

static long futex(uint32_t *word, int what, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, what, value, limit, NULL, 0);
}

static int work(void *its_box);

/* A process; fork is clone with another stack. Those of another process become our children too. */
static long start(int who, int flags)
{
	pid_t pid = clone(work, box[who].stack + sizeof(box[who].stack), flags | SIGCHLD, &box[who]);

	return pid < 0 ? -errno : pid;
}

static long obey(const struct box *its)
{
	volatile uint64_t *page = (volatile uint64_t *)its->args[0];
	uint64_t before;
	long result;

	switch (its->what) {
	case MAP:
		return map_pages();
	case FORK: /*?fork*/
		return start((int)its->args[0], CLONE_PARENT); /*?fork*/
	case LOAD:
		return (long)page[0];
	case STORE:
		/* The second word tells, after the fault and without another one, what the page held before. */
		page[0] = (uint64_t)its->args[1];
		before = page[1];
		page[1] = (uint64_t)its->args[1];
		return (long)before;
	default:
		result = syscall(its->what, its->args[0], its->args[1], its->args[2], its->args[3], its->args[4], 0L);
		return result < 0 ? -errno : result;
	}
}

static int work(void *its_box)
{
	static const struct sched_param first = { .sched_priority = 1 };
	struct box *its = its_box;

	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Each goes to sleep before we go on: one that is still busy under memory.high = 0 would be held up for seconds. */
	syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &first);
	for (;;) {
		while (!__atomic_load_n(&its->turn, __ATOMIC_ACQUIRE))
			futex(&its->turn, FUTEX_WAIT, 0, NULL);
		its->result = obey(its);
		__atomic_store_n(&its->turn, 0, __ATOMIC_RELEASE);
		futex(&its->turn, FUTEX_WAKE, 1, NULL);
	}
	return 0;
}

static _Noreturn void died(int who, int status)
{
	box[who].pid = 0;
	if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL)
		cannot("P%d was killed, perhaps for want of memory", who);
	printf("round %d, %s: P%d died of signal %d (%s)\n", round_number, doing, who, WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	exit(1);
}

/* Let a process do something, and wait for what comes of it: a value, or an errno as a negative number. */
static long ask(int who, long what, long a, long b, long c, long d, long e)
{
	static const struct timespec tenth = { 0, 100000000 };
	struct box *its = &box[who];
	int status;

	its->what = what;
	its->args[0] = a;
	its->args[1] = b;
	its->args[2] = c;
	its->args[3] = d;
	its->args[4] = e;
	__atomic_store_n(&its->turn, 1, __ATOMIC_RELEASE);
	futex(&its->turn, FUTEX_WAKE, 1, NULL);
	while (__atomic_load_n(&its->turn, __ATOMIC_ACQUIRE)) {
		futex(&its->turn, FUTEX_WAIT, 1, &tenth);
		if (__atomic_load_n(&its->turn, __ATOMIC_ACQUIRE) && waitpid(its->pid, &status, WNOHANG) == its->pid)
			died(who, status);
	}
	wait_for_io(); /*?swap*/
	return its->result;
}

static void make_boxes(void)
{
	size_t size = PROCESSES * sizeof(*box);

	box = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (box == MAP_FAILED)
		cannot("mmap: %s", strerror(errno));
	memset(box, 0, size);
}

static void start_first(void)
{
	long result;

	memset(process, 0, sizeof(process));
	box[P0].turn = 0;
	result = start(P0, 0);
	if (result > 0) {
		box[P0].pid = (pid_t)result;
		process[P0].alive = 1;
		result = ask(P0, MAP, 0, 0, 0, 0, 0);
	}
	if (result < 0)
		cannot("the first process: %s", strerror((int)-result));
}

static void end_processes(void)
{
	for (int who = 0; box && who < PROCESSES; who++) {
		if (box[who].pid > 0) {
			kill(box[who].pid, SIGKILL);
			waitpid(box[who].pid, NULL, 0);
		}
		box[who].pid = 0;
	}
}
""",
    uses=("layout",),
    set_up="make_boxes();",
    begin="start_first();",
    end="end_processes();",
    undo="end_processes();",
)

CALL = Fragment(
    "call",
    r"""
/* A system call by a process; 0 or more, or an errno as a negative number, which some traces are about. */
static long call(int who, long what, long a, long b, long c, long d, long e)
{
	long result = ask(who, what, a, b, c, d, e);

	if (verbose && result < 0)
		printf("    %s\n", strerror((int)-result));
	return result;
}
""",
    uses=("processes",),
)
