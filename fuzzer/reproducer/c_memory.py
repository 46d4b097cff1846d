"""C for what processes do with their pages, and for what the pages must hold: simcore/user_memory.py, for real."""

from fuzzer.reproducer.fragment import Fragment

IN_ROUND = Fragment(
    "in_round",
    r"""
/* What is stored says which round stored it, so that nothing old can be taken for it. */
static uint64_t in_round(unsigned int token)
{
	return 0x6d6dULL << 48 | (uint64_t)round_number << 8 | token;
}
""",
    uses=("cannot",),
)

MODEL = Fragment(
    "model",
    r"""
static int wrong_in_round, wrong_rounds;

static const char *describe(uint64_t value, char *text, size_t size)
{
	unsigned int token = value & 255, its_round = value >> 8 & 0xffffffff;

	if (!value)
		snprintf(text, size, "zeros");
	else if (value >> 48 != 0x6d6d)
		snprintf(text, size, "0x%llx, which nobody stored", (unsigned long long)value);
	else if (its_round == (unsigned int)round_number)
		snprintf(text, size, "%u", token);
	else
		snprintf(text, size, "%u of round %u", token, its_round);
	return text;
}

static void wrong(int who, int page, uint64_t expected, uint64_t seen)
{
	char expected_text[64], seen_text[64];

	if (!wrong_in_round++ && ++wrong_rounds == 6 && !verbose)
		printf("...\n");
	if (wrong_rounds < 6 || verbose)
		printf("round %d, %s: P%d page %d: expected %s, seen %s\n", round_number, doing, who, page,
			describe(expected, expected_text, sizeof(expected_text)),
			describe(seen, seen_text, sizeof(seen_text)));
}

/* Where it is kept what a page must hold: the page, or what the file holds where the mapping shows the file. */
static struct page *home(int who, int page)
{
	int behind = page - ANON; /*?file*/

	/*?file*/
	if (behind >= 0 && behind < FILE_PAGES) /*?file*/
		return &file[behind]; /*?file*/
	if (behind >= FILE_PAGES && behind < 2 * FILE_PAGES && !process[who].page[page].own) /*?file*/
		return &file[behind - FILE_PAGES]; /*?file*/
	return &process[who].page[page];
}

static void judge(int who, int page, uint64_t seen)
{
	struct page *its = home(who, page);
	uint64_t expected = its->value;

#ifdef SELFTEST
	expected ^= 1; /* so that the check can be seen to fail */
#endif
	if (seen == expected)
		return;
	if (seen || !its->given_up)
		wrong(who, page, expected, seen);
	its->value = seen;
	its->given_up = 0;
}
""",
    uses=("processes",),
)

LOAD = Fragment(
    "load",
    r"""
static void load(int who, int page)
{
	judge(who, page, (uint64_t)ask(who, LOAD, address(who, page), 0, 0, 0, 0));
}

/* At the end every process looks at all its pages. */
static void check_all(void)
{
	snprintf(doing, sizeof(doing), "at the end");
	for (int who = 0; who < PROCESSES; who++)
		for (int page = 0; page < PAGES && process[who].alive; page++)
			load(who, page);
}
""",
    uses=("model",),
)

COPIED = Fragment(
    "copied",
    r"""
/* A private mapping of the file gets a page of its own, with what the file holds now. */
static void copied(int who, int page)
{
	if (page < ANON + FILE_PAGES || page >= ANON + 2 * FILE_PAGES || process[who].page[page].own)
		return;
	process[who].page[page].value = home(who, page)->value;
	process[who].page[page].given_up = 0;
	process[who].page[page].own = 1;
}
""",
    uses=("model", "file"),
)

STORED = Fragment(
    "stored",
    r"""
static void stored(int who, int page, uint64_t value)
{
	copied(who, page); /*?copied*/
	home(who, page)->value = value;
	home(who, page)->given_up = 0;
}
""",
    uses=("model",),
)

STORE = Fragment(
    "store",
    r"""
static void store(int who, int page, unsigned int token)
{
	uint64_t before = (uint64_t)ask(who, STORE, address(who, page), (long)in_round(token), 0, 0, 0);

	judge(who, page, before);
	stored(who, page, in_round(token));
}
""",
    uses=("stored", "in_round"),
)

GUP = Fragment(
    "gup",
    r"""
/* By the kernel's own mapping of the page, past the process's page tables. */
static long through_gup(int who, int page, long what)
{
	struct box *its = &box[who];

	its->here.iov_base = its->data;
	its->there.iov_base = (void *)address(who, page);
	its->here.iov_len = its->there.iov_len = sizeof(its->data);
	return call(who, what, its->pid, (long)&its->here, 1, (long)&its->there, 1);
}
""",
    uses=("call",),
    requires="process_vm_writev() (CONFIG_CROSS_MEMORY_ATTACH)",
)

GUP_WRITE = Fragment(
    "gup_write",
    r"""
static void gup_write(int who, int page, unsigned int token)
{
	box[who].data[0] = box[who].data[1] = in_round(token);
	if (through_gup(who, page, SYS_process_vm_writev) > 0)
		stored(who, page, in_round(token));
}
""",
    uses=("gup", "stored", "in_round"),
)

GUP_READ = Fragment(
    "gup_read",
    r"""
static void gup_read(int who, int page)
{
	if (through_gup(who, page, SYS_process_vm_readv) <= 0)
		cannot("process_vm_readv failed");
	judge(who, page, box[who].data[0]);
}
""",
    uses=("gup", "model"),
)

ADVISE = Fragment(
    "advise",
    r"""
static long advise(int who, int page, int advice)
{
	return call(who, SYS_madvise, address(who, page), length(page), advice, 0, 0);
}
""",
    uses=("call",),
)

FREE = Fragment(
    "free",
    r"""
/* The page may be zeros from now on, until the next store. */
static void may_be_zeros(int who, int page)
{
	home(who, page)->given_up = home(who, page)->value != 0;
}

static void madv_free(int who, int page)
{
	long result = advise(who, page, MADV_FREE);

	for (int part = FIRST_SUBPAGE; page == AREA && part < PAGES; part++) /*?huge*/
		may_be_zeros(who, part); /* on an error, as far as it went */ /*?huge*/
	if (page != AREA && !result) /*?huge*/
	if (!result) /*?!huge*/
		may_be_zeros(who, page);
}
""",
    uses=("advise", "model", "advice"),
    check='need_advice(MADV_FREE, "MADV_FREE (Linux 4.5)");',
    requires="Linux 4.5 (MADV_FREE)",
)

DONTNEED = Fragment(
    "dontneed",
    r"""
static void madv_dontneed(int who, int page)
{
	static const struct page none;
	long result = advise(who, page, MADV_DONTNEED);

	for (int part = FIRST_SUBPAGE; page == AREA && part < PAGES; part++) { /*?huge*/
		if (result) /* it stopped somewhere at a locked page */ /*?huge*/
			process[who].page[part].given_up = process[who].page[part].value != 0; /*?huge*/
		else /*?huge*/
			process[who].page[part] = none; /*?huge*/
	} /*?huge*/
	if (page != AREA && !result) /*?huge*/
	if (!result) /*?!huge*/
		process[who].page[page] = none; /* of a file mapping: it shows the file */
}
""",
    uses=("advise", "model"),
)

PAGEOUT = Fragment(
    "pageout",
    "",
    uses=("advise", "advice"),
    check='need_advice(MADV_PAGEOUT, "MADV_PAGEOUT (Linux 5.4)");',
    requires="Linux 5.4 (MADV_PAGEOUT)",
)

FORK = Fragment(
    "fork",
    r"""
static void fork_process(int parent, int child)
{
	long pid;

	box[child].turn = 0;
	pid = ask(parent, FORK, child, 0, 0, 0, 0);
	if (pid < 0)
		cannot("fork: %s", strerror((int)-pid));
	box[child].pid = (pid_t)pid;
	process[child] = process[parent];
}
""",
    uses=("model",),
)

EXIT = Fragment(
    "exit",
    r"""
static void exit_process(int who)
{
	box[who].what = SYS_exit_group;
	box[who].args[0] = 0;
	__atomic_store_n(&box[who].turn, 1, __ATOMIC_RELEASE);
	futex(&box[who].turn, FUTEX_WAKE, 1, NULL);
	waitpid(box[who].pid, NULL, 0);
	box[who].pid = 0;
	process[who].alive = 0;
}
""",
    uses=("processes",),
)

MLOCK = Fragment(
    "mlock",
    r"""
static void lock(int who, int page)
{
	call(who, SYS_mlock, address(who, page), length(page), 0, 0, 0);
}
""",
    uses=("call",),
)

MUNLOCK = Fragment(
    "munlock",
    r"""
static void unlock(int who, int page)
{
	call(who, SYS_munlock, address(who, page), length(page), 0, 0, 0);
}
""",
    uses=("call",),
)

PROTECT = Fragment(
    "protect",
    r"""
static void protect(int who, int page, int protection)
{
	call(who, SYS_mprotect, address(who, page), length(page), protection, 0, 0);
}
""",
    uses=("call",),
)

MOVE = Fragment(
    "move",
    r"""
/* mremap() to the other of the two addresses that the page has. */
static void move(int who, int page)
{
	int before = process[who].moved[page];
	long from = address(who, page), to;

	process[who].moved[page] = !before;
	to = address(who, page);
	if (call(who, SYS_mremap, from, length(page), length(page), MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		process[who].moved[page] = before;
	for (int part = FIRST_SUBPAGE; page == AREA && part < PAGES; part++) /*?huge*/
		process[who].moved[part] = process[who].moved[AREA]; /*?huge*/
}
""",
    uses=("call",),
)

MEMORY: tuple[Fragment, ...] = (
    MODEL, LOAD, IN_ROUND, COPIED, STORED, STORE, GUP, GUP_WRITE, GUP_READ, ADVISE, FREE, DONTNEED, PAGEOUT,
    FORK, EXIT, MLOCK, MUNLOCK, PROTECT, MOVE,
)  # fmt: skip
