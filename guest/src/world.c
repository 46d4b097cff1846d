#define _GNU_SOURCE
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "raw.h"

#define CGROUPS "/sys/fs/cgroup"
/* All small pages of a process and the places they move to lie in one page table. */
#define SMALL_BASE 0x200000000ul
#define SMALL_OTHER (SMALL_BASE + (1ul << 20))
#define EMPTY (SMALL_BASE + HUGE_BYTES - 2 * PAGE_BYTES)
#define HUGE_BASE 0x240000000ul
#define HUGE_OTHER (HUGE_BASE + 2 * HUGE_BYTES)

/* The subpages that are looked at: neighbours, and others far from them and each other. */
static const uint16_t subpages[MAX_HUGE] = {0, 1, 2, 3, 256, 511, 128, 384};
static uint32_t cgroups_made;

bool worlds_prepare(void)
{
	return write_text(CGROUPS "/cgroup.subtree_control", "+memory");
}

bool world_take(struct cursor *cursor, struct world *world)
{
	uint8_t *sizes[] = {
		&world->processes, &world->pages, &world->mergeable, &world->file,
		&world->huge, &world->advised, &world->memcgs,
	};
	int total;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		*sizes[i] = (uint8_t)take(cursor, 1);
	total = world->pages + 2 * world->file + world->huge;
	world->total = (uint8_t)total;
	return !cursor->short_of && world->processes >= 1 && world->processes <= MAX_PROCESSES && world->pages >= 1 &&
	       world->mergeable <= world->pages && total <= MAX_PAGES && world->huge <= MAX_HUGE &&
	       world->memcgs >= 1 && world->memcgs <= MAX_MEMCGS;
}

bool is_area(const struct run *run, int page)
{
	return page == WHOLE_AREA || page >= run->world.total - run->world.huge;
}

bool is_file(const struct run *run, int page)
{
	return page >= run->world.pages && page < run->world.pages + 2 * run->world.file;
}

bool is_shared(const struct run *run, int page)
{
	return page >= run->world.pages && page < run->world.pages + run->world.file;
}

int file_index(const struct run *run, int page)
{
	return (page - run->world.pages) % run->world.file;
}

static uint64_t address_of(const struct run *run, int page, bool other)
{
	int first = run->world.total - run->world.huge;

	if (page == WHOLE_AREA)
		return other ? HUGE_OTHER : HUGE_BASE;
	if (page >= first)
		return (other ? HUGE_OTHER : HUGE_BASE) + subpages[page - first] * PAGE_BYTES;
	/* Every second page stays unmapped, so that no two vmas merge. */
	return (other ? SMALL_OTHER : SMALL_BASE) + 2 * (uint64_t)page * PAGE_BYTES;
}

static bool has_moved(const struct run *run, int process, int page)
{
	/* The area as a whole is where its first subpage is. */
	return run->processes[process].moved[page == WHOLE_AREA ? run->world.total - run->world.huge : page];
}

uint64_t page_address(const struct run *run, int process, int page)
{
	return address_of(run, page, has_moved(run, process, page));
}

uint64_t other_address(const struct run *run, int process, int page)
{
	return address_of(run, page, !has_moved(run, process, page));
}

uint64_t page_length(int page)
{
	return page == WHOLE_AREA ? HUGE_BYTES : PAGE_BYTES;
}

uint64_t first_address(void)
{
	return SMALL_BASE;
}

uint64_t empty_address(void)
{
	return EMPTY;
}

static bool make_memcgs(struct run *run)
{
	for (int i = 0; i < run->world.memcgs; i++) {
		char path[64];

		snprintf(path, sizeof path, CGROUPS "/w%u-%d", cgroups_made, i);
		if (mkdir(path, 0755))
			return false;
		run->memcg[i] = open(path, O_RDONLY | O_DIRECTORY);
		if (run->memcg[i] < 0)
			return false;
	}
	return true;
}

static void remove_memcgs(const struct run *run)
{
	for (int i = 0; i < run->world.memcgs; i++) {
		char path[64];

		if (run->memcg[i] >= 0)
			close(run->memcg[i]);
		snprintf(path, sizeof path, CGROUPS "/w%u-%d", cgroups_made, i);
		/* A process that was just reaped may still be counted for a moment. */
		for (int tries = 0; rmdir(path) && errno == EBUSY && tries < 1000; tries++)
			usleep(100);
	}
	cgroups_made++;
}

static void map(const struct run *run, int page, int flags, int file, uint64_t offset)
{
	calls_system(0, SYS_mmap, (long)address_of(run, page, false), (long)page_length(page), PROT_READ | PROT_WRITE,
		     flags | MAP_FIXED_NOREPLACE, file, (long)offset);
}

static bool all_worked(int process)
{
	const struct mailbox *box = &shared->boxes[process];

	for (uint32_t i = 0; i < box->count; i++)
		if (box->calls[i].result < 0 && box->calls[i].result >= -4095)
			return false;
	return true;
}

/*
 * Give the file its size. And for mincore(): the controller's own mapping, which it never touches, says which pages of
 * the file are in memory.
 */
static bool size_and_map_file(struct run *run)
{
	size_t size = run->world.file * PAGE_BYTES;
	char path[64];
	int file;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", run->processes[0].pid, run->memfd);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return false;
	if (ftruncate(file, (off_t)size) == 0)
		run->file_here = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
	if (run->file_here == MAP_FAILED)
		run->file_here = NULL;
	close(file);
	return run->file_here != NULL;
}

static bool make_file(struct run *run)
{
	struct call *made;

	/* Made by the process, so that it is charged to the world's cgroup. */
	strcpy((char *)shared->boxes[0].resident, "world");
	calls_begin(0);
	made = calls_system(0, SYS_memfd_create, (long)shared->boxes[0].resident, 0, 0, 0, 0, 0);
	if (!run_calls(run, 0) || made->result < 0)
		return false;
	run->memfd = (int)made->result;
	return size_and_map_file(run);
}

static bool map_pages(struct run *run)
{
	const struct world *world = &run->world;
	const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

	calls_begin(0);
	for (int page = 0; page < world->pages; page++)
		map(run, page, anonymous, -1, 0);
	for (int page = world->pages; page < world->pages + 2 * world->file; page++)
		map(run, page, is_shared(run, page) ? MAP_SHARED : MAP_PRIVATE, run->memfd,
		    file_index(run, page) * PAGE_BYTES);
	if (world->huge)
		map(run, WHOLE_AREA, anonymous, -1, 0);
	calls_system(0, SYS_mmap, EMPTY, PAGE_BYTES, PROT_READ, anonymous | MAP_FIXED_NOREPLACE, -1, 0);
	for (int page = 0; page < world->mergeable; page++)
		calls_system(0, SYS_madvise, (long)address_of(run, page, false), PAGE_BYTES, MADV_MERGEABLE, 0, 0, 0);
	if (world->huge && world->advised)
		calls_system(0, SYS_madvise, HUGE_BASE, HUGE_BYTES, MADV_HUGEPAGE, 0, 0, 0);
	/* Begin with empty LRU batches. */
	calls_system(0, SYS_madvise, EMPTY, PAGE_BYTES, MADV_COLD, 0, 0, 0);
	return run_calls(run, 0) && all_worked(0);
}

/* What went wrong, on the console: the host keeps it with the trace. */
static bool trouble(const char *what, long error)
{
	dprintf(STDERR_FILENO, "mmfuzz: a new world: %s: %s\n", what, strerror((int)error));
	return false;
}

bool run_start(struct run *run, const struct world *world, uint32_t nonce)
{
	pid_t pid;

	memset(run, 0, sizeof *run);
	run->world = *world;
	run->nonce = nonce;
	memset(run->memcg, -1, sizeof run->memcg);
	if (!make_memcgs(run))
		return trouble("its memory cgroups", errno);
	pid = process_start(run->memcg[0]);
	if (pid < 0)
		return trouble("its first process", -pid);
	life_begin(run, 0, pid, NULL);
	if (world->file && !make_file(run))
		return trouble("its file", run->end);
	return map_pages(run) || trouble("its pages", run->end);
}

void run_end(struct run *run)
{
	if (run->file_here)
		munmap(run->file_here, run->world.file * PAGE_BYTES);
	for (int i = 0; i < MAX_PROCESSES; i++)
		if (run->processes[i].alive)
			kill(run->processes[i].pid, SIGKILL);
	for (int i = 0; i < MAX_PROCESSES; i++)
		if (run->processes[i].alive)
			life_end(run, i);
	remove_memcgs(run);
}

bool run_calls(struct run *run, int process)
{
	enum calls_end end = calls_run(process, PATIENCE_MS);

	if (end != CALLS_MADE)
		run->end = end;
	return end == CALLS_MADE;
}

void life_begin(struct run *run, int process, pid_t pid, const struct life *parent)
{
	struct life *life = &run->processes[process];
	char path[64];

	if (parent)
		memcpy(life->moved, parent->moved, sizeof life->moved);
	life->known_to_ksm = parent ? parent->known_to_ksm : run->world.mergeable > 0;
	life->alive = true;
	life->pid = pid;
	shared->boxes[process].pid = pid;
	snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
	life->pagemap = open(path, O_RDONLY);
	run->born = process + 1;
}

void life_end(struct run *run, int process)
{
	struct life *life = &run->processes[process];

	while (waitpid(life->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(life->pagemap);
	life->alive = false;
}
