"""C for what is done to memory from outside of the processes: KSM, migration, soft-dirty bits, the file, huge pages."""

from fuzzer.reproducer.fragment import Fragment

KSM = Fragment(
    "ksm",
    "",
    uses=("advice", "settings"),
    check='need_advice(MADV_MERGEABLE, "KSM");',
    settings=(
        ("/sys/kernel/mm/ksm/run", "0"),
        ("/sys/kernel/mm/ksm/advisor_mode", "none"),
        ("/sys/kernel/mm/ksm/smart_scan", "0"),
        ("/sys/kernel/mm/ksm/use_zero_pages", "0"),
        ("/sys/kernel/mm/ksm/sleep_millisecs", "0"),
        ("/sys/kernel/mm/ksm/pages_to_scan", "5000"),
    ),
    requires="CONFIG_KSM",
)

KSM_SCAN = Fragment(
    "ksm_scan",
    r"""
/* ksmd sleeps while no page is mergeable: one of ours always is, with contents that no other page has. */
static void keep_ksmd_busy(void)
{
	uint64_t *own = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED || madvise(own, page_size, MADV_MERGEABLE) < 0 || madvise(own, page_size, MADV_DONTFORK) < 0)
		cannot("MADV_MERGEABLE: %s", strerror(errno));
	own[1] = (uint64_t)getpid() << 32 | 0x6d6d;
}

static long full_scans(void)
{
	char line[32];

	read_line("/sys/kernel/mm/ksm/full_scans", line, sizeof(line));
	return atol(line);
}

/* A page is looked at once, its contents are remembered, and it is merged if they are the same the next time. */
static void ksm_scan(void)
{
	long end = full_scans() + 4;

	must_write("/sys/kernel/mm/ksm/run", "1");
	while (full_scans() < end)
		usleep(500);
	must_write("/sys/kernel/mm/ksm/run", "0");
}
""",
    uses=("ksm", "must_write"),
    set_up="keep_ksmd_busy();",
)

MIGRATE = Fragment(
    "migrate",
    r"""
static int nodes[2];

static void find_nodes(void)
{
	char line[64];

	read_line("/sys/devices/system/node/has_memory", line, sizeof(line));
	if (sscanf(line, "%d%*[-,]%d", &nodes[0], &nodes[1]) != 2)
		cannot("this machine has one NUMA node and the trace migrates pages: boot with numa=fake=2");
}

/* Move the page to the other node, for all who map it. */
static void migrate(int who, int page)
{
	void *at = (void *)address(who, page);
	int status = -1, node;
	long result;

	syscall(SYS_move_pages, box[who].pid, 1L, &at, NULL, &status, 0);
	node = status == nodes[1] ? nodes[0] : nodes[1];
	result = syscall(SYS_move_pages, box[who].pid, 1L, &at, &node, &status, MPOL_MF_MOVE_ALL);
	if (result < 0 && (errno == ENOSYS || errno == EPERM))
		cannot("move_pages: %s", strerror(errno));
	if (verbose && (result < 0 || status < 0))
		printf("    %s\n", strerror(result < 0 ? errno : -status));
}
""",
    uses=("processes", "settings"),
    check="find_nodes();",
    settings=(("/proc/sys/kernel/numa_balancing", "0"),),
    requires="two NUMA nodes with memory (CONFIG_MIGRATION; numa=fake=2 makes two of one)",
)

SOFT_DIRTY = Fragment(
    "soft_dirty",
    r"""
/* A page that was just stored to is soft-dirty, bit 55 of its entry in pagemap, where the kernel has such bits. */
static void need_soft_dirty(void)
{
	volatile char *own = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (own != MAP_FAILED)
		own[0] = 1;
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (long)own / page_size * 8) != sizeof(entry) || !(entry >> 55 & 1))
		cannot("this kernel has no soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)");
	close(fd);
}

static void clear_soft_dirty(int who)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)box[who].pid);
	must_write(path, "4");
}
""",
    uses=("processes", "must_write"),
    check="need_soft_dirty();",
    requires="CONFIG_MEM_SOFT_DIRTY",
)

FILE = Fragment(
    "file",
    r"""
static void make_file(void)
{
	static const struct page none;

	file_fd = memfd_create("mmfuzz", MFD_CLOEXEC);
	if (file_fd < 0 || ftruncate(file_fd, FILE_PAGES * page_size) < 0)
		cannot("memfd_create: %s", strerror(errno));
	for (int i = 0; i < FILE_PAGES; i++)
		file[i] = none;
}

static void drop_file(void)
{
	close(file_fd);
}
""",
    uses=("layout",),
    begin="make_file();",
    end="drop_file();",
    requires="memfd_create() (CONFIG_MEMFD_CREATE, CONFIG_TMPFS)",
)

PUNCH = Fragment(
    "punch",
    r"""
/* A hole in the file; private copies of the page stay. */
static void punch(int index)
{
	static const struct page none;

	if (fallocate(file_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, index * page_size, page_size) < 0)
		cannot("fallocate: %s", strerror(errno));
	file[index] = none;
}
""",
    uses=("file", "model"),
)

TRUNCATE = Fragment(
    "truncate",
    r"""
/* The file ends before this page for a moment; private copies of what was behind go too. */
static void truncate_file(int index)
{
	static const struct page none;

	if (ftruncate(file_fd, index * page_size) < 0 || ftruncate(file_fd, FILE_PAGES * page_size) < 0)
		cannot("ftruncate: %s", strerror(errno));
	for (; index < FILE_PAGES; index++) {
		file[index] = none;
		for (int who = 0; who < PROCESSES; who++)
			process[who].page[ANON + FILE_PAGES + index] = none;
	}
}
""",
    uses=("file", "model"),
)

HUGE = Fragment(
    "huge",
    r"""
static void need_huge_pages(void)
{
	char line[32];

	if (read_line("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", line, sizeof(line)) <= 0 || atol(line) != HUGE)
		cannot("this kernel has no transparent huge pages of 2 MiB");
}
""",
    uses=("files", "settings"),
    check="need_huge_pages();",
    settings=(
        ("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"),
        ("/sys/kernel/mm/transparent_hugepage/defrag", "always"),
        ("/sys/kernel/mm/transparent_hugepage/shrink_underused", "0"),
        ("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "100000000"),
        ("/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs", "100000000"),
    ),
    requires="CONFIG_TRANSPARENT_HUGEPAGE, huge pages of 2 MiB",
)

COLLAPSE = Fragment(
    "collapse",
    r"""
static void collapse(int who)
{
	call(who, SYS_madvise, address(who, AREA), HUGE, MADV_COLLAPSE, 0, 0);
}
""",
    uses=("call", "huge", "advice"),
    check='need_advice(MADV_COLLAPSE, "MADV_COLLAPSE (Linux 6.1)");',
    requires="Linux 6.1 (MADV_COLLAPSE)",
)

SPLIT = Fragment(
    "split",
    r"""
static const char split_path[] = "/sys/kernel/debug/split_huge_pages";

static void need_split(void)
{
	if (access(split_path, W_OK) < 0)
		cannot("%s: %s; see mount -t debugfs none /sys/kernel/debug", split_path, strerror(errno));
}

static void split(int who, int page)
{
	unsigned long from = (unsigned long)address(who, page);
	char range[80];

	snprintf(range, sizeof(range), "%d,0x%lx,0x%lx", (int)box[who].pid, from, from + (unsigned long)length(page));
	if (write_line(split_path, range) < 0 && verbose)
		printf("    %s\n", strerror(errno));
}
""",
    uses=("processes", "files", "huge"),
    check="need_split();",
    requires="Linux 5.13 and debugfs on /sys/kernel/debug (split_huge_pages)",
)

OUTSIDE: tuple[Fragment, ...] = (
    KSM, KSM_SCAN, MIGRATE, SOFT_DIRTY, PUNCH, TRUNCATE, HUGE, COLLAPSE, SPLIT,
)  # fmt: skip
