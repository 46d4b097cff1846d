"""C for the head of the file and for its main(): what holds the fragments together."""

HEAD = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "this needs a 64-bit machine");

/* In case the C library is older than the kernel; of all that the kernel has, for C libraries without it. */
@DEFINES@

enum {
@NUMBERS@
};
@AREA@
"""

# What is defined where a fragment or the trace names it: the values are the kernel's.
DEFINES: tuple[tuple[str, str], ...] = (
    ("MADV_FREE", "8"),
    ("MADV_MERGEABLE", "12"),
    ("MADV_UNMERGEABLE", "13"),
    ("MADV_HUGEPAGE", "14"),
    ("MADV_COLD", "20"),
    ("MADV_PAGEOUT", "21"),
    ("MADV_COLLAPSE", "25"),
    ("MPOL_MF_MOVE_ALL", "4"),
)

MAIN = r"""
static void undo(void)
{
	static int undone;

	if (undone++)
		return;
@UNDO@
}

static int main_pid;

static void stop(int its_signal)
{
	if (getpid() != main_pid)
		return;
	signal(SIGALRM, SIG_DFL);
	alarm(10);
	if (its_signal == SIGALRM)
		dprintf(2, "round %d, %s: not over in @SECONDS@ seconds\n", round_number, doing);
	undo();
	_exit(its_signal == SIGALRM ? @HANG_CODE@ : 2);
}

static void set_up(void)
{
	static const int signals[] = { SIGALRM, SIGINT, SIGTERM, SIGHUP };

	if (geteuid())
		cannot("this must be run as root");
	main_pid = getpid();
	atexit(undo);
	for (int i = 0; i < 4; i++)
		signal(signals[i], stop);
	alarm(@SECONDS@);
@SET_UP@
}

static void play_round(void)
{
	wrong_in_round = 0;
	snprintf(doing, sizeof(doing), "before the first op");
	alarm(@SECONDS@);
@BEGIN@
	trace();
	check_all();
@END@
	alarm(0);
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "@OPTIONS@")) != -1) {
		if (option == 'n' && atoi(optarg) > 0) {
			rounds = atoi(optarg);
		} else if (option == 'v') {
			verbose = 1;
@SWAP_OPTION@
		} else {
			fprintf(stderr, "usage: %s [-v] [-n ROUNDS]@SWAP_USAGE@\n", argv[0]);
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	for (round_number = 1; round_number <= rounds; round_number++)
		play_round();
	if (wrong_rounds)
		printf("WRONG: in %d of %d rounds a page held something else than was stored to it\n", wrong_rounds, rounds);
	else
		printf("every value was right in %d rounds\n", rounds);
	return wrong_rounds != 0;
}
"""

OP = r"""
static void op(int number, const char *text)
{
	snprintf(doing, sizeof(doing), "op %d (%s)", number, text);
	if (verbose)
		printf("  %s\n", doing);
	drain(); /* in the simulator, too, pages joined their lists at once */ /*?drain_unbatched*/
	if (round_number % 2) /* pages are left in batches in every other round */ /*?drain_batched*/
		drain(); /*?drain_batched*/
}
"""
