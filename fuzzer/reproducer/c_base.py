"""C for what a reproducer does with its machine: how it says no, reads and writes files, changes settings."""

from fuzzer.reproducer.fragment import Fragment

CANNOT = Fragment(
    "cannot",
    r"""
static int rounds = 100, round_number, verbose;
static char doing[80] = "setting up";

static _Noreturn void cannot(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "cannot run here: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (%s)\n", doing);
	exit(2);
}
""",
)

FILES = Fragment(
    "files",
    r"""
/* The first line of a file of /proc or /sys; its length, or -1. */
static long read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long length = fd < 0 ? -1 : read(fd, line, size - 1);

	if (fd >= 0)
		close(fd);
	line[length > 0 ? length : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	return length;
}

static int write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long done = fd < 0 ? -1 : write(fd, line, strlen(line));
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return done < 0 ? -1 : 0;
}
""",
    uses=("cannot",),
)

MUST_WRITE = Fragment(
    "must_write",
    r"""
static void must_write(const char *path, const char *line)
{
	if (write_line(path, line) < 0)
		cannot("\"%s\" to %s: %s", line, path, strerror(errno));
}
""",
    uses=("files",),
)

SETTINGS = Fragment(
    "settings",
    r"""
/* Settings of this machine: written before the first round if this kernel has them, restored at the end. */
static const char *const settings[][2] = {
@SETTINGS@
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };
static char setting_before[SETTINGS][80];

static void change_settings(void)
{
	for (int i = 0; i < SETTINGS; i++) {
		char *before = setting_before[i];
		char *chosen;

		if (read_line(settings[i][0], before, sizeof(setting_before[i])) <= 0)
			continue;
		/* "always [madvise] never" */
		chosen = strchr(before, '[');
		if (chosen) {
			memmove(before, chosen + 1, strlen(chosen));
			before[strcspn(before, "]")] = 0;
		}
		must_write(settings[i][0], settings[i][1]);
	}
}

static void restore_settings(void)
{
	for (int i = SETTINGS - 1; i >= 0; i--)
		if (setting_before[i][0])
			write_line(settings[i][0], setting_before[i]);
}
""",
    uses=("must_write",),
    set_up="change_settings();",
    undo="restore_settings();",
)

CPU = Fragment(
    "cpu",
    r"""
/* The kernel gathers pages on their way to the LRU lists by CPU: all is done on one, and in one order. */
static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		cannot("sched_setaffinity: %s", strerror(errno));
}
""",
    uses=("cannot",),
    set_up="stay_on_one_cpu();",
)

ADVICE = Fragment(
    "advice",
    r"""
/* Of no bytes, madvise() says EINVAL only to advice that this kernel does not know. */
static void need_advice(int advice, const char *name)
{
	if (madvise(NULL, 0, advice) < 0)
		cannot("this kernel has no %s", name);
}
""",
    uses=("cannot",),
)

COLD = Fragment(
    "cold",
    "",
    uses=("advice",),
    check='need_advice(MADV_COLD, "MADV_COLD (Linux 5.4)");',
    requires="Linux 5.4 (MADV_COLD)",
)

BASE: tuple[Fragment, ...] = (CANNOT, FILES, MUST_WRITE, SETTINGS, CPU, ADVICE, COLD)
