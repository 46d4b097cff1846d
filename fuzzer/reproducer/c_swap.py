"""C for the swap device: the one that is on, a given one, or a zram device."""

from fuzzer.reproducer.fragment import Fragment

SWAP = Fragment(
    "swap",
    r"""
/* The swap device: the machine's, that of -s, or a zram device that is made and taken away. */
static char swap_path[128], inflight_path[64];
static const char *swap_given;
static int swap_is_ours, swap_is_on, swap_priority = 32767, zram_number = -1;

static int swap_flags(void)
{
	return swap_priority < 0 ? 0 : SWAP_FLAG_PREFER | swap_priority;
}

static void turn_swap_on(void)
{
	if (!swap_is_on && swapon(swap_path, swap_flags()) < 0)
		cannot("swapon(%s): %s%s", swap_path, strerror(errno), errno == EINVAL ? "; see mkswap(8)" : "");
	swap_is_on = 1;
}

/* The swap that is on and used first, or the one of this name. */
static int find_swap(const char *name)
{
	char path[128], line[256];
	FILE *swaps = fopen("/proc/swaps", "re");
	long used;
	int priority, best = INT_MIN;

	while (swaps && fgets(line, sizeof(line), swaps)) {
		if (sscanf(line, "%127s %*s %*s %ld %d", path, &used, &priority) != 3)
			continue;
		if (name ? strcmp(path, name) : priority <= best)
			continue;
		if (!name && ZRAM_WANTED && strncmp(path, "/dev/zram", 9))
			continue;
		if (used > 65536 && SWAP_IS_TURNED_OFF)
			cannot("%s holds %ld KiB of others, and the trace turns it off; give another with -s", path, used);
		best = swap_priority = priority;
		strcpy(swap_path, path);
	}
	if (swaps)
		fclose(swaps);
	return best != INT_MIN;
}

/* What mkswap(8) writes. */
static void write_swap_header(long bytes)
{
	static char header[65536];
	uint32_t numbers[3] = { 1, (uint32_t)(bytes / page_size - 1), 0 };
	int fd = open(swap_path, O_WRONLY | O_CLOEXEC);

	memcpy(header + 1024, numbers, sizeof(numbers));
	memcpy(header + page_size - 10, "SWAPSPACE2", 10);
	if (fd < 0 || write(fd, header, page_size) != page_size)
		cannot("%s: %s", swap_path, strerror(errno));
	close(fd);
}

static void make_zram(void)
{
	static const char hot_add[] = "/sys/class/zram-control/hot_add";
	char path[64], number[16];

	if (access(hot_add, R_OK) && system("modprobe zram 2>/dev/null"))
		cannot("no swap is on%s, and there is no zram; give a swap device with -s", ZRAM_WANTED ? " on zram" : "");
	if (read_line(hot_add, number, sizeof(number)) <= 0)
		cannot("%s: %s", hot_add, strerror(errno));
	zram_number = atoi(number);
	snprintf(path, sizeof(path), "/sys/block/zram%d/disksize", zram_number);
	must_write(path, "67108864");
	snprintf(swap_path, sizeof(swap_path), "/dev/zram%d", zram_number);
	write_swap_header(67108864);
}

static void find_or_make_swap(void)
{
	struct stat what;
	dev_t device;

	if (swap_given && !find_swap(swap_given))
		snprintf(swap_path, sizeof(swap_path), "%s", swap_given);
	else if (!swap_given && !find_swap(NULL))
		make_zram();
	swap_is_on = swap_priority != 32767;
	swap_is_ours = !swap_is_on;
	turn_swap_on();
	if (!ZRAM_WANTED && !strncmp(swap_path, "/dev/zram", 9))
		printf("note: swap is on zram, which writes at once; the trace is of a disk: see -s\n");
	if (stat(swap_path, &what) < 0)
		return;
	device = S_ISBLK(what.st_mode) ? what.st_rdev : what.st_dev;
	snprintf(inflight_path, sizeof(inflight_path), "/sys/dev/block/%u:%u/inflight", major(device), minor(device));
}

static void leave_swap(void)
{
	char path[64], number[16];

	if (!swap_path[0])
		return;
	/* Whatever swap_is_on says: a signal may have come before it was written. */
	if (swap_is_ours)
		swapoff(swap_path);
	else
		swapon(swap_path, swap_flags());
	if (zram_number < 0)
		return;
	snprintf(path, sizeof(path), "/sys/block/zram%d/reset", zram_number);
	write_line(path, "1");
	snprintf(number, sizeof(number), "%d", zram_number);
	write_line("/sys/class/zram-control/hot_remove", number);
}

/* Until the swap device has nothing in flight, but at most a second: others may use it. */
static void wait_for_io(void)
{
	char line[64];
	int reads, writes;

	for (int tries = 0; tries < 5000; tries++) {
		if (read_line(inflight_path, line, sizeof(line)) <= 0)
			return;
		if (sscanf(line, "%d %d", &reads, &writes) != 2 || reads + writes == 0)
			return;
		usleep(200);
	}
}
""",
    uses=("must_write", "layout", "settings"),
    set_up="find_or_make_swap();",
    begin="turn_swap_on();",
    undo="leave_swap();",
    settings=(
        ("/proc/sys/vm/swappiness", "100"),
        ("/proc/sys/vm/page-cluster", "0"),
        ("/sys/module/zswap/parameters/enabled", "N"),
    ),
    requires="swap (CONFIG_SWAP): one that is on, a device for -s, or zram",
)

SWAPOFF = Fragment(
    "swapoff",
    r"""
static void turn_swap_off(void)
{
	if (swap_is_on && swapoff(swap_path) == 0)
		swap_is_on = 0;
	else if (verbose)
		printf("    %s\n", swap_is_on ? strerror(errno) : "it is off");
}
""",
    uses=("swap",),
)
