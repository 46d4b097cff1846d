#define _GNU_SOURCE
#include "observe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "raw.h"

/* A bit of the pagemap, or of kpageflags, and the state's bit that shows it. */
struct shown {
	uint8_t from, to;
};

static const struct shown from_flags[] = {
	{4, 3},	  /* dirty */
	{13, 4},  /* swapcache */
	{14, 5},  /* swapbacked */
	{5, 6},	  /* lru */
	{6, 7},	  /* active */
	{2, 8},	  /* referenced */
	{21, 9},  /* ksm */
	{12, 10}, /* anon */
	{34, 11}, /* mappedtodisk: of an anonymous page, that it is exclusive */
	{37, 12}, /* owner-private: swapcache, raw */
	{18, 13}, /* unevictable */
	{33, 14}, /* mlocked */
	{8, 15},  /* writeback */
	{9, 16},  /* reclaim */
	{0, 17},  /* locked */
	{3, 18},  /* uptodate */
	{22, 19}, /* thp */
	{15, 20}, /* compound head */
	{16, 21}, /* compound tail */
};
static const struct shown from_pagemap[] = {
	{55, 22}, /* soft-dirty */
	{56, 23}, /* mapped once */
	{61, 24}, /* of a file, or shared memory */
};
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAP (1ull << 62)
#define PAGEMAP_FRAME ((1ull << 55) - 1)
#define KPF_ZERO_PAGE (1ull << 24)
/* Of a page that the whole machine shares, flags say nothing of the world. */
#define FLAGS_OF_ONE_PAGE (((1u << 19) - 1) & ~7u)
#define FRAME_CHANGED 26
#define NODE1 27
#define MAPCOUNT 28
#define SHARE 32

static const char *const counter_names[NR_COUNTERS] = {
	"pglazyfree", "pglazyfreed", "pswpin", "pswpout", "pgmigrate_success", "pgmigrate_fail",
	"pgreuse", "cow_ksm", "ksm_swpin_copy", "swap_ra", "pgactivate", "pgdeactivate", "pgrotated",
	"thp_fault_alloc", "thp_collapse_alloc", "thp_split_page", "thp_split_pmd", "thp_swpout",
	"thp_swpout_fallback", "thp_deferred_split_page", "pgmajfault", "unevictable_pgs_culled",
	"unevictable_pgs_rescued", "unevictable_pgs_mlocked",
};
static const char *const smaps_names[] = {
	"Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced", "Anonymous",
	"LazyFree", "Swap", "SwapPss", "Locked", "KSM",
};

int nr_nodes = 1;
static uint64_t node1_start = ~0ull;
static int flags_file, count_file, vmstat_file;
/* The counter of each line of vmstat, -1 for those that are not reported. */
static int8_t counter_of_line[512];

/* The first frame of node 1, from /proc/zoneinfo. */
static void find_nodes(void)
{
	FILE *zones = fopen("/proc/zoneinfo", "r");
	char line[256];
	int node = 0;
	unsigned long long value, present = 0;

	while (zones && fgets(line, sizeof line, zones)) {
		if (sscanf(line, "Node %d, zone", &node) == 1 && node + 1 > nr_nodes)
			nr_nodes = node + 1;
		if (sscanf(line, " present %llu", &value) == 1)
			present = value;
		if (sscanf(line, " start_pfn: %llu", &value) == 1 && node == 1 && present && value < node1_start)
			node1_start = value;
	}
	if (zones)
		fclose(zones);
}

static void find_counters(void)
{
	char text[16384], *line = text;

	memset(counter_of_line, -1, sizeof counter_of_line);
	if (read_text("/proc/vmstat", text, sizeof text) < 0)
		return;
	for (size_t at = 0; at < sizeof counter_of_line && *line; at++) {
		char *blank = strchr(line, ' ');

		for (int i = 0; blank && i < NR_COUNTERS; i++)
			if (strlen(counter_names[i]) == (size_t)(blank - line) &&
			    !memcmp(line, counter_names[i], (size_t)(blank - line)))
				counter_of_line[at] = (int8_t)i;
		line = strchrnul(line, '\n');
		line += *line != '\0';
	}
}

bool observe_prepare(void)
{
	flags_file = open("/proc/kpageflags", O_RDONLY);
	count_file = open("/proc/kpagecount", O_RDONLY);
	vmstat_file = open("/proc/vmstat", O_RDONLY);
	find_nodes();
	find_counters();
	return flags_file >= 0 && count_file >= 0 && vmstat_file >= 0;
}

void observe_counters(struct view *view)
{
	static char text[16384];
	size_t length = 0;
	ssize_t got;
	char *line = text;

	memset(view->counters, 0, sizeof view->counters);
	while ((got = pread(vmstat_file, text + length, sizeof text - 1 - length, (off_t)length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	for (size_t at = 0; at < sizeof counter_of_line && *line; at++) {
		if (counter_of_line[at] >= 0)
			view->counters[counter_of_line[at]] = strtoull(strchrnul(line, ' '), NULL, 10);
		line = strchrnul(line, '\n');
		line += *line != '\0';
	}
}

static uint64_t read_frame(int file, uint64_t frame)
{
	uint64_t value = 0;

	if (pread(file, &value, sizeof value, (off_t)(frame * sizeof value)) != sizeof value)
		return 0;
	return value;
}

static uint64_t move_bits(uint64_t value, const struct shown *shown, size_t number)
{
	uint64_t state = 0;

	for (size_t i = 0; i < number; i++)
		state |= (value >> shown[i].from & 1) << shown[i].to;
	return state;
}

/* The state of a present page, without what hangs on others. */
static uint64_t present_state(uint64_t frame)
{
	uint64_t flags = read_frame(flags_file, frame);
	uint64_t mapped = read_frame(count_file, frame);
	uint64_t state = move_bits(flags, from_flags, sizeof from_flags / sizeof *from_flags) | STATE_RESIDENT;

	state |= (uint64_t)(frame >= node1_start) << NODE1;
	if (flags & KPF_ZERO_PAGE)
		return (state & ~(uint64_t)FLAGS_OF_ONE_PAGE) | CLASS_ZERO_PAGE;
	return state | CLASS_PRESENT | (mapped < 15 ? mapped : 15) << MAPCOUNT;
}

/* Pagemap entries around the small pages of a process at their first addresses, which one read takes. */
struct entries {
	uint64_t first[2 * MAX_PAGES];
	bool there;
};

static uint64_t read_entry(const struct run *run, int process, uint64_t address)
{
	uint64_t entry = 0;
	off_t place = (off_t)(address / PAGE_BYTES * sizeof entry);

	if (pread(run->processes[process].pagemap, &entry, sizeof entry, place) != sizeof entry)
		return 0;
	return entry;
}

static uint64_t find_entry(const struct run *run, const struct entries *entries, int process, int page)
{
	if (entries->there && !is_area(run, page) && !run->processes[process].moved[page])
		return entries->first[2 * page];
	return read_entry(run, process, page_address(run, process, page));
}

static void read_entries(const struct run *run, struct entries *entries, int process)
{
	size_t length = 2 * (size_t)(run->world.total - run->world.huge) * sizeof *entries->first;
	off_t place = (off_t)(first_address() / PAGE_BYTES * sizeof *entries->first);

	entries->there = pread(run->processes[process].pagemap, entries->first, length, place) == (ssize_t)length;
}

static void observe_page(const struct run *run, struct view *view, const struct entries *entries, int process, int page)
{
	uint64_t entry = find_entry(run, entries, process, page);
	uint64_t state = move_bits(entry, from_pagemap, sizeof from_pagemap / sizeof *from_pagemap);
	uint64_t frame = 0;

	if (entry & PAGEMAP_PRESENT) {
		frame = entry & PAGEMAP_FRAME;
		state |= present_state(frame);
	} else if (entry & PAGEMAP_SWAP) {
		/* The lowest five bits are the type: a migration entry has another than a swap device. */
		frame = entry & PAGEMAP_FRAME;
		state |= CLASS_SWAP;
	}
	view->state[process][page] = state;
	view->frame[process][page] = frame;
}

/* The first page that has the same frame, or the same swap entry, as this one. */
static uint64_t find_share(const struct run *run, const struct view *view, int process, int page)
{
	int total = run->world.total, own = process * total + page;
	uint64_t class = view->state[process][page] & STATE_CLASS;

	if (class != CLASS_PRESENT && class != CLASS_SWAP)
		return (uint64_t)own;
	for (int i = 0; i < own; i++)
		if (view->alive[i / total] && (view->state[i / total][i % total] & STATE_CLASS) == class &&
		    view->frame[i / total][i % total] == view->frame[process][page])
			return (uint64_t)i;
	return (uint64_t)own;
}

static bool has_moved_frame(const struct view *view, const struct view *before, int process, int page)
{
	return before && before->alive[process] && (view->state[process][page] & STATE_CLASS) == CLASS_PRESENT &&
	       (before->state[process][page] & STATE_CLASS) == CLASS_PRESENT &&
	       view->frame[process][page] != before->frame[process][page];
}

/* Where no page of the file is mapped: whether it is in the page cache, or the swap cache. */
static void observe_file(const struct run *run, struct view *view)
{
	uint8_t resident[MAX_PAGES] = {0};

	if (!run->file_here || mincore(run->file_here, run->world.file * PAGE_BYTES, resident))
		return;
	for (int process = 0; process < MAX_PROCESSES; process++)
		for (int page = run->world.pages; view->alive[process] && is_file(run, page); page++)
			if ((view->state[process][page] & STATE_CLASS) == CLASS_NONE &&
			    resident[file_index(run, page)] & 1)
				view->state[process][page] |= STATE_RESIDENT;
}

/* Where a page is swapped out: whether it is still in the swap cache. Only its process can ask. */
static void observe_swapped(struct run *run, struct view *view, int process)
{
	struct mailbox *box = &shared->boxes[process];
	uint8_t asked[MAX_PAGES];
	int number = 0;

	calls_begin(process);
	for (int page = 0; page < run->world.total; page++) {
		if ((view->state[process][page] & STATE_CLASS) != CLASS_SWAP)
			continue;
		asked[number] = (uint8_t)page;
		calls_system(process, SYS_mincore, (long)page_address(run, process, page), PAGE_BYTES,
			     (long)&box->resident[number], 0, 0, 0);
		number++;
	}
	if (!number || !run_calls(run, process))
		return;
	for (int i = 0; i < number; i++)
		if (box->calls[i].result == 0 && box->resident[i] & 1)
			view->state[process][asked[i]] |= STATE_RESIDENT;
}

void observe_pages(struct run *run, struct view *view, const struct view *before)
{
	for (int process = 0; process < MAX_PROCESSES; process++) {
		struct entries entries;

		view->alive[process] = run->processes[process].alive;
		if (!view->alive[process])
			continue;
		read_entries(run, &entries, process);
		for (int page = 0; page < run->world.total; page++)
			observe_page(run, view, &entries, process, page);
	}
	for (int process = 0; process < MAX_PROCESSES; process++) {
		for (int page = 0; view->alive[process] && page < run->world.total; page++) {
			uint64_t *state = &view->state[process][page];

			*state |= find_share(run, view, process, page) << SHARE;
			*state |= (uint64_t)has_moved_frame(view, before, process, page) << FRAME_CHANGED;
		}
	}
	observe_file(run, view);
	for (int process = 0; process < MAX_PROCESSES; process++)
		if (view->alive[process] && run->end == CALLS_MADE)
			observe_swapped(run, view, process);
}

static void take_smaps_line(const char *line, uint16_t *fields)
{
	for (size_t i = 0; i < sizeof smaps_names / sizeof *smaps_names; i++) {
		size_t length = strlen(smaps_names[i]);

		if (!strncmp(line, smaps_names[i], length) && line[length] == ':')
			*fields |= (uint16_t)((strtoul(line + length + 1, NULL, 10) != 0) << i);
	}
}

/* The page of a process whose vma starts there; -1 for a vma of something else. The huge area has none of its own. */
static int page_at(const struct run *run, int process, uint64_t address)
{
	for (int page = 0; page < run->world.total - run->world.huge; page++)
		if (page_address(run, process, page) == address)
			return page;
	return -1;
}

void observe_smaps(const struct run *run, struct view *view)
{
	memset(view->smaps, 0, sizeof view->smaps);
	for (int process = 0; process < MAX_PROCESSES; process++) {
		char path[64], line[256];
		FILE *smaps;
		int page = -1;

		if (!view->alive[process])
			continue;
		snprintf(path, sizeof path, "/proc/%d/smaps", run->processes[process].pid);
		smaps = fopen(path, "r");
		while (smaps && fgets(line, sizeof line, smaps)) {
			unsigned long start, end;

			if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
				page = page_at(run, process, start);
			else if (page >= 0)
				take_smaps_line(line, &view->smaps[process][page]);
		}
		if (smaps)
			fclose(smaps);
	}
}

static void put_counters(struct buffer *buffer, const struct view *view, const struct view *before)
{
	size_t number_at = buffer->length;
	uint8_t number = 0;

	put(buffer, 0, 1);
	for (int i = 0; i < NR_COUNTERS; i++) {
		uint64_t grown = view->counters[i] - before->counters[i];

		if (!grown)
			continue;
		put(buffer, (uint64_t)i, 1);
		put(buffer, grown < 65535 ? grown : 65535, 2);
		number++;
	}
	if (!buffer->full)
		buffer->bytes[number_at] = number;
}

/* Pages whose value differs from the one before, or whose process was not there. */
static void put_pages(struct buffer *buffer, const struct run *run, const struct view *view,
		      const struct view *before, bool smaps)
{
	size_t number_at = buffer->length;
	uint8_t number = 0;

	put(buffer, 0, 1);
	for (int process = 0; process < MAX_PROCESSES; process++) {
		for (int page = 0; view->alive[process] && page < run->world.total; page++) {
			uint64_t now = smaps ? view->smaps[process][page] : view->state[process][page];
			uint64_t was = smaps ? before->smaps[process][page] : before->state[process][page];

			if (before->alive[process] && now == was)
				continue;
			put(buffer, (uint64_t)(process << 5 | page), 1);
			put(buffer, now, smaps ? 2 : 5);
			number++;
		}
	}
	if (!buffer->full)
		buffer->bytes[number_at] = number;
}

void put_changes(struct buffer *buffer, const struct run *run, const struct view *view, const struct view *counted,
		 const struct view *before, bool smaps)
{
	put_counters(buffer, view, counted);
	put_pages(buffer, run, view, before, false);
	if (smaps)
		put_pages(buffer, run, view, before, true);
}
