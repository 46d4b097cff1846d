/* Ops, driven through real system calls. */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "observe.h"
#include "world.h"

/* An op as it stands in a trace's word; simcore/ops.py has the form. */
struct op {
	uint8_t code, first, page, token;
};

struct op op_of_word(uint32_t word);

/*
 * How an op ended. `error` is an errno, 0 for none, minus the signal for a store or load that a signal ended;
 * ESRCH where the op does not apply: its process is not alive, or its page is no page of the file.
 * `value` is the token that was read, or of a migrate the node the page is on, or minus an errno.
 */
struct outcome {
	int16_t error, value;
	uint8_t child, reached;
};

/* A value nobody stored in this run. */
#define GARBAGE 255

/* Once: find what can be driven on this kernel. Text that names what cannot, and why, goes into `lacks`. */
void drive_prepare(const char *swap, char *lacks, unsigned long room);

/* Whether vmstat is to be read around an op: what reclaim did cannot be told from the pages alone. */
bool is_counted(struct op op);

/* Run one op. */
struct outcome drive(struct run *run, struct op op);

/* Whether the op got what it was driven for, by what is seen after it. */
bool has_reached(const struct run *run, struct op op, const struct outcome *outcome, const struct view *view);

/* Wait until the swap device has nothing more to do. */
void wait_for_swap(void);

/* Turn swap on again if a trace has left it off. False if that fails. */
bool restore_swap(void);

/* Read every page of a process: tokens, page by page. */
void read_all_pages(struct run *run, int process, uint8_t *values);

#endif
