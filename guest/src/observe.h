/* What the kernel shows of every page, read from proc without touching any. */
#ifndef OBSERVE_H
#define OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"
#include "world.h"

#define NR_COUNTERS 24

/* Bits of a page's state; docs/conformance.md and simcore/observe.py have them all. */
#define STATE_CLASS 7u
enum state_class { CLASS_NONE, CLASS_ZERO_PAGE, CLASS_PRESENT, CLASS_SWAP, CLASS_OTHER };
#define STATE_ACTIVE (1u << 7)
#define STATE_THP (1u << 19)
#define STATE_SOFT_DIRTY (1u << 22)
#define STATE_RESIDENT (1u << 25)
#define STATE_NODE1 (1u << 27)

struct view {
	uint64_t state[MAX_PROCESSES][MAX_PAGES];
	uint64_t frame[MAX_PROCESSES][MAX_PAGES];
	uint16_t smaps[MAX_PROCESSES][MAX_PAGES];
	uint64_t counters[NR_COUNTERS];
	bool alive[MAX_PROCESSES];
};

/* Once: open the files of proc. False if one is missing. */
bool observe_prepare(void);

/* How many nodes the machine has, and where the frames of node 1 begin. */
extern int nr_nodes;

/* The counters of vmstat that are reported. */
void observe_counters(struct view *view);
/* Every page of every living process; `before` is the view after the op before, or NULL. */
void observe_pages(struct run *run, struct view *view, const struct view *before);
/* The fields of smaps that are not 0, by page. */
void observe_smaps(const struct run *run, struct view *view);

/* Write down what differs from the view before; of the counters, from those in `counted`. */
void put_changes(struct buffer *buffer, const struct run *run, const struct view *view, const struct view *counted,
		 const struct view *before, bool smaps);

#endif
