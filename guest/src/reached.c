/* Whether an op got what it was driven for, by what is seen of the pages after it. */
#include "drive.h"
#include "op_codes.h"

/* How many pages of living processes are in a class. */
static int count_class(const struct run *run, const struct view *view, uint64_t class)
{
	int number = 0;

	for (int process = 0; process < MAX_PROCESSES; process++)
		for (int page = 0; view->alive[process] && page < run->world.total; page++)
			number += (view->state[process][page] & STATE_CLASS) == class;
	return number;
}

static bool any_soft_dirty(const struct run *run, const struct view *view, int process)
{
	for (int page = 0; page < run->world.total; page++)
		if (view->state[process][page] & STATE_SOFT_DIRTY)
			return true;
	return false;
}

/* Whether two different pages share a frame, which KSM alone can do. */
static bool any_merged(const struct run *run, const struct view *view)
{
	int total = run->world.total;

	for (int process = 0; process < MAX_PROCESSES; process++)
		for (int page = 0; view->alive[process] && page < run->world.pages; page++)
			if ((int)(view->state[process][page] >> 32) % total != page)
				return true;
	return false;
}

bool has_reached(const struct run *run, struct op op, const struct outcome *outcome, const struct view *view)
{
	int first = run->world.total - run->world.huge;
	uint64_t state = (OP_HAS_PAGE >> op.code & 1) && op.first < MAX_PROCESSES && op.page < MAX_PAGES
				 ? view->state[op.first][op.page] : 0;
	uint64_t class = state & STATE_CLASS;

	if (outcome->error)
		return false;
	switch (op.code) {
	case OP_WRITE:
	case OP_GUP_WRITE:
		return class == CLASS_PRESENT;
	case OP_MADV_PAGEOUT:
		return class != CLASS_PRESENT;
	case OP_MADV_DONTNEED:
		return class == CLASS_NONE;
	case OP_MADV_COLD:
		return !(state & STATE_ACTIVE);
	case OP_RECLAIM:
		return count_class(run, view, CLASS_PRESENT) == 0;
	case OP_SWAPOFF_ON:
		return count_class(run, view, CLASS_SWAP) == 0;
	case OP_KSM_SCAN:
		return any_merged(run, view);
	case OP_CLEAR_SOFT_DIRTY:
		return !any_soft_dirty(run, view, op.first);
	case OP_COLLAPSE:
		return view->state[op.first][first] & STATE_THP;
	case OP_SPLIT:
		return !(view->state[op.first][first] & STATE_THP);
	default:
		return true;
	}
}
