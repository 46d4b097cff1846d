/*
 * A world in the guest: the memory of its processes, and who they are.
 *
 * A process has, each a vma of one page with nothing mapped before and behind it: `pages` private anonymous pages, the
 * first `mergeable` of them MADV_MERGEABLE; `file` pages of one tmpfs file mapped shared; the same pages mapped
 * private. Then one private anonymous vma of 2 MiB, of which `huge` subpages are looked at. A page has two addresses;
 * mremap moves it from one to the other.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process.h"
#include "wire.h"

#define PAGE_BYTES 4096ul
#define HUGE_BYTES (2ul << 20)
#define MAX_PAGES 24
#define MAX_HUGE 8
#define MAX_MEMCGS 2
/* The page number that stands for the whole huge area. */
#define WHOLE_AREA 31
/* The longest that a process may take for an op. */
#define PATIENCE_MS 20000

struct world {
	uint8_t processes, pages, mergeable, file, huge, advised, memcgs;
	/* pages + 2 * file + huge */
	uint8_t total;
};

struct life {
	bool alive;
	pid_t pid;
	/* By page: at its second address. */
	bool moved[MAX_PAGES];
	/* KSM has it in its list: it had a mergeable page once. */
	bool known_to_ksm;
	int pagemap;
};

struct run {
	struct world world;
	struct life processes[MAX_PROCESSES];
	/* Numbers below have been given to a process. */
	int born;
	/* The number of the tmpfs file in every process. */
	int memfd;
	/* Where the controller has it mapped, NULL if nowhere. */
	void *file_here;
	/* Directories of the memory cgroups. */
	int memcg[MAX_MEMCGS];
	/* Stands in the upper half of all that is stored, so that nothing of another run is taken for a token. */
	uint32_t nonce;
	/* A process died or was stuck: the run is over. */
	enum calls_end end;
};

/* Once, before the first run. False with errno. */
bool worlds_prepare(void);

/* Take a world from a message. False if it cannot be. */
bool world_take(struct cursor *cursor, struct world *world);

/* Make the world with its first process. False if that did not work. */
bool run_start(struct run *run, const struct world *world, uint32_t nonce);

/* Kill all processes and take the cgroups away. */
void run_end(struct run *run);

/* Let a process make its calls; notes in the run how that ended. */
bool run_calls(struct run *run, int process);

/* A new process of this number and pid has been forked by another. */
void life_begin(struct run *run, int process, pid_t pid, const struct life *parent);
/* Wait for a process that exits. */
void life_end(struct run *run, int process);

bool is_area(const struct run *run, int page);
bool is_file(const struct run *run, int page);
/* The file's page is mapped MAP_SHARED. */
bool is_shared(const struct run *run, int page);
/* The page's number in the file. */
int file_index(const struct run *run, int page);
/* Where a page, or the area, lies in a process; and its length. */
uint64_t page_address(const struct run *run, int process, int page);
uint64_t other_address(const struct run *run, int process, int page);
uint64_t page_length(int page);
/* The address of page 0 before it moves; page n is 2 n pages behind it. */
uint64_t first_address(void);
/* An address with an empty vma, which madvise() can be called for without touching any page. */
uint64_t empty_address(void);

#endif
