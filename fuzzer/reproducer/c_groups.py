"""C for memory cgroups, and for reclaim, which is driven through them."""

from fuzzer.reproducer.fragment import Fragment

GROUPS = Fragment(
    "groups",
    r"""
/* A cgroup for each round, with one below it for each of the trace's; we stay outside, so that we are not throttled. */
static char group[64];
static int memory_was_off;

static const char *in_group(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return path;
}

static void need_groups(void)
{
	char line[256];

	if (read_line("/sys/fs/cgroup/cgroup.controllers", line, sizeof(line)) < 0 || !strstr(line, "memory"))
		cannot("/sys/fs/cgroup is not cgroup v2 with the memory controller");
}

static void prepare_groups(void)
{
	static const char below[] = "/sys/fs/cgroup/cgroup.subtree_control";
	char line[256];

	read_line(below, line, sizeof(line));
	memory_was_off = !strstr(line, "memory");
	if (memory_was_off)
		must_write(below, "+memory");
	snprintf(group, sizeof(group), "/sys/fs/cgroup/mmfuzz-%d", (int)getpid());
}

static void attach(int who, int number)
{
	char path[128], pid[16];

	snprintf(path, sizeof(path), "%s/%d/cgroup.procs", group, number);
	snprintf(pid, sizeof(pid), "%d", (int)box[who].pid);
	must_write(path, pid);
}

static void make_groups(void)
{
	char name[16];

	if (mkdir(group, 0755) < 0)
		cannot("%s: %s", group, strerror(errno));
	must_write(in_group("cgroup.subtree_control"), "+memory");
	for (int number = 0; number < GROUPS; number++) {
		snprintf(name, sizeof(name), "%d", number);
		if (mkdir(in_group(name), 0755) < 0)
			cannot("%s: %s", in_group(name), strerror(errno));
	}
	must_write(in_group("memory.swap.max"), "0"); /*?no_slots*/
	attach(P0, 0);
}

/* A group can go as soon as the last process has gone from it, which may be a moment later. */
static void remove_groups(void)
{
	char name[16];

	for (int number = 0; number < GROUPS; number++) {
		snprintf(name, sizeof(name), "%d", number);
		for (int tries = 0; tries < 100 && rmdir(in_group(name)) < 0 && errno == EBUSY; tries++)
			usleep(1000);
	}
	rmdir(group);
}

static void leave_groups(void)
{
	if (!group[0])
		return;
	end_processes();
	remove_groups();
	if (memory_was_off)
		write_line("/sys/fs/cgroup/cgroup.subtree_control", "-memory");
}
""",
    uses=("must_write", "processes"),
    check="need_groups();",
    set_up="prepare_groups();",
    begin="make_groups();",
    end="remove_groups();",
    undo="leave_groups();",
    requires="cgroup v2 with the memory controller on /sys/fs/cgroup (CONFIG_MEMCG)",
)

PRESSURE = Fragment(
    "pressure",
    r"""
/* What can be reclaimed is: memory.high is 0 for a moment, twice, since pages may only age the first time. */
static void pressure(const char *high)
{
	for (int i = 0; i < 2; i++) {
		must_write(in_group(high), "0");
		wait_for_io(); /*?swap*/
		must_write(in_group(high), "max");
	}
}
""",
    uses=("groups",),
)

RECLAIM = Fragment(
    "reclaim",
    r"""
static void reclaim(void)
{
	pressure("memory.high");
}
""",
    uses=("pressure",),
)

GROUP_RECLAIM = Fragment(
    "group_reclaim",
    r"""
static void reclaim_group(int number)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/memory.high", number);
	pressure(name);
}
""",
    uses=("pressure",),
)

RECLAIMING: tuple[Fragment, ...] = (PRESSURE, RECLAIM, GROUP_RECLAIM)
