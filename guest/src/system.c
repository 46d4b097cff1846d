/* Ops on the whole machine or a cgroup, which the controller does itself. */
#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "files.h"

#define KSM "/sys/kernel/mm/ksm/"
/* A stable fixed point: a page is looked at twice before it is merged. */
#define KSM_SCANS 4
#define RECLAIM_ROUNDS 2
#define POLL_US 200
/* A wait that was not rewarded for so many polls (about ten seconds) is given up. */
#define MOST_POLLS 50000

static char swap_device[32];
/* The count of requests that the swap device works on; -1 for one that does its I/O before it returns. */
static int swap_inflight = -1;

void drive_prepare(const char *swap, char *lacks, unsigned long room)
{
	*lacks = '\0';
	snprintf(swap_device, sizeof swap_device, "/dev/%s", swap);
	if (strncmp(swap, "zram", 4)) {
		char path[64];

		snprintf(path, sizeof path, "/sys/block/%s/inflight", swap);
		swap_inflight = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (nr_nodes < 2)
		snprintf(lacks + strlen(lacks), room - strlen(lacks), "migrate: one NUMA node;");
	if (access(KSM "run", W_OK))
		snprintf(lacks + strlen(lacks), room - strlen(lacks), "ksm_scan,mergeable,unmergeable: no CONFIG_KSM;");
	if (access("/sys/kernel/mm/transparent_hugepage/enabled", W_OK))
		snprintf(lacks + strlen(lacks), room - strlen(lacks), "collapse,split: no transparent huge pages;");
	else if (access("/sys/kernel/debug/split_huge_pages", W_OK))
		snprintf(lacks + strlen(lacks), room - strlen(lacks), "split: no debugfs split_huge_pages;");
}

struct outcome ended(int64_t result)
{
	return (struct outcome){.error = (int16_t)(result < 0 ? -result : 0)};
}

/* Whether KSM has any process to scan: without one it sleeps, and counts no scans. */
static bool anything_to_scan(const struct run *run)
{
	for (int i = 0; i < MAX_PROCESSES; i++)
		if (run->processes[i].alive && run->processes[i].known_to_ksm)
			return true;
	return false;
}

struct outcome scan_for_ksm(const struct run *run)
{
	long until = read_number(KSM "full_scans", 0) + KSM_SCANS;
	int polls = 0;

	if (!anything_to_scan(run))
		return (struct outcome){0};
	if (!write_text(KSM "run", "1"))
		return ended(-errno);
	while (read_number(KSM "full_scans", until) < until && polls++ < MOST_POLLS)
		usleep(POLL_US);
	write_text(KSM "run", "0");
	return (struct outcome){.error = polls > MOST_POLLS ? ETIMEDOUT : 0};
}

static bool write_in(int directory, const char *name, const char *text)
{
	int file = openat(directory, name, O_WRONLY);
	bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return written;
}

void wait_for_swap(void)
{
	unsigned long reads, writes;
	char text[64];

	for (int polls = 0; swap_inflight >= 0 && polls < MOST_POLLS; polls++) {
		ssize_t got = pread(swap_inflight, text, sizeof text - 1, 0);

		text[got > 0 ? got : 0] = '\0';
		if (sscanf(text, "%lu %lu", &reads, &writes) != 2 || reads + writes == 0)
			return;
		usleep(POLL_US);
	}
}

/* Memory pressure on one cgroup: a limit that it cannot keep, set from outside, for whoever is over it is throttled. */
static bool press(int memcg)
{
	bool pressed = write_in(memcg, "memory.high", "0");

	wait_for_swap();
	return write_in(memcg, "memory.high", "max") && pressed;
}

struct outcome reclaim(const struct run *run, int first, int last)
{
	bool worked = true;

	for (int round = 0; round < RECLAIM_ROUNDS; round++)
		for (int i = first; i <= last; i++)
			worked &= press(run->memcg[i]);
	return ended(worked ? 0 : -errno);
}

struct outcome attach(const struct run *run, struct op op)
{
	char text[16];

	snprintf(text, sizeof text, "%d", run->processes[op.first].pid);
	return ended(write_in(run->memcg[op.page % MAX_MEMCGS], "cgroup.procs", text) ? 0 : -errno);
}

static bool swap_is_off;

struct outcome swap_off_on(bool off, bool on)
{
	if (off && swapoff(swap_device))
		return ended(-errno);
	swap_is_off |= off;
	if (on && swapon(swap_device, 0))
		return ended(-errno);
	swap_is_off &= !on;
	return (struct outcome){0};
}

bool restore_swap(void)
{
	if (swap_is_off)
		swap_off_on(false, true);
	return !swap_is_off;
}
